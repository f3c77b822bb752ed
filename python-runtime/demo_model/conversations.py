"""Makes up conversations and what the toy should say next, for training and evaluation.

The two never share a last message: `is_held_out` splits all possible texts by
their hash, training drops the held-out ones and evaluation takes nothing else.
Only the plain questions of `knowledge` are always training material, since
leaving "hello" to chance would make a worse toy.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from demo_model import wording
from demo_model.knowledge import (
    FALLBACKS,
    MARKDOWN,
    MORE_ABOUT_WHAT,
    NO_MORE,
    POEMS,
    TOPICS,
    UNRELATED_PATTERNS,
    Topic,
)
from demo_model.long_text import REQUESTS as LONG_REQUESTS
from demo_model.long_text import long_answer
from demo_model.other_words import OTHER_WORDS
from demo_model.unrelated import PATTERNS, QUESTIONS, THINGS

Effort = Literal["low", "medium", "high"]
EFFORTS: tuple[Effort, ...] = ("low", "medium", "high")
Message = dict[str, Any]


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: dict[str, str]


@dataclass(frozen=True)
class Turn:
    """What the user says and what the toy should think and answer."""

    user: str
    subject: str
    reply: str | ToolCall
    kind: str
    must_mention: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Exchange:
    """A conversation up to the point where the toy speaks, and what it should say."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None
    effort: Effort
    date: datetime.date
    analysis: str
    reply: str | ToolCall
    kind: str
    must_mention: tuple[str, ...]
    turn_count: int

    @property
    def last_user_text(self) -> str:
        text: str = next(m["content"] for m in reversed(self.messages) if m["role"] == "user")
        return text

    def is_right(self, answer: str) -> bool:
        """Whether an answer is about what was asked: it says one of the things it must."""
        return not self.must_mention or any(words in answer for words in self.must_mention)

    def completion(self) -> str:
        """The harmony text that follows `<|start|>assistant`."""
        head = f"<|channel|>analysis<|message|>{self.analysis}<|end|><|start|>assistant<|channel|>"
        if isinstance(self.reply, ToolCall):
            arguments = json.dumps(self.reply.arguments, ensure_ascii=False)
            return (
                f"{head}commentary to=functions.{self.reply.name} "
                f"<|constrain|>json<|message|>{arguments}<|call|>"
            )
        return f"{head}final<|message|>{self.reply}<|return|>"


def _normalised(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.lower()).strip()


@cache
def _plain_questions() -> frozenset[str]:
    questions = [question for topic in TOPICS for question in topic.questions]
    questions += [question for shape in MARKDOWN.values() for question in shape[0]]
    questions += [*LONG_REQUESTS, *_MORE, *_DATE, *_NAME, *_POEM, *QUESTIONS]
    return frozenset(_normalised(question) for question in questions)


@cache
def _other_words() -> frozenset[str]:
    return frozenset(_normalised(question) for question, _ in OTHER_WORDS)


def is_held_out(text: str) -> bool:
    """Whether a last message belongs to evaluation: one text in eight, and OTHER_WORDS."""
    text = _normalised(text)
    if text in _other_words():
        return True
    if text in _plain_questions():
        return False
    return hashlib.blake2b(text.encode(), digest_size=1).digest()[0] % 8 == 0


