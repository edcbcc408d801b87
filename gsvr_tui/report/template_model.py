"""What a template is: typed parameters, sections, instructions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Value = str | int | float | bool


class SectionKind(StrEnum):
    """The shape of a section's answer."""

    TEXT = "text"  # prose in Markdown
    ITEMS = "items"  # a list: title and text, with times
    TRANSCRIPT = "transcript"  # what is said: times, speaker, text
    TERMS = "terms"  # a glossary: term, meaning, where it first comes up


class Times(StrEnum):
    """Which times the items of a section carry."""

    SPAN = "span"  # start and end
    POINT = "point"  # time
    NONE = "none"


class ParameterType(StrEnum):
    """The type of a parameter."""

    STRING = "string"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something the user may set for a batch."""

    name: str
    type: ParameterType
    default: Value
    choices: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. `titles` by language; `length` is (least, most) words per ten minutes, a guide."""

    id: str
    kind: SectionKind
    titles: Mapping[str, str]
    prompt: str
    required: bool = True
    times: Times = Times.NONE
    covers: bool = False  # its items together account for the whole video
    length: tuple[int, int] | None = None
    any_language: bool = False  # holds what is copied from the video: not checked for its language

    @property
    def evidence(self) -> bool:
        """True when its items are tied to the video by times: asked for before what is derived from them."""
        return self.kind is SectionKind.TRANSCRIPT or (self.kind is SectionKind.ITEMS and self.times is not Times.NONE)

    def title(self, language: str) -> str:
        """The heading in a language, else in English, else the first there is."""
        return in_language(self.titles, language)


@dataclass(frozen=True, slots=True)
class Template:
    """How a kind of report is asked for."""

    id: str
    version: str
    title: str
    kind: str
    description: str
    language: str
    sections: tuple[Section, ...]
    instructions: str
    parameters: tuple[Parameter, ...] = ()
    source: str = "built-in"  # or the file it came from

    def section(self, section_id: str) -> Section | None:
        """The section of that id."""
        return next((section for section in self.sections if section.id == section_id), None)

    def asked_order(self) -> tuple[Section, ...]:
        """Sections as the model fills them: evidence first, what is derived from it after."""
        return tuple(sorted(self.sections, key=lambda section: not section.evidence))


def in_language(texts: Mapping[str, str], language: str) -> str:
    """The text for a BCP-47 language: exact, then without its last parts, then English, then any."""
    wanted = language.lower()
    lowered = {key.lower(): value for key, value in texts.items()}
    while wanted:
        if wanted in lowered:
            return lowered[wanted]
        for key, value in lowered.items():
            if "-" not in wanted and key.split("-")[0] == wanted:
                return value
        wanted = wanted.rpartition("-")[0]
    return lowered.get("en") or next(iter(lowered.values()), "")


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def is_language(code: str) -> bool:
    """True for something shaped like a BCP-47 tag."""
    return _LANGUAGE.fullmatch(code) is not None


# ---------------------------------------------------------------- values of parameters


class ParameterProblem(ValueError):
    """A parameter's value does not fit; the message names it and says what would."""


MAX_VALUE_CHARS = 4_000
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def check_value(parameter: Parameter, value: Any) -> Value:
    """The value in the parameter's type; texts, as they come from a command line, are converted."""
    kind = parameter.type
    if kind in (ParameterType.STRING, ParameterType.CHOICE):
        return _check_text(parameter, value)
    if kind is ParameterType.BOOL:
        word = str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise ParameterProblem(f"{parameter.name} must be true or false, not {value!r}")
        return word in _TRUE
    try:
        if isinstance(value, bool):
            raise ValueError
        number = int(value) if kind is ParameterType.INT else float(value)
        if isinstance(value, float) and number != value:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        what = "a whole number" if kind is ParameterType.INT else "a number"
        raise ParameterProblem(f"{parameter.name} must be {what}, not {value!r}") from None
    low, high = parameter.min, parameter.max
    if number != number or (low is not None and number < low) or (high is not None and number > high):
        said = [f"at least {low:g}"] if low is not None else []
        said += [f"at most {high:g}"] if high is not None else []
        raise ParameterProblem(f"{parameter.name} must be {' and '.join(said) or 'a number'}, not {number:g}")
    return number


def _check_text(parameter: Parameter, value: Any) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, (int, float)) else None
    if text is None or isinstance(value, bool):
        raise ParameterProblem(f"{parameter.name} must be a text, not {value!r}")
    if parameter.type is ParameterType.CHOICE and text not in parameter.choices:
        raise ParameterProblem(f"{parameter.name} must be one of {', '.join(parameter.choices)}, not {text!r}")
    if len(text) > MAX_VALUE_CHARS:
        raise ParameterProblem(f"{parameter.name} is longer than {MAX_VALUE_CHARS} characters")
    return text


def check_parameters(template: Template, given: Mapping[str, Any]) -> dict[str, Value]:
    """All parameters of a template with the given values put in. Raises ParameterProblem."""
    known = {parameter.name: parameter for parameter in template.parameters}
    for name in given:
        if name not in known:
            there = f"it has {', '.join(known)}" if known else "it has none"
            raise ParameterProblem(f"the template {template.id} has no parameter {name!r}; {there}")
    return {name: check_value(p, given[name]) if name in given else p.default for name, p in known.items()}
