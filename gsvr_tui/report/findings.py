"""What the checks work on and hand on: the facts, the answer as mended so far, the findings, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gsvr_tui.core.models import Verdict
from gsvr_tui.core.text import format_time
from gsvr_tui.report.parse import ParsedAnswer
from gsvr_tui.report.template_model import Section, SectionKind, Template


class Level(StrEnum):
    """How serious a finding is."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check found. `place` is a section's id or a range of times."""

    check: str
    level: Level
    message: str
    place: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """A range of the video in seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """Seconds in it."""
        return max(0.0, self.end_s - self.start_s)

    def __str__(self) -> str:
        return f"{format_time(self.start_s)}–{format_time(self.end_s)}"


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of the request an answer belongs to, besides the answer.

    `start_s`, `end_s`: the part of the video it is about; `end_s` None is the end of the video. `video_tokens` None:
    the service did not say. `lost`: ranges for which there is no usable answer at all.
    """

    duration_s: float
    language: str
    finish_reason: str = "STOP"
    has_audio: bool = True
    block_reason: str = ""
    video_tokens: int | None = None
    tool_use_tokens: int = 0
    planned_video_tokens: int | None = None
    start_s: float = 0.0
    end_s: float | None = None
    lost: tuple[Range, ...] = ()

    @property
    def range(self) -> Range:
        """The part of the video the answer is about."""
        return Range(self.start_s, self.duration_s if self.end_s is None else self.end_s)


@dataclass(frozen=True, slots=True)
class GateResult:
    """The gate's word: the verdict, why, the answer as mended (None when rejected unread), and what is missing."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    cleaned: ParsedAnswer | None
    missing: tuple[Range, ...] = ()
    covered: float = 1.0

    @property
    def problems(self) -> tuple[Finding, ...]:
        """Findings that are no passes."""
        return tuple(finding for finding in self.findings if finding.level is not Level.PASS)


@dataclass(slots=True)
class Work:
    """An answer on its way through the checks."""

    answer: ParsedAnswer
    template: Template
    facts: GateFacts
    findings: list[Finding] = field(default_factory=list)
    missing: list[Range] = field(default_factory=list)
    repaired: bool = False
    partial: bool = False
    rejected: bool = False

    def note(self, check: str, message: str, place: str = "") -> None:
        """Worth knowing; changes nothing."""
        self.findings.append(Finding(check, Level.WARN, message, place))

    def repair(self, check: str, message: str, place: str = "") -> None:
        """Was wrong and has been put right here."""
        self.repaired = True
        self.findings.append(Finding(check, Level.WARN, message, place))

    def fail(self, check: str, message: str, place: str = "", *, reject: bool = False) -> None:
        """Is wrong and stays so: the report is partial, or rejected."""
        self.partial = True
        self.rejected = self.rejected or reject
        self.findings.append(Finding(check, Level.FAIL, message, place))

    def close(self, check: str, message: str = "") -> None:
        """The check is through; if it found nothing, that is said too."""
        if not any(finding.check == check for finding in self.findings):
            self.findings.append(Finding(check, Level.PASS, message))

    def wanted(self, section: Section) -> bool:
        """True when the section must have something in it for this video."""
        silent = section.kind is SectionKind.TRANSCRIPT and not self.facts.has_audio
        return section.required and not silent

    def map_texts(self, change: Callable[[str], str]) -> None:
        """Put every text of the answer through `change`."""
        sections = []
        for section in self.answer.sections:
            items = tuple(replace(i, title=change(i.title), text=change(i.text)) for i in section.items)
            sections.append(replace(section, text=change(section.text), items=items))
        self.answer = replace(self.answer, title=change(self.answer.title), sections=tuple(sections))

    def texts(self) -> list[tuple[str, str]]:
        """(section id, text) of everything written."""
        pieces = [("title", self.answer.title)]
        for section in self.answer.sections:
            pieces.append((section.id, section.text))
            pieces.extend((section.id, text) for item in section.items for text in (item.title, item.text))
        return [(place, text) for place, text in pieces if text]