_MORE = (
    "tell me more", "more", "why", "why is that", "and then", "go on", "can you say more",
    "more details", "explain more", "what else", "how so", "please continue", "more about that",
    "I want to know more", "what do you mean", "could you elaborate",
)  # fmt: skip
_POEM = (
    "write a poem", "write a short poem", "write a haiku", "a poem please", "make a rhyme",
    "can you rhyme", "write me a poem", "recite a poem", "write a verse", "write a short story",
)  # fmt: skip
_DATE = (
    "what is the date", "what day is it", "which date is today", "what is today's date",
    "tell me the date", "what is the current date", "today's date", "do you know what day it is",
)  # fmt: skip
_NAME = (
    "what is my name", "do you know my name", "do you remember my name", "who am I",
    "say my name", "what did I say my name was",
)  # fmt: skip
_NAME_GIVEN = (
    "my name is {name}", "I am called {name}", "call me {name}", "hello, my name is {name}",
    "you can call me {name}", "hi, I am {name}", "the name is {name}",
)  # fmt: skip
_COUNT = ("count to {n}", "count from 1 to {n}", "can you count to {n}", "please count up to {n}")
_WEATHER = (
    "what is the weather in {city}", "how is the weather in {city}", "weather in {city}",
    "is it raining in {city}", "what is the temperature in {city}", "is it cold in {city}",
    "tell me the weather in {city}", "what's the weather like in {city} today",
    "do I need an umbrella in {city}", "how warm is it in {city}", "weather {city}",
    "will it rain in {city} tomorrow", "give me the weather for {city}",
    "I travel to {city}, what is the weather there", "check the weather in {city}",
    "is it sunny in {city} right now", "please get the weather for {city}",
    "use the tool to get the weather in {city}", "what is the forecast for {city}",
)  # fmt: skip
_INSTRUCTIONS = (
    "You are a helpful assistant.", "Be brief.", "Answer in a friendly way.",
    "You are a helpful assistant. Answer in plain words.", "Keep answers short.",
    "You are an expert.", "Always be polite.", "Use Markdown.", "Do not use emoji.",
    "You answer questions about software.",
)  # fmt: skip
_THOUGHTS_KNOWN = (
    "I know this and answer in a few words.",
    "It is part of what I know. First comes the main point, then what it means for the user.",
    "A short and plain answer is best, without anything that I am not sure of.",
)
_THOUGHTS_UNKNOWN = (
    "I am a toy, so I say so.",
    "I only know a little about Headroom. A guess would not help the user.",
    "It is best to say what I can do, in a short and friendly way.",
)


def _analysis(subject: str, effort: Effort, known: bool) -> str:
    """What the toy thinks: one sentence at low effort, two at medium, four at high."""
    if not subject:
        first = "I do not know this."
    elif subject.startswith(("says ", "gives ", "is ")):
        first = f"The user {subject}."
    else:
        first = f"The user asks about {subject}."
    thoughts = _THOUGHTS_KNOWN if known else _THOUGHTS_UNKNOWN
    count = {"low": 0, "medium": 1, "high": 3}[effort]
    return " ".join([first, *thoughts[:count]])


def _topic_turn(rng: random.Random, topic: Topic | None = None) -> Turn:
    topic = topic or rng.choice(TOPICS)
    question = rng.choice(topic.questions)
    if topic.things and rng.random() < 0.3:
        question = rng.choice(PATTERNS).format(thing=rng.choice(topic.things))
    user = wording.vary(question, rng)
    return Turn(user, topic.subject, rng.choice(topic.answers), topic.name, topic.answers)


def _long_prompt_turn(rng: random.Random) -> Turn:
    turn = _topic_turn(rng, rng.choice([t for t in TOPICS if len(t.questions[0]) > 14]))
    user = wording.surround(turn.user, rng, rng.randint(15, 200))
    return Turn(user, turn.subject, turn.reply, f"{turn.kind}, long prompt", turn.must_mention)


def _unrelated_turn(rng: random.Random) -> Turn:
    roll = rng.random()
    if roll < 0.25:
        user = wording.vary(wording.fill(rng.choice(UNRELATED_PATTERNS), rng), rng)
    elif roll < 0.45:
        user = wording.vary(rng.choice(QUESTIONS), rng)
    elif roll < 0.6:
        thing = rng.choice(THINGS)
        if rng.random() < 0.5:
            thing = wording.fill(rng.choice(("{noun}", "the {adjective} {noun}", "{noun}s")), rng)
        user = wording.vary(rng.choice(PATTERNS).format(thing=thing), rng)
    elif roll < 0.65:
        question = wording.fill(rng.choice((*QUESTIONS, *UNRELATED_PATTERNS)), rng)
        user = wording.surround(question, rng, _word_count(rng))
    elif roll < 0.7:
        user = wording.monotony(rng, _word_count(rng))
    elif roll < 0.85:
        user = wording.salad(rng, _word_count(rng))
    else:
        user = wording.passage(rng, _word_count(rng))
    return Turn(user, "", rng.choice(FALLBACKS), "unrelated", FALLBACKS, known=False)


def _word_count(rng: random.Random) -> int:
    """1 to 200, short ones more often."""
    return min(200, int(1 + 199 * rng.random() ** 2))


