"""What goes to the model and what comes back, as plain values: no type of the SDK leaves this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gsvr_tui.core.catalogue import ModelInfo
from gsvr_tui.core.models import Usage

RESOLUTIONS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One question about one video, or about none (`file_uri` empty).

    `start_s`/`end_s` None: the whole video. `resolution` and `thinking_level` empty, `fps`, `thinking_budget`,
    `max_output_tokens` and `temperature` None: not sent, the service's default holds. Newer models ignore or refuse a
    temperature; 2.5 models take a budget, newer ones a level (`thinking_for`).
    """

    model: str
    prompt: str
    system: str = ""
    file_uri: str = ""
    mime_type: str = ""
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    resolution: str = ""
    schema: Mapping[str, Any] | None = None
    max_output_tokens: int | None = None
    thinking_level: str = ""
    thinking_budget: int | None = None
    temperature: float | None = None
    agentic: bool = False  # the model looks where it wants: offsets and fps are not sent


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything one request brought. Whether it is any good, `answers.answer_failure` says.

    `raw` is a JSON array of what came over the line, in order: each event as it was written by the service (keys
    redacted), a string for whatever was not JSON. `answers.answer_from_raw` makes the same Answer of it again.
    """

    text: str
    finish_reason: str = ""  # "" when none came
    block_reason: str = ""  # the prompt was refused; there is no text then
    usage: Usage = field(default_factory=Usage)  # the last running total
    usage_known: bool = False
    model_version: str = ""  # the model that answered: not always the one asked for
    response_id: str = ""
    raw: str = "[]"
    complete: bool = False  # the service said it was finished
    retirement_time: str = ""  # when the model will be shut down, if the service says so
    thoughts: int = 0  # parts of thinking, left out of `text`
    tools: int = 0  # parts of tools, left out of `text`
    finish_message: str = ""
    service_tier: str = ""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """A model as the service lists it. `methods`: generateContent, countTokens, …"""

    id: str
    title: str
    context_tokens: int
    output_tokens: int
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What a look at a key said. `dead`: the service said it will never work (not: it could not be reached)."""

    ok: bool
    message: str
    advice: str = ""
    latency_ms: int = 0
    models: tuple[str, ...] = ()
    dead: bool = False


_BUDGETS: Mapping[str, int] = {"off": 0, "minimal": 512, "low": 2_048, "medium": -1, "high": 16_384, "xhigh": 24_576}
_SMALLEST_PRO_BUDGET = 128


def thinking_for(info: ModelInfo, level: str) -> tuple[str, int | None]:
    """`level` in the way the model takes it: (thinking_level, thinking_budget) of a request.

    A level the model does not have becomes the nearest one above it, or its highest. "" asks for nothing.
    """
    wanted = level.lower()
    if not wanted or info.thinking == "none":
        return "", None
    if info.thinking == "budget":
        budget = _BUDGETS.get(wanted, -1)
        smallest = 0 if "off" in info.thinking_levels else _SMALLEST_PRO_BUDGET
        return "", budget if budget < 0 else max(budget, smallest)
    order = ("off", "minimal", "low", "medium", "high", "xhigh")
    at = order.index(wanted) if wanted in order else order.index("medium")
    above = [name for name in order[at:] if name in info.thinking_levels]
    below = [name for name in reversed(order[:at]) if name in info.thinking_levels]
    return (above + below)[0] if above or below else "", None
