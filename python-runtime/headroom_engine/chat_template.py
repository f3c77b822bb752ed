"""A model's chat template, rendered with the date of the conversation."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn

from .conversation import Conversation
from .errors import ApiError, one_line


class ChatTemplate:
    """With the settings, filters and functions transformers gives to chat templates."""

    def __init__(self, text: str) -> None:
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise_exception
        self._template = environment.from_string(text)

    def render(self, conversation: Conversation, date: datetime, variables: dict[str, Any]) -> str:
        with template_errors():
            return self._template.render(
                messages=conversation.messages,
                tools=conversation.tools,
                add_generation_prompt=True,
                strftime_now=date.strftime,
                **variables,
            )


@contextlib.contextmanager
def template_errors() -> Iterator[None]:
    """What a template refuses is the request's fault, whatever it raises in doing so."""
    try:
        yield
    except Exception as error:
        message = f"the chat template refuses these messages: {error}"
        raise ApiError(400, "template", one_line(message, 250)) from error


def _raise_exception(message: str) -> NoReturn:
    from jinja2.exceptions import TemplateError

    raise TemplateError(message)


def _to_json(
    value: Any,  # noqa: ANN401  any JSON
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # jinja2's own filter escapes for HTML; templates of models mean plain JSON.
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
