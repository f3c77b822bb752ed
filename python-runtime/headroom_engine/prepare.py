"""From a checked body to a job for the generation thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from .answer import Answer, PlainSplitter
from .constraint import Constraint, answer_grammar, call_grammar
from .conversation import Conversation, read_conversation, sound_text
from .deltas import Splitter
from .errors import ApiError, bad_request
from .job import Job
from .loading import ModelFolder
from .prompt_cache import Kind, common_length
from .request import (
    AnswerForm,
    Body,
    ToolChoice,
    read_answer_form,
    read_beginning,
    read_cache_key,
    read_date,
    read_effort,
    read_keeps_cache,
    read_limits,
    read_prefill_step,
    read_sampling,
    read_thinking_budget,
    read_tool_choice,
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
    choice, form = read_tool_choice(body), read_answer_form(body)
    constraint = _constraint(choice, form, conversation, tokenizer)
    prompt = tokenizer.chat_prompt(conversation, effort, date)
    splitter = tokenizer.splitter(conversation.tools, must_call=choice.kind == "must")
    boundaries = _boundaries(prompt, conversation, tokenizer, effort, date)
    if (beginning := read_beginning(body)) is not None:
        if constraint is not None:
            raise bad_request("an answer of a given form cannot be continued")
        # Where a new answer to the same messages would go on from.
        boundaries.append((len(prompt) - 1, "user"))
        defuse = tokenizer.defuser.text
        text = splitter.resume(defuse(beginning.reasoning), defuse(beginning.content))
        prompt = prompt + tokenizer.encode_more(text)
    job = _job(id, body, prompt, splitter, tokenizer, folder, max_tokens_default, is_abandoned)
    job.boundaries = boundaries
    job.thinking_budget = read_thinking_budget(body)
    job.constraint = constraint
    job.keeps_cache = read_keeps_cache(body)
    job.cache_key = read_cache_key(body)
    job.prefill_step = read_prefill_step(body)
    job.top_logprobs = read_top_logprobs(body)
    return job


def history_tokens(body: Body, tokenizer: ChatTokenizer, folder: ModelFolder) -> list[int]:
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
    _check_length(first, folder)
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
    messages: object = body.get("messages")
    tools = None if read_tool_choice(body).kind == "none" else body.get("tools")
    form = read_answer_form(body)
    if form is not None and form.name is not None and isinstance(messages, list):
        # As OpenAI's own prompts tell it; what the model knows it need not be forced to.
        schema = json.dumps(form.schema, ensure_ascii=False)
        text = f"# Response Formats\n\n## {form.name}\n\n{schema}"
        messages = (
            [*messages, {"role": "system", "content": text}] if tokenizer.harmony else messages
        )
    return read_conversation(messages, tools, tokenizer.defuser, harmony=tokenizer.harmony)


def _constraint(
    choice: ToolChoice,
    form: AnswerForm | None,
    conversation: Conversation,
    tokenizer: ChatTokenizer,
) -> Constraint | None:
    if choice.kind == "must":
        if form is not None:
            raise bad_request("tool_choice and response_format cannot both decide the answer")
        tools = conversation.tools
        if not tools:
            raise bad_request("tool_choice needs tools")
        if not tokenizer.harmony:
            message = (
                "this model's calls have no form that could be forced: tool_choice must be auto"
            )
            raise ApiError(400, "unsupported", message)
        return tokenizer.grammars.constraint("tools", lambda: call_grammar(tools, choice.name))
    if form is None:
        return None
    return tokenizer.grammars.constraint(
        "response_format",
        lambda: answer_grammar(
            form.schema, harmony=tokenizer.harmony, thinking=tokenizer.think_tags
        ),
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
    _check_length(prompt, folder)
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


def _check_length(prompt: list[int], folder: ModelFolder) -> None:
    longest = folder.longest_context
    if longest is not None and len(prompt) >= longest:
        raise ApiError(
            400,
            "context_too_long",
            f"the prompt has {len(prompt)} tokens, the model was made for {longest}",
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
