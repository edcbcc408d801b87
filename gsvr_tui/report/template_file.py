"""Reads a template file's content into a Template, and says of a wrong one where and how it is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gsvr_tui.report.template_model import (
    Parameter,
    ParameterProblem,
    ParameterType,
    Section,
    SectionKind,
    Template,
    Times,
    check_value,
    is_language,
)


class TemplateFileProblem(ValueError):
    """A template file is wrong; the message says where and how."""


_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
RESERVED_SECTIONS = frozenset({"title"})
RESERVED_PARAMETERS = frozenset(
    {"language", "language_name", "duration", "minutes", "title", "has_audio", "part", "parts", "start", "end"}
)
MAX_PROMPT_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes typed values out of a mapping and knows the place for its messages."""

    data: Mapping[str, Any]
    place: str
    used: set[str] = field(default_factory=set)

    def fail(self, key: str, what: str) -> TemplateFileProblem:
        where = f"{self.place}.{key}" if self.place and key else self.place or key
        return TemplateFileProblem(f"{where}: {what}" if where else what)

    def text(self, key: str, default: str | None = None, limit: int = 2_000) -> str:
        self.used.add(key)
        value = self.data.get(key, default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and key == "version":
            value = str(value)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.fail(key, "a text is needed here" if value is not None else "this is missing")
        if len(value) > limit:
            raise self.fail(key, f"longer than {limit} characters")
        return value.strip()

    def word(self, key: str, allowed: type[StrEnum], default: StrEnum | None = None) -> Any:
        text = self.text(key, None if default is None else str(default))
        try:
            return allowed(text)
        except ValueError:
            raise self.fail(key, f"{text!r} is not one of {', '.join(allowed)}") from None

    def flag(self, key: str, default: bool) -> bool:
        self.used.add(key)
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false is needed here")
        return value

    def identifier(self, key: str) -> str:
        text = self.text(key)
        if not _ID.fullmatch(text):
            raise self.fail(key, f"{text!r}: lower-case letters, digits and _ only, a letter first, at most 40")
        return text

    def mappings(self, key: str) -> list[Mapping[str, Any]]:
        self.used.add(key)
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.fail(key, "a list of entries with keys is needed here")
        return value

    def end(self) -> None:
        unknown = [str(key) for key in self.data if key not in self.used]
        if unknown:
            raise self.fail("", f"unknown key {unknown[0]!r}")


def template_from(data: Any, source: str) -> Template:
    """A Template of a file's content. Raises TemplateFileProblem."""
    if not isinstance(data, dict):
        raise TemplateFileProblem("a template is a list of keys and values")
    reader = _Reader(data, "")
    language = reader.text("language", "en")
    if not is_language(language):
        raise reader.fail("language", f"{language!r} is not a language code such as en or zh-Hans")
    sections = tuple(_section(entry, f"sections[{i + 1}]") for i, entry in enumerate(reader.mappings("sections")))
    if not sections:
        raise reader.fail("sections", "at least one section is needed")
    parameters = tuple(
        _parameter(entry, f"parameters[{i + 1}]") for i, entry in enumerate(reader.mappings("parameters"))
    )
    _no_twins("sections", [section.id for section in sections])
    _no_twins("parameters", [parameter.name for parameter in parameters])
    template = Template(
        id=reader.identifier("id"),
        version=reader.text("version", limit=40),
        title=reader.text("title", limit=120),
        kind=reader.text("kind", "report", limit=40),
        description=reader.text("description", ""),
        language=language,
        sections=sections,
        instructions=reader.text("instructions", limit=MAX_PROMPT_CHARS),
        parameters=parameters,
        source=source,
    )
    reader.end()
    return template


def _no_twins(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise TemplateFileProblem(f"{what}: {name!r} is there twice")


def _section(data: Mapping[str, Any], place: str) -> Section:
    reader = _Reader(data, place)
    section_id = reader.identifier("id")
    if section_id in RESERVED_SECTIONS:
        raise reader.fail("id", f"{section_id!r} is kept for the report itself")
    kind: SectionKind = reader.word("kind", SectionKind)
    usual = {SectionKind.TRANSCRIPT: Times.SPAN, SectionKind.ITEMS: Times.SPAN, SectionKind.TERMS: Times.POINT}
    times: Times = reader.word("times", Times, usual.get(kind, Times.NONE))
    if kind is SectionKind.TEXT and times is not Times.NONE:
        raise reader.fail("times", "a text has no times")
    if kind is SectionKind.TRANSCRIPT and times is not Times.SPAN:
        raise reader.fail("times", "a transcript needs start and end (span)")
    covers = reader.flag("covers", kind is SectionKind.TRANSCRIPT)
    if covers and times is Times.NONE:
        raise reader.fail("covers", "only items with times can cover the video")
    section = Section(
        id=section_id,
        kind=kind,
        titles=_titles(reader),
        prompt=reader.text("prompt", limit=MAX_PROMPT_CHARS),
        required=reader.flag("required", True),
        times=times,
        covers=covers,
        length=_length(reader),
        any_language=reader.flag("any_language", False),
    )
    reader.end()
    return section


def _titles(reader: _Reader) -> Mapping[str, str]:
    value = reader.data.get("title")
    if isinstance(value, str):
        return {"en": reader.text("title", limit=120)}
    reader.used.add("title")
    good = (
        isinstance(value, dict)
        and value
        and all(isinstance(k, str) and is_language(k) and isinstance(v, str) and v.strip() for k, v in value.items())
    )
    if not good or not isinstance(value, dict):
        raise reader.fail("title", "a text, or one text per language (en: …, zh-Hans: …), is needed here")
    return {key: text.strip() for key, text in value.items()}


def _length(reader: _Reader) -> tuple[int, int] | None:
    reader.used.add("length")
    value = reader.data.get("length")
    if value is None:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 2
        or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in value)
        or value[0] > value[1]
    ):
        raise reader.fail("length", "two whole numbers are needed: least and most words per ten minutes")
    return value[0], value[1]


def _parameter(data: Mapping[str, Any], place: str) -> Parameter:
    reader = _Reader(data, place)
    name = reader.identifier("name")
    if name in RESERVED_PARAMETERS:
        raise reader.fail("name", f"{name!r} is set by the program")
    kind: ParameterType = reader.word("type", ParameterType, ParameterType.STRING)
    reader.used.update({"default", "choices", "min", "max"})
    choices = data.get("choices", [])
    if not isinstance(choices, list) or not all(isinstance(choice, str) and choice for choice in choices):
        raise reader.fail("choices", "a list of texts is needed here (put yes, no, on and off in quotes)")
    if (kind is ParameterType.CHOICE) != bool(choices):
        raise reader.fail("choices", "a choice needs its choices, and only a choice has them")
    bounds = []
    for key in ("min", "max"):
        bound = data.get(key)
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, (int, float))):
            raise reader.fail(key, "a number is needed here")
        bounds.append(bound)
    parameter = Parameter(name, kind, "", tuple(choices), bounds[0], bounds[1], reader.text("help", ""))
    if "default" not in data:
        raise reader.fail("default", "this is missing")
    try:
        default = check_value(parameter, data["default"])
    except ParameterProblem as problem:
        raise reader.fail("default", str(problem)) from None
    reader.end()
    return Parameter(name, kind, default, parameter.choices, parameter.min, parameter.max, parameter.help)
