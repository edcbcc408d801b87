"""The report of a video as one versioned document: the truth that every format is rendered from.

Its JSON form is described by `data/report.schema.json` (JSON Schema 2020-12). Changes within a schema version only add
keys; readers ignore keys they do not know. Times are seconds of the whole video; texts are clean and may hold Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

SCHEMA_VERSION = "1.0"


class DocumentProblem(ValueError):
    """Not a report document of a version that is known; the message says where it is wrong."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The video a report is about. `path` as the user named it, absolute; `name` below the batch's root."""

    name: str
    path: str
    duration_s: float
    size_bytes: int = 0
    sha256: str = ""
    video_codec: str = ""
    audio_codec: str = ""


@dataclass(frozen=True, slots=True)
class ReportItem:
    """An entry of a section. `id` is `e0001` and on, unique within the report. Terms: `title` is the term."""

    id: str
    title: str = ""
    text: str = ""
    start_s: float | None = None
    end_s: float | None = None
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A section: prose in `text`, or entries in `items`. kind: text, items, transcript or terms."""

    id: str
    title: str
    kind: str
    text: str = ""
    items: tuple[ReportItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the report came from. `project` is an account's, never a key. Tokens and cost over all requests."""

    model: str
    model_version: str = ""
    prompt_hash: str = ""
    requests: int = 1
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    project: str = ""
    created_at: str = ""  # ISO 8601, UTC, of the last answer


@dataclass(frozen=True, slots=True)
class ReportFinding:
    """What the gate found. level: pass, warn or fail."""

    check: str
    level: str
    message: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class MissingRange:
    """A range of the video the report does not cover."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class GateRecord:
    """The gate's word. verdict: ok, repaired, partial or rejected; covered: share of the video, 0 to 1."""

    verdict: str
    covered: float = 1.0
    findings: tuple[ReportFinding, ...] = ()
    missing: tuple[MissingRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One report of one video."""

    gsvr_id: str  # the job's id
    title: str
    language: str
    template: str
    template_version: str
    source: SourceFile
    sections: tuple[ReportSection, ...]
    provenance: Provenance
    gate: GateRecord
    schema_version: str = SCHEMA_VERSION

    def to_dict(self) -> dict[str, Any]:
        """The document as plain data."""
        return {
            "schema_version": self.schema_version,
            "gsvr_id": self.gsvr_id,
            "title": self.title,
            "language": self.language,
            "template": {"id": self.template, "version": self.template_version},
            "source": _plain(self.source),
            "sections": [_section_dict(section) for section in self.sections],
            "provenance": _plain(self.provenance),
            "gate": {
                "verdict": self.gate.verdict,
                "covered": self.gate.covered,
                "findings": [_plain(finding) for finding in self.gate.findings],
                "missing": [_plain(gap) for gap in self.gate.missing],
            },
        }

    def to_json(self) -> str:
        """The document as JSON text, the same for the same report. Bytes of names that are not UTF-8 are escaped."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False)
        if text.isascii():
            return text + "\n"
        # File names may hold lone surrogates; `\\udcNN` is JSON, a lone surrogate in UTF-8 is not.
        return "".join(f"\\u{ord(c):04x}" if 0xD800 <= ord(c) <= 0xDFFF else c for c in text) + "\n"


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _section_dict(section: ReportSection) -> dict[str, Any]:
    head = {"id": section.id, "title": section.title, "kind": section.kind}
    if section.kind == "text":
        return {**head, "text": section.text}
    return {**head, "items": [{k: v for k, v in _plain(i).items() if v not in ("", None)} for i in section.items]}


def iso_time(unix_s: float) -> str:
    """Unix seconds as `2026-11-24T21:55:00Z`."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---------------------------------------------------------------- reading


def report_from_json(text: str) -> Report:
    """The report of a JSON text. Raises DocumentProblem."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DocumentProblem(f"not JSON: {error}") from None
    return report_from_dict(data)


def report_from_dict(data: Any) -> Report:
    """The report of plain data. Unknown keys are ignored. Raises DocumentProblem."""
    top = _Part(data, "")
    version = top.text("schema_version")
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise DocumentProblem(f"schema version {version} is not known; this program reads {SCHEMA_VERSION}")
    template = top.part("template")
    return Report(
        gsvr_id=top.text("gsvr_id"),
        title=top.text("title"),
        language=top.text("language"),
        template=template.text("id"),
        template_version=template.text("version"),
        source=top.part("source").fill(SourceFile),
        sections=tuple(_read_section(part) for part in top.parts("sections")),
        provenance=top.part("provenance").fill(Provenance),
        gate=_read_gate(top.part("gate")),
        schema_version=version,
    )


def _read_section(part: _Part) -> ReportSection:
    kind = part.text("kind")
    if kind == "text":
        return ReportSection(part.text("id"), part.text("title"), kind, text=part.text("text"))
    items = tuple(item.fill(ReportItem) for item in part.parts("items"))
    return ReportSection(part.text("id"), part.text("title"), kind, items=items)


def _read_gate(part: _Part) -> GateRecord:
    return GateRecord(
        verdict=part.text("verdict"),
        covered=part.number("covered"),
        findings=tuple(finding.fill(ReportFinding) for finding in part.parts("findings")),
        missing=tuple(gap.fill(MissingRange) for gap in part.parts("missing")),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A mapping within the document, and where it is."""

    data: Any
    place: str
    keys: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.data, dict):
            raise DocumentProblem(f"{self.place or 'the document'}: an object is needed")
        object.__setattr__(self, "keys", self.data)

    def _get(self, key: str, types: tuple[type, ...], words: str) -> Any:
        value = self.keys.get(key)
        if not isinstance(value, types) or isinstance(value, bool):
            raise DocumentProblem(f"{self.place}{'.' if self.place else ''}{key}: {words} is needed")
        return value

    def text(self, key: str) -> str:
        return str(self._get(key, (str,), "a text"))

    def number(self, key: str) -> float:
        return float(self._get(key, (int, float), "a number"))

    def part(self, key: str) -> _Part:
        return _Part(self.keys.get(key), f"{self.place}{'.' if self.place else ''}{key}")

    def parts(self, key: str) -> list[_Part]:
        values = self._get(key, (list,), "a list")
        return [_Part(value, f"{self.place}{'.' if self.place else ''}{key}[{i}]") for i, value in enumerate(values)]

    def fill(self, kind: type[Any]) -> Any:
        """A dataclass of texts and numbers; what is missing takes its default."""
        values: dict[str, Any] = {}
        for name, spec in kind.__dataclass_fields__.items():
            if name not in self.keys:
                continue
            if spec.type == "str":
                values[name] = self.text(name)
            elif spec.type == "int":
                values[name] = int(self._get(name, (int,), "a whole number"))
            elif not (self.keys[name] is None and "None" in spec.type):
                values[name] = self.number(name)
        try:
            return kind(**values)
        except TypeError as error:
            raise DocumentProblem(f"{self.place}: {str(error).split(') ')[-1]}") from None
