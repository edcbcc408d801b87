"""Reads a model's answer into typed sections. Never raises on any text: what can't be read is a ParseProblem."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gsvr_tui.core.text import clean_text, parse_time
from gsvr_tui.report import limits
from gsvr_tui.report.salvage import close_cut_json
from gsvr_tui.report.template_model import Section, SectionKind, Template, Times


@dataclass(frozen=True, slots=True)
class ParsedItem:
    """An entry as the model wrote it. `bad_time` is a time that is none; empty: all given times could be read."""

    title: str = ""
    text: str = ""
    start_s: float | None = None
    end_s: float | None = None
    speaker: str = ""
    bad_time: str = ""


@dataclass(frozen=True, slots=True)
class ParsedSection:
    """A section of an answer; `found` is False when the answer did not have it."""

    id: str
    kind: SectionKind
    text: str = ""
    items: tuple[ParsedItem, ...] = ()
    found: bool = True

    @property
    def empty(self) -> bool:
        """True when there is nothing in it."""
        return not self.text and not self.items


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """An answer in the template's sections and order. `notes` say what was odd about its form, `fenced` that it came in
    a code fence, `cut` that it broke off and was closed behind its last complete entry.
    """

    title: str
    sections: tuple[ParsedSection, ...]
    notes: tuple[str, ...] = ()
    fenced: bool = False
    cut: bool = False

    def section(self, section_id: str) -> ParsedSection | None:
        """The section of that id."""
        return next((section for section in self.sections if section.id == section_id), None)

    def with_section(self, changed: ParsedSection) -> ParsedAnswer:
        """The same answer with one section exchanged."""
        return replace(self, sections=tuple(changed if s.id == changed.id else s for s in self.sections))


@dataclass(frozen=True, slots=True)
class ParseProblem:
    """Why an answer can't be read, in words for people and for asking again."""

    message: str


_FENCE = re.compile(r"\A\s*(```+|~~~+)[^\n`]*\n(?P<body>.*?)\n?\s*(?:\1\s*)?\Z", re.DOTALL)


def parse_answer(text: str, template: Template) -> ParsedAnswer | ParseProblem:
    """The answer's sections. Accepts a fence around all, words before and after, and a document that breaks off."""
    if len(text) > limits.MAX_ANSWER_CHARS:
        return ParseProblem(f"the answer has {len(text):,} characters; at most {limits.MAX_ANSWER_CHARS:,} are read")
    body = text.strip().removeprefix("\ufeff").strip()
    if not body:
        return ParseProblem("the answer is empty")
    fenced = False
    match = _FENCE.match(body)
    if match is not None:
        body, fenced = match["body"].strip(), True
    data, notes, cut = _load(body)
    if isinstance(data, ParseProblem):
        return data
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
        notes.append("the document was inside a list")
    if not isinstance(data, dict):
        return ParseProblem("the answer is not a JSON object with the fields asked for")
    if not any(section.id in data for section in template.sections):
        return ParseProblem("the answer has none of the fields asked for")
    notes.extend(f"unknown field {clean_text(str(key))[:40]!r}" for key in list(data)[:50] if not _known(key, template))
    sections = tuple(_read_section(data, section, notes) for section in template.sections)
    title = _text(data.get("title"))[: limits.MAX_TITLE_CHARS].replace("\n", " ")
    return ParsedAnswer(title, sections, tuple(dict.fromkeys(notes)), fenced, cut)


def _known(key: object, template: Template) -> bool:
    return key == "title" or (isinstance(key, str) and template.section(key) is not None)


def _load(body: str) -> tuple[Any, list[str], bool]:
    """(value or ParseProblem, notes, broke off)."""
    decoder = json.JSONDecoder(strict=False, parse_constant=lambda word: None)
    notes: list[str] = []
    start = body.find("{") if body[:1] not in "[{" else 0
    if start < 0:
        return ParseProblem("the answer is not JSON"), notes, False
    if start > 0:
        notes.append("there were words before the document")
    try:
        value, end = decoder.raw_decode(body, start)
        if body[end:].strip():
            notes.append("there were words after the document")
    except (ValueError, RecursionError) as error:
        try:
            closed = close_cut_json(body[start:])
            if closed is not None:
                return decoder.decode(closed), notes, True
        except (ValueError, RecursionError):
            pass
        where = f" at character {error.pos}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        return ParseProblem(f"the answer is not valid JSON{where}"), notes, False
    return value, notes, False


# ---------------------------------------------------------------- values


def _text(value: Any) -> str:
    """Text of whatever stands where a text should."""
    if isinstance(value, str):
        return clean_text(value[: limits.MAX_TEXT_CHARS], newlines=True).strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        return str(value) if _finite(value) else ""
    if isinstance(value, list):
        return "\n\n".join(filter(None, (_text(entry) for entry in value[:200] if isinstance(entry, str))))
    return ""


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _line(value: Any, limit: int = 2_000) -> str:
    return " ".join(_text(value).split())[:limit]


def _read_section(data: Mapping[str, Any], section: Section, notes: list[str]) -> ParsedSection:
    if section.id not in data or data[section.id] is None:
        return ParsedSection(section.id, section.kind, found=False)
    value = data[section.id]
    if section.kind is SectionKind.TEXT:
        if not isinstance(value, str):
            notes.append(f"{section.id} was not a text")
        return ParsedSection(section.id, section.kind, text=_text(value))
    if isinstance(value, (dict, str)):
        notes.append(f"{section.id} was not a list")
        value = [value]
    if not isinstance(value, list):
        notes.append(f"{section.id} was not a list")
        return ParsedSection(section.id, section.kind)
    if len(value) > limits.MAX_ITEMS:
        notes.append(f"{section.id} had {len(value):,} entries; the first {limits.MAX_ITEMS:,} were read")
    items = []
    for entry in value[: limits.MAX_ITEMS]:
        if not isinstance(entry, (dict, str)):
            notes.append(f"{section.id} had an entry that is none")
            continue
        item = _read_item(entry if isinstance(entry, dict) else _bare(entry, section), section)
        if item.title or item.text:
            items.append(item)
    return ParsedSection(section.id, section.kind, items=tuple(items))


def _bare(text: str, section: Section) -> dict[str, str]:
    return {"term" if section.kind is SectionKind.TERMS else "text": text}


def _read_item(entry: Mapping[str, Any], section: Section) -> ParsedItem:
    terms = section.kind is SectionKind.TERMS
    title, text = _line(entry.get("term" if terms else "title")), _text(entry.get("meaning" if terms else "text"))
    if section.kind is SectionKind.TRANSCRIPT and title:
        title, text = "", f"{title} {text}".strip()
    start = end = None
    bad = ""
    if section.times is Times.POINT:
        start, bad = _time(entry.get("time", entry.get("start")))
    elif section.times is Times.SPAN:
        start, bad = _time(entry.get("start", entry.get("time")))
        end, bad_end = _time(entry.get("end"))
        bad = bad or bad_end
    speaker = _line(entry.get("speaker"), 80) if section.kind is SectionKind.TRANSCRIPT else ""
    return ParsedItem(title, text, start, end, speaker, bad)


def _time(value: Any) -> tuple[float | None, str]:
    """(seconds, the text if it is no time). Numbers are no times: 130 may mean 1:30 as well as 130 s."""
    if value is None or value == "":
        return None, ""
    if isinstance(value, str):
        seconds = parse_time(value.strip().strip("[]()"))
        return (seconds, "") if seconds is not None else (None, _line(value, 20) or "?")
    return None, (_text(value) or "?")[:20]
