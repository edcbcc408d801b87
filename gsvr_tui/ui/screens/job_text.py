"""What is said of one job, as Content: for the side panel and the detail screen. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from textual.content import Content

from gsvr_tui.core.messages import JobDetail, JobRow
from gsvr_tui.core.models import JobState, Priority, Step, Verdict
from gsvr_tui.core.text import format_usd
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.safe import fit, join, safe, styled
from gsvr_tui.ui.widgets.bars import word

_LABEL = 10
_STEPS = (Step.PROBE, Step.UPLOAD, Step.PROCESS, Step.GENERATE, Step.CHECK, Step.RENDER)
_VERDICT_TONE = {
    Verdict.OK: "ok",
    Verdict.REPAIRED: "ok",
    Verdict.PARTIAL: "partial",
    Verdict.REJECTED: "fail",
}
_LEVEL_TONE = {"warning": "$status-rest", "error": "$status-fail"}


def empty_queue(*, loaded: bool, accounts: int) -> Content:
    """What to do when there is no job."""
    if not loaded:
        return styled("Opening the queue ...", "$muted")
    lines = [styled("No videos yet", "bold $foreground"), Content("")]
    add = join(("  a  ", "bold $accent"), ("add videos or folders", "$foreground"))
    if accounts:
        lines += [add, join(("  ?  ", "bold $accent"), ("all keys", "$foreground"))]
    else:
        lines += [
            join(("  2  ", "bold $accent"), ("add an account first: reports need a Gemini API key", "$foreground")),
            add,
            Content(""),
            styled("No key at hand? gsvr-tui demo shows everything without one.", "$muted"),
        ]
    return Content("\n").join(lines)


def heading(row: JobRow, now: float, zone: tzinfo | None, marks: Marks) -> list[Content]:
    """Name, folder, state and what to do about it."""
    folder, _, name = row.name.rpartition("/")
    lines = [styled(name, "bold $foreground")]
    if folder:
        lines.append(styled(folder, "$muted"))
    doing = words.job_now(row, now, zone)
    lines.append(join(word(marks.jobs[row.state], bold=True), f"   {doing}" if doing else ""))
    if row.advice and row.state in (JobState.FAILED, JobState.PARTIAL, JobState.WAITING):
        lines.append(styled(row.advice, "$muted"))
    return lines


def pairs(items: Iterable[tuple[str, str]]) -> list[Content]:
    """Label and value, one a line; empty values are left out."""
    return [join((fit(label, _LABEL), "$muted"), " ", (value, "$foreground")) for label, value in items if value]


def money(row: JobRow, detail: JobDetail | None) -> list[Content]:
    """Who does it and what it costs."""
    where = ", ".join(part for part in (row.account, row.project) if part)
    tokens = f"{detail.tokens_in:,} in, {detail.tokens_out:,} out" if detail and detail.tokens_in else ""
    return pairs(
        (
            ("cost", format_usd(row.cost_usd) if row.cost_usd else ""),
            ("tokens", tokens),
            ("account", where),
            ("model", row.model),
            ("failures", str(row.attempts) if row.attempts else ""),
            ("priority", "" if row.priority is Priority.NORMAL else row.priority.name.lower()),
        )
    )


def facts(row: JobRow, detail: JobDetail | None) -> list[Content]:
    """What is known of the video."""
    if detail is not None and detail.facts:
        return pairs(detail.facts)
    return pairs((("length", words.video_length(row.duration_s)),))


def findings(detail: JobDetail, marks: Marks) -> list[Content]:
    """Each check of the gate."""
    lines = []
    for check, result, text in detail.findings:
        look = marks.checks.get(result, marks.checks["warn"])
        lines.append(join((f"{look.sign} ", f"$status-{look.tone}"), (check, "$foreground"), "  ", (text, "$muted")))
    return lines


def verdict(row: JobRow) -> Content | None:
    """The gate's word."""
    if row.verdict is None:
        return None
    return join(("report ", "$muted"), (row.verdict.value, f"bold $status-{_VERDICT_TONE[row.verdict]}"))


def timeline(detail: JobDetail, zone: tzinfo | None, last: int = 0) -> list[Content]:
    """History, oldest first; with `last`, only so many of the newest."""
    entries = detail.timeline[-last:] if last else detail.timeline
    return [
        join((words.exact_time(entry.at, zone), "$muted"), "  ", (entry.text, _LEVEL_TONE.get(entry.level, "")))
        for entry in entries
    ]


def steps(row: JobRow, width: int, marks: Marks) -> list[Content]:
    """Every step with how far it is."""
    lines = []
    at = len(_STEPS) if row.step is Step.END else _STEPS.index(row.step)
    finished = row.state in (JobState.DONE, JobState.PARTIAL)
    for index, step in enumerate(_STEPS):
        name = fit(words.STEP_WORDS[step], _LABEL)
        if index < at or finished:
            lines.append(join((f"{marks.jobs[JobState.DONE].sign} ", "$status-ok"), (name, "$muted")))
        elif index == at:
            look = marks.jobs[row.state]
            lines.append(join((f"{look.sign} ", f"$status-{look.tone}"), (name, "bold"), _how_far(row, width, marks)))
        else:
            lines.append(styled(f"{marks.jobs[JobState.QUEUED].sign} {name}", "$muted"))
    return lines


def _how_far(row: JobRow, width: int, marks: Marks) -> Content:
    if row.state is not JobState.RUNNING or not 0 <= row.progress <= 1:
        return Content("")
    cells = max(8, min(30, width - _LABEL - 10))
    done = int(cells * row.progress)
    return join(
        " ",
        (marks.bar_full * done, "$status-run"),
        (marks.bar_empty * (cells - done), "$rule"),
        (f" {int(row.progress * 100)} %", "$muted"),
    )


def section(title: str, lines: list[Content]) -> list[Content]:
    """Lines under a title, nothing when there are none."""
    return [Content(""), styled(title, "bold $foreground"), *lines] if lines else []


def files(detail: JobDetail) -> list[Content]:
    """What was written."""
    return [safe(path) for path in detail.outputs]


def summary(row: JobRow, detail: JobDetail | None, now: float, zone: tzinfo | None, marks: Marks) -> Content:
    """The side panel."""
    lines = heading(row, now, zone, marks)
    lines += [Content(""), *facts(row, detail), *money(row, detail)] if detail or row.duration_s else money(row, detail)
    if detail is not None:
        word_of_gate = verdict(row)
        checks = findings(detail, marks)
        lines += section("Checks", [*([word_of_gate] if word_of_gate else []), *checks])
        lines += section("History", timeline(detail, zone, last=8))
        lines += section("Files", files(detail))
    return Content("\n").join(lines)


def overview(
    row: JobRow, detail: JobDetail | None, now: float, zone: tzinfo | None, marks: Marks, width: int
) -> Content:
    """The detail screen's first part."""
    lines = heading(row, now, zone, marks)
    lines += section("Steps", steps(row, width, marks))
    lines += section("Video", facts(row, detail))
    lines += section("Cost", money(row, detail))
    if detail is not None:
        word_of_gate = verdict(row)
        lines += section("Checks", [*([word_of_gate] if word_of_gate else []), *findings(detail, marks)])
        lines += section("History", timeline(detail, zone))
        lines += section("Files", [*pairs((("video", detail.path),)), *files(detail)])
    else:
        lines += [Content(""), styled("Asking the service for the rest ...", "$muted")]
    return Content("\n").join(lines)
