"""From a checked body to a job for the generation thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from .answer import Answer, PlainSplitter
from .conversation import Conversation, read_conversation, sound_text
from .deltas import Splitter
from .errors import ApiError, bad_request
from .job import Job
from .loading import ModelFolder
from .prompt_cache import Kind, common_length
from .request import (
    Body,
    read_beginning,
    read_cache_key,
    read_date,
    read_effort,
    read_keeps_cache,
    read_limits,
    read_prefill_step,
    read_sampling,
    read_thinking_budget,
    read_top_logprobs,
)
from .tokenizer import ChatTokenizer

# Below this a snapshot of the instructions alone is not worth its place in the cache.
SHORTEST_INSTRUCTIONS_TOKENS = 32
# A message may begin with anything: what stands before it must not be read differently for that.
_ANYTHING = ("a", "0", " ", "\n", "(")


def count_tokens(body: Body, tokenizer: ChatTokenizer) -> int:
    conversation = _conversation(body, tokenizer)
    return len(tokenizer.chat_prompt(conversation, read_effort(body), read_date(body)))


def chat_job(
    id: str,
    body: Body,
    tokenizer: ChatTokenizer,
    folder: ModelFolder,
    max_tokens_default: int,
    is_abandoned: Callable[[], bool],
) -> Job:
    conversation = _conversation(body, tokenizer)
    effort, date = read_effort(body), read_date(body)
    prompt = tokenizer.chat_prompt(conversation, effort, date)
    splitter = tokenizer.splitter(conversation.tools)
    boundaries = _boundaries(prompt, conversation, tokenizer, effort, date)
    if (beginning := read_beginning(body)) is not None:
        # Where a new answer to the same messages would go on from.
        boundaries.append((len(prompt) - 1, "user"))
        defuse = tokenizer.defuser.text
        text = splitter.resume(defuse(beginning.reasoning), defuse(beginning.content))
        prompt = prompt + tokenizer.encode_more(text)
    job = _job(id, body, prompt, splitter, tokenizer, folder, max_tokens_default, is_abandoned)
    job.boundaries = boundaries
    job.thinking_budget = read_thinking_budget(body)
    job.keeps_cache = read_keeps_cache(body)
    job.cache_key = read_cache_key(body)
    job.prefill_step = read_prefill_step(body)
    job.top_logprobs = read_top_logprobs(body)
    return job


def history_tokens(body: Body, tokenizer: ChatTokenizer) -> list[int]:
    """What the next prompt of this conversation will begin with, whatever the user says."""
    conversation = _conversation(body, tokenizer)
    effort, date = read_effort(body), read_date(body)
    prompts = [
        tokenizer.chat_prompt(
            replace(
                conversation,
                messages=[*conversation.messages, {"role": "user", "content": text}],
            ),
            effort,
            date,
        )
        for text in _ANYTHING
    ]
    first = prompts[0]
    return first[: min(common_length(first, other, len(first)) for other in prompts[1:])]


def completion_job(
    id: str,
    body: Body,
    tokenizer: ChatTokenizer,
    folder: ModelFolder,
    max_tokens_default: int,
    is_abandoned: Callable[[], bool],
) -> Job:
    text = body.get("prompt")
    if not isinstance(text, str):
        raise bad_request("prompt must be text")
    if body.get("logprobs") is not None:
        raise bad_request("logprobs are told of chat completions only")
    prompt = tokenizer.encode(sound_text(text))
    splitter = PlainSplitter()
    return _job(id, body, prompt, splitter, tokenizer, folder, max_tokens_default, is_abandoned)


def _conversation(body: Body, tokenizer: ChatTokenizer) -> Conversation:
    return read_conversation(
        body.get("messages"), body.get("tools"), tokenizer.defuser, harmony=tokenizer.harmony
    )


def _job(
    id: str,
    body: Body,
    prompt: list[int],
    splitter: Splitter,
    tokenizer: ChatTokenizer,
    folder: ModelFolder,
    max_tokens_default: int,
    is_abandoned: Callable[[], bool],
) -> Job:
    if not prompt:
        raise bad_request("the prompt is empty")
    limits = read_limits(body, max_tokens_default)
    longest = folder.longest_context
    if longest is not None and len(prompt) >= longest:
        raise ApiError(
            400,
            "context_too_long",
            f"the prompt has {len(prompt)} tokens, the model was made for {longest}",
        )
    most = limits.max_tokens if longest is None else min(limits.max_tokens, longest - len(prompt))
    return Job(
        id,
        is_abandoned,
        prompt=prompt,
        boundaries=[],
        sampling=read_sampling(body, folder.sampling, tokenizer.vocabulary_size),
        max_tokens=most,
        answer=Answer(tokenizer.detokenizer(), splitter, tokenizer.eos_tokens, limits.stop),
        encode_more=tokenizer.encode_more,
    )


def _boundaries(
    prompt: list[int],
    conversation: Conversation,
    tokenizer: ChatTokenizer,
    effort: str | None,
    date: datetime,
) -> list[tuple[int, Kind]]:
    """Where the instructions end: a new chat with the same ones goes on from there."""
    instructions = []
    for message in conversation.messages:
        if message["role"] not in ("system", "developer"):
            break
        instructions.append(message)
    if not instructions and not conversation.tools:
        return []
    probe = replace(conversation, messages=[*instructions, {"role": "user", "content": ""}])
    try:
        tokens = tokenizer.chat_prompt(probe, effort, date)
    except ApiError:
        return []
    same = next((i for i, (a, b) in enumerate(zip(tokens, prompt, strict=False)) if a != b), 0)
    return [(same, "system")] if same >= SHORTEST_INSTRUCTIONS_TOKENS else []