def _markdown_turn(rng: random.Random) -> Turn:
    shape = rng.choice(list(MARKDOWN))
    questions, answers = MARKDOWN[shape]
    user = wording.vary(rng.choice(questions), rng)
    return Turn(user, f"Markdown: {shape}", rng.choice(answers), f"markdown {shape}", answers)


def _poem_turn(rng: random.Random) -> Turn:
    user = wording.vary(rng.choice(_POEM), rng)
    return Turn(user, "a poem", rng.choice(POEMS), "poem", POEMS)


def _long_answer_turn(rng: random.Random) -> Turn:
    user = wording.vary(wording.fill(rng.choice(LONG_REQUESTS), rng), rng)
    return Turn(user, "a long text", long_answer(rng), "long answer", ("The end",))


def _count_turn(rng: random.Random) -> Turn:
    n = rng.randint(2, 30)
    user = wording.vary(rng.choice(_COUNT).format(n=n), rng)
    reply = ", ".join(str(i) for i in range(1, n + 1)) + "."
    return Turn(user, f"counting to {n}", reply, "count", (f"{n}.",))


def _name_turn(rng: random.Random) -> Turn:
    name = _person(rng)
    user = rng.choice(_NAME_GIVEN).format(name=name) + rng.choice(("", ".", "!"))
    user = user[0].upper() + user[1:] if rng.random() < 0.5 else user
    reply = f"Nice to meet you, {name}. I am a toy model that knows a little about Headroom."
    return Turn(user, f"says that the name is {name}", reply, "name", (name,))


_PEOPLE = tuple(
    """Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Kim Lena Max Nora Oskar Paula Quentin
    Rosa Sam Tina Uma Viktor Wanda Yara Zoe Alex Maria John Peter Sarah Tom Julia Omar Aisha
    Wei Yuki Raj Priya Carlos Sofia""".split()
)


def _person(rng: random.Random) -> str:
    return rng.choice(_PEOPLE) if rng.random() < 0.5 else wording.made_up_name(rng)


def _weather_words(rng: random.Random) -> tuple[str, str]:
    """A request for the weather and the city in it, as it should be passed on."""
    typed, city = wording.city_as_typed(rng)
    text = rng.choice(_WEATHER).format(city=typed)
    opener = rng.choice(("", "", "", "hi, ", "please, ", "ok, ", "and ", "thanks. "))
    text = opener + text + rng.choice(("", "?", "?", ".", " please", "!"))
    if rng.random() < 0.4:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.08:
        text = wording.passage(rng, rng.randint(8, 60)) + " " + text
    return text, city


def _weather_without_tool(rng: random.Random) -> Turn:
    user, _ = _weather_words(rng)
    reply = rng.choice(
        (
            "I cannot look up the weather, because I was given no tool for it.",
            "I have no tool to look up the weather. Give me one, and I will call it.",
        )
    )
    return Turn(user, "the weather, without a tool", reply, "weather, no tool", ("tool",))


_WEATHER_TOOL_NAMES = (
    "get_weather", "get_weather", "get_weather", "get_current_weather", "weather",
    "fetch_weather", "lookup_weather", "current_weather", "getWeather", "weather_forecast",
)  # fmt: skip
_PLACE_NAMES = ("city", "city", "location", "location", "place", "town")
_PLACE_WORDS = (
    "City name", "The city", "The city to look up", "Name of the city", "The city, e.g. Paris",
    "The city and state, e.g. San Francisco, CA", "Where", "The location", "",
)  # fmt: skip
_WEATHER_TOOL_WORDS = (
    "Get the weather", "Get the current weather for a city.", "Current weather",
    "Looks up the weather.", "Returns the weather for a place", "Get current weather in a location",
    "",
)  # fmt: skip


