"""Renders conversations with the model folder's own chat template.

The environment is the one transformers uses (a test compares the two), without
transformers: training needs neither it nor MLX.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from demo_model.conversations import Exchange

MODEL_FOLDER = Path(__file__).resolve().parent.parent / "models" / "headroom-demo"


def renderer(folder: Path = MODEL_FOLDER) -> Callable[[Exchange], str]:
    """A function from an exchange to the prompt text, `<|start|>assistant` included."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = lambda value: json.dumps(value, ensure_ascii=False)
    template = environment.from_string((folder / "chat_template.jinja").read_text("utf-8"))

    def render(exchange: Exchange) -> str:
        def strftime_now(pattern: str) -> str:
            return exchange.date.strftime(pattern)

        context: dict[str, Any] = {
            "messages": exchange.messages,
            "tools": exchange.tools,
            "reasoning_effort": exchange.effort,
            "add_generation_prompt": True,
            "strftime_now": strftime_now,
        }
        return template.render(**context)

    return render


def date_of(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
