"""From the raw answers of a job to its report: parse, gate per part, merge, gate of the whole, document.

Pure: the same answers give the same report, so that reports can be made again from stored answers at no cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gsvr_tui.core.models import Usage, Verdict
from gsvr_tui.core.text import clean_text
from gsvr_tui.report import limits
from gsvr_tui.report.document import (
    GateRecord,
    MissingRange,
    Provenance,
    Report,
    ReportFinding,
    ReportItem,
    ReportSection,
    SourceFile,
)
from gsvr_tui.report.findings import Finding, GateFacts, GateResult, Level, Range, Work
from gsvr_tui.report.gate import check, judge, result_of
from gsvr_tui.report.merge import merge, settle_part
from gsvr_tui.report.parse import ParsedAnswer, parse_answer
from gsvr_tui.report.template_model import SectionKind, Template


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """A raw answer and the part of the video it is about; `end_s` None is the end. `text` None: there is no answer."""

    text: str | None
    start_s: float = 0.0
    end_s: float | None = None
    finish_reason: str = "STOP"
    block_reason: str = ""
    usage: Usage | None = None
    planned_video_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the gate says of a job's answers; `parts` are its words on each, in the order given."""

    gate: GateResult
    parts: tuple[GateResult, ...]


def judge_parts(
    parts: Sequence[PartAnswer], template: Template, duration_s: float, language: str = "", *, has_audio: bool = True
) -> Judged:
    """Judge all answers of a job together. A part without a usable answer is a missing range of the whole."""
    language = language or template.language
    if not parts:
        raise ValueError("a job has at least one part")
    results: list[GateResult] = []
    usable: list[tuple[Range, ParsedAnswer]] = []
    for part in parts:
        result = _judge_part(part, template, duration_s, language, has_audio)
        results.append(result)
        if result.verdict is not Verdict.REJECTED and result.cleaned is not None:
            usable.append((_range(part, duration_s), result.cleaned))
    if len(parts) == 1:
        return Judged(results[0], tuple(results))
    whole = GateFacts(duration_s, language, has_audio=has_audio)
    if not usable:
        problems = tuple(finding for result in results for finding in result.problems)
        return Judged(GateResult(Verdict.REJECTED, problems, None, (whole.range,), 0.0), tuple(results))
    lost = tuple(_range(part, duration_s) for part, r in zip(parts, results, strict=True) if _unusable(r))
    work = Work(merge(usable), template, replace(whole, lost=lost))
    for part, result in zip(parts, results, strict=True):
        _carry_over(work, result, _range(part, duration_s))
    judge(work)
    return Judged(result_of(work), tuple(results))


def _unusable(result: GateResult) -> bool:
    return result.verdict is Verdict.REJECTED or result.cleaned is None


def _range(part: PartAnswer, duration_s: float) -> Range:
    return Range(part.start_s, duration_s if part.end_s is None else part.end_s)


def _judge_part(part: PartAnswer, template: Template, duration_s: float, language: str, has_audio: bool) -> GateResult:
    whole = part.start_s <= 0 and (part.end_s is None or part.end_s >= duration_s)
    facts = GateFacts(
        duration_s=duration_s,
        language=language,
        finish_reason=part.finish_reason,
        has_audio=has_audio,
        block_reason=part.block_reason,
        video_tokens=_video_tokens(part),
        tool_use_tokens=0 if part.usage is None else part.usage.tool_use,
        planned_video_tokens=part.planned_video_tokens,
        start_s=part.start_s,
        end_s=None if whole else part.end_s,
    )
    if part.text is None and part.finish_reason == "STOP" and not part.block_reason:
        facts = replace(facts, finish_reason="NO_ANSWER")
    parsed = parse_answer(part.text or "", template)
    if not whole and isinstance(parsed, ParsedAnswer):
        settled = settle_part(parsed, facts.range)
        if settled.reading == "relative":
            parsed = replace(settled.answer, notes=(*parsed.notes, f"times of {facts.range} counted from its start"))
    return check(parsed, template, facts)


def _video_tokens(part: PartAnswer) -> int | None:
    """Tokens of the picture; None when the count is not broken down, but large enough to hold them."""
    usage = part.usage
    if usage is None:
        return None
    planned = part.planned_video_tokens or 0
    untold = usage.video == usage.audio == usage.tool_use == 0
    return None if untold and 0 < planned * limits.SEEN_MIN <= usage.prompt else usage.video


def _carry_over(work: Work, result: GateResult, part: Range) -> None:
    """Take over what was found in a part and can't be seen in the whole any more."""
    for finding in result.problems:
        place = f"{part} {finding.place}".strip()
        if _unusable(result) or finding.check in ("transport", "seen", "parse", "loop", "time syntax", "time range"):
            work.findings.append(Finding(finding.check, finding.level, finding.message, place))
            work.partial = work.partial or finding.level is Level.FAIL
    if result.verdict is Verdict.REPAIRED:
        work.repaired = True
    if not _unusable(result):
        work.missing.extend(gap for gap in result.missing)


# ---------------------------------------------------------------- document


def build_report(
    gsvr_id: str,
    gate: GateResult,
    template: Template,
    source: SourceFile,
    provenance: Provenance,
    language: str = "",
) -> Report:
    """The document of a judged answer. Sections in the template's order; empty ones that are not needed are left out.

    Raises ValueError for a gate result without an answer: a rejected job has no report.
    """
    if gate.cleaned is None:
        raise ValueError("there is no answer to report on")
    language = language or template.language
    sections: list[ReportSection] = []
    number = 0
    for wanted in template.sections:
        parsed = gate.cleaned.section(wanted.id)
        if parsed is None or parsed.empty:
            continue
        items = []
        for item in parsed.items:
            number += 1
            items.append(
                ReportItem(
                    f"e{number:04d}", item.title, item.text, _round(item.start_s), _round(item.end_s), item.speaker
                )
            )
        text = parsed.text if wanted.kind is SectionKind.TEXT else ""
        sections.append(ReportSection(wanted.id, wanted.title(language), wanted.kind.value, text, tuple(items)))
    stem = clean_text(source.name.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    return Report(
        gsvr_id=gsvr_id,
        title=gate.cleaned.title or stem,
        language=language,
        template=template.id,
        template_version=template.version,
        source=source,
        sections=tuple(sections),
        provenance=provenance,
        gate=GateRecord(
            gate.verdict.value,
            gate.covered,
            tuple(ReportFinding(f.check, f.level.value, f.message, f.place) for f in gate.findings),
            tuple(MissingRange(round(gap.start_s, 3), round(gap.end_s, 3)) for gap in gate.missing),
        ),
    )


def _round(seconds: float | None) -> float | None:
    return None if seconds is None else round(float(seconds), 3)