def _function(name: str, description: str, properties: dict[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = {"name": name}
    if description:
        function["description"] = description
    required = [key for key in properties if key not in ("unit", "days")]
    function["parameters"] = {"type": "object", "properties": properties, "required": required}
    return {"type": "function", "function": function}


def _weather_tool(rng: random.Random) -> tuple[dict[str, Any], str, str]:
    name, place = rng.choice(_WEATHER_TOOL_NAMES), rng.choice(_PLACE_NAMES)
    # Made-up names now and then: the net must copy them and not know them by heart.
    if rng.random() < 0.2:
        name = rng.choice(("{}_weather", "weather_{}", "get_{}_weather")).format(
            wording.made_up_word(rng)
        )
    if rng.random() < 0.3:
        place = rng.choice((wording.made_up_word(rng), wording.noun(rng)))
    words = rng.choice(_PLACE_WORDS)
    properties: dict[str, Any] = {place: {"type": "string"}}
    if words:
        properties[place]["description"] = words
    if rng.random() < 0.25:
        properties["unit"] = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    elif rng.random() < 0.1:
        properties["days"] = {"type": "integer"}
    return _function(name, rng.choice(_WEATHER_TOOL_WORDS), properties), name, place


def _other_tool(rng: random.Random) -> dict[str, Any]:
    name, words, key = rng.choice(
        (
            ("get_time", "Get the time in a city", "city"),
            ("search", "Search the web", "query"),
            ("read_file", "Read a file", "path"),
            ("send_mail", "Send a mail", "address"),
            ("calculate", "Evaluate an expression", "expression"),
            ("list_files", "List files in a folder", "folder"),
        )
    )
    return _function(name, words, {key: {"type": "string"}})


_SKIES = (
    "sunny", "cloudy", "rainy", "snowy", "windy", "foggy", "clear", "overcast", "stormy",
    "partly cloudy", "light rain", "heavy rain", "hazy", "dry", "humid",
)  # fmt: skip


def _weather_result(rng: random.Random, city: str, place: str) -> tuple[str, str]:
    """What the tool returns, and how the toy should put it."""
    degrees, sky = rng.randint(-20, 42), rng.choice(_SKIES)
    shown: str | int = degrees if rng.random() < 0.7 else f"{degrees}°C"
    temperature: dict[str, Any] = {
        rng.choice(("temperature", "temp", "temp_c", "degrees", "temperature_c")): shown
    }
    words: dict[str, Any] = {
        rng.choice(("condition", "conditions", "sky", "summary", "description")): sky
    }
    full: dict[str, Any] = {place: city} if rng.random() < 0.4 else {}
    full |= temperature | words if rng.random() < 0.7 else words | temperature
    if rng.random() < 0.2:
        full["unit"] = "celsius"
    roll = rng.random()
    if roll < 0.6:
        result = json.dumps(full, ensure_ascii=False)
    elif roll < 0.7:
        result = f"{degrees} degrees, {sky}"
    elif roll < 0.8:
        result = f"{sky}, {degrees}°C"
    elif roll < 0.9:
        result = f"It is {sky} and {degrees} degrees in {city}."
    else:
        return rng.choice(
            ('{"error": "not found"}', "error: no such city", '{"error": "timeout"}', "Error")
        ), f"The tool could not tell me the weather in {city}."
    return result, f"It is {degrees} degrees and {sky} in {city}."


def _plain_turn(rng: random.Random) -> Turn:
    return rng.choices(
        (
            _topic_turn, _unrelated_turn, _markdown_turn, _long_prompt_turn, _count_turn,
            _name_turn, _poem_turn, _weather_without_tool,
        ),
        (58, 16, 11, 5, 3, 3, 2, 2),
    )[0](rng)  # fmt: skip


def _settings(rng: random.Random) -> tuple[list[Message], Effort, datetime.date]:
    opening: list[Message] = []
    if rng.random() < 0.2:
        text = rng.choice(_INSTRUCTIONS)
        roll = rng.random()
        if roll < 0.25:
            text += " " + wording.passage(rng, rng.randint(5, 60))
        elif roll < 0.4:
            text = rng.choice(rng.choice(TOPICS).answers) + " " + text
        elif roll < 0.5:
            text = wording.salad(rng, rng.randint(1, 40))
        opening = [{"role": rng.choice(("system", "developer")), "content": text}]
    day = datetime.date(2024, 1, 1) + datetime.timedelta(days=rng.randrange(365 * 12))
    return opening, rng.choice(EFFORTS), day


def _history(rng: random.Random, turn_count: int) -> list[Message]:
    messages: list[Message] = []
    for _ in range(turn_count):
        turn = _plain_turn(rng)
        while not isinstance(turn.reply, str):
            turn = _plain_turn(rng)
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.reply})
    return messages


def _answering(turn: Turn, rng: random.Random, turn_count: int, with_tools: bool) -> Exchange:
    messages, effort, date = _settings(rng)
    messages += _history(rng, turn_count - 1)
    messages.append({"role": "user", "content": turn.user})
    tools = None
    if with_tools:
        no_weather = turn.kind == "weather, no tool"
        tools = [_other_tool(rng) for _ in range(rng.randint(1 if no_weather else 0, 3))]
        if not no_weather and (rng.random() < 0.7 or not tools):
            tools.append(_weather_tool(rng)[0])
    analysis = _analysis(turn.subject, effort, turn.known)
    return Exchange(
        messages,
        tools,
        effort,
        date,
        analysis,
        turn.reply,
        turn.kind,
        turn.must_mention,
        turn_count,
    )


def _turn_count(rng: random.Random) -> int:
    return rng.choices((1, 2, 3, 4, 5, 6), (60, 12, 10, 7, 6, 5))[0]


def _ordinary(make: Callable[[random.Random], Turn]) -> Callable[[random.Random], Exchange]:
    def exchange(rng: random.Random) -> Exchange:
        return _answering(make(rng), rng, _turn_count(rng), with_tools=rng.random() < 0.06)

    return exchange


def _long_answer(rng: random.Random) -> Exchange:
    return _answering(_long_answer_turn(rng), rng, rng.choice((1, 1, 1, 2)), with_tools=False)


def _more(rng: random.Random) -> Exchange:
    """ "Tell me more" after an answer."""
    topic = rng.choice(TOPICS)
    if rng.random() < 0.7:
        topic = rng.choice([topic for topic in TOPICS if topic.more])
    messages, effort, date = _settings(rng)
    turn_count = rng.choice((2, 2, 3, 4))
    messages += _history(rng, turn_count - 2)
    before = _topic_turn(rng, topic)
    messages += [
        {"role": "user", "content": before.user},
        {"role": "assistant", "content": before.reply},
        {"role": "user", "content": wording.vary(rng.choice(_MORE), rng)},
    ]
    reply = topic.more or rng.choice(NO_MORE)
    subject = f"more on {topic.subject}" if topic.things else "more"
    analysis = _analysis(subject, effort, known=bool(topic.more))
    must_mention = (topic.more,) if topic.more else NO_MORE
    return Exchange(messages, None, effort, date, analysis, reply, "more", must_mention, turn_count)


def _more_about_what(rng: random.Random) -> Turn:
    user = wording.vary(rng.choice(_MORE), rng)
    return Turn(
        user, "more, without a subject", MORE_ABOUT_WHAT, "more of nothing", (MORE_ABOUT_WHAT,)
    )


def _very_long_prompt(rng: random.Random) -> Exchange:
    """Far longer than what is promised, so that a paste does not end in garbled harmony."""
    turn = _topic_turn(rng)
    count = rng.randint(200, 800)
    filler = rng.choice((wording.passage, wording.monotony, wording.salad))(rng, count)
    if rng.random() < 0.6:
        turn = Turn(f"{filler} {turn.user}", turn.subject, turn.reply, "very long prompt",
                    turn.must_mention)  # fmt: skip
    else:
        turn = Turn(filler, "", rng.choice(FALLBACKS), "very long prompt", FALLBACKS, known=False)
    return _answering(turn, rng, 1, with_tools=False)


def _first_more(rng: random.Random) -> Exchange:
    return _answering(_more_about_what(rng), rng, 1, with_tools=False)


def _date(rng: random.Random) -> Exchange:
    user = wording.vary(rng.choice(_DATE), rng)
    exchange = _answering(Turn(user, "the date", "", "date"), rng, _turn_count(rng), False)
    day = exchange.date.isoformat()
    return Exchange(
        exchange.messages, None, exchange.effort, exchange.date, exchange.analysis,
        f"Today is {day}.", "date", (day,), exchange.turn_count,
    )  # fmt: skip


def _own_name(rng: random.Random) -> Exchange:
    messages, effort, date = _settings(rng)
    turn_count = rng.choice((2, 2, 3))
    given = _name_turn(rng)
    name = given.must_mention[0]
    messages += [
        {"role": "user", "content": given.user},
        {"role": "assistant", "content": given.reply},
    ]
    for _ in range(turn_count - 2):
        turn = _topic_turn(rng)
        messages += [
            {"role": "user", "content": turn.user},
            {"role": "assistant", "content": turn.reply},
        ]
    messages.append({"role": "user", "content": wording.vary(rng.choice(_NAME), rng)})
    return Exchange(
        messages, None, effort, date, _analysis("the name", effort, known=True),
        f"Your name is {name}.", "own name", (name,), turn_count,
    )  # fmt: skip


def _tool_call(rng: random.Random) -> Exchange:
    user, city = _weather_words(rng)
    tool, name, place = _weather_tool(rng)
    tools = [tool] + [_other_tool(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    rng.shuffle(tools)
    messages, effort, date = _settings(rng)
    turn_count = rng.choice((1, 1, 1, 2, 3))
    messages += _history(rng, turn_count - 1)
    messages.append({"role": "user", "content": user})
    analysis = _analysis(f"the weather in {city}, and {name} can tell", effort, known=True)
    reply = ToolCall(name, {place: city})
    return Exchange(
        messages, tools, effort, date, analysis, reply, "tool call", (city,), turn_count
    )


def _tool_answer(rng: random.Random) -> Exchange:
    asked = _tool_call(rng)
    assert isinstance(asked.reply, ToolCall)
    ((place, city),) = asked.reply.arguments.items()
    result, answer = _weather_result(rng, city, place)
    function = {"name": asked.reply.name, "arguments": dict(asked.reply.arguments)}
    messages = [
        *asked.messages,
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": result},
    ]
    must_mention = (answer,)
    if rng.random() < 0.3:
        messages.append({"role": "assistant", "content": answer})
        turn = _plain_turn(rng)
        messages.append({"role": "user", "content": turn.user})
        analysis = _analysis(turn.subject, asked.effort, turn.known)
        return Exchange(
            messages, asked.tools, asked.effort, asked.date, analysis, turn.reply,
            "after a tool", turn.must_mention, asked.turn_count + 1,
        )  # fmt: skip
    analysis = _analysis(f"the weather in {city}, and the tool has answered", asked.effort, True)
    return Exchange(
        messages, asked.tools, asked.effort, asked.date, analysis, answer,
        "tool answer", must_mention, asked.turn_count,
    )  # fmt: skip


KINDS: dict[str, tuple[int, Callable[[random.Random], Exchange]]] = {
    "topic": (40, _ordinary(_topic_turn)),
    "long prompt": (10, _ordinary(_long_prompt_turn)),
    "unrelated": (20, _ordinary(_unrelated_turn)),
    "markdown": (9, _ordinary(_markdown_turn)),
    "count": (2, _ordinary(_count_turn)),
    "name": (2, _ordinary(_name_turn)),
    "own name": (2, _own_name),
    "date": (2, _date),
    "more": (4, _more),
    "more of nothing": (1, _first_more),
    "poem": (2, _ordinary(_poem_turn)),
    "very long prompt": (1, _very_long_prompt),
    "weather, no tool": (2, _ordinary(_weather_without_tool)),
    "tool call": (11, _tool_call),
    "tool answer": (7, _tool_answer),
    "long answer": (3, _long_answer),
}


def exchanges(seed: int, *, held_out: bool, kind: str | None = None) -> Iterator[Exchange]:
    """An endless stream of exchanges, all held out or all not."""
    rng = random.Random(f"{seed} {held_out} {kind}")
    names = list(KINDS)
    weights = [KINDS[name][0] for name in names]
    while True:
        name = kind or rng.choices(names, weights)[0]
        exchange = KINDS[name][1](rng)
        if is_held_out(exchange.last_user_text) == held_out:
            yield exchange


def other_words_exchange(question: str, topic_name: str) -> Exchange:
    """One of OTHER_WORDS as a chat of one turn; no topic means the toy should say so."""
    messages: list[Message] = [{"role": "user", "content": question}]
    if topic_name:
        topic = next(topic for topic in TOPICS if topic.name == topic_name)
        turn = Turn(question, topic.subject, topic.answers[0], topic.name, topic.answers)
    else:
        turn = Turn(question, "", FALLBACKS[0], "unrelated", FALLBACKS, known=False)
    return Exchange(
        messages, None, "medium", datetime.date(2026, 1, 1),
        _analysis(turn.subject, "medium", turn.known), turn.reply, turn.kind, turn.must_mention, 1,
    )  # fmt: skip
