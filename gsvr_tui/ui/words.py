"""Figures and moments in words, honestly rounded. Pure: `now` is an argument."""

from __future__ import annotations

from datetime import datetime, tzinfo

from gsvr_tui.core.messages import JobRow, RunState, Status
from gsvr_tui.core.models import JobState, Step, Verdict
from gsvr_tui.core.text import format_bytes, format_duration, format_usd

STEP_WORDS = {
    Step.PROBE: "look into",
    Step.UPLOAD: "upload",
    Step.PROCESS: "prepare",
    Step.GENERATE: "generate",
    Step.CHECK: "check",
    Step.RENDER: "write",
    Step.END: "end",
}
_WEEK = 6 * 86400


def clock_time(at: float, now: float, zone: tzinfo | None = None) -> str:
    """`18:40` today, `Thu 18:40` within a week, else `2026-11-24 18:40`."""
    moment, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    if moment.date() == today.date():
        return f"{moment:%H:%M}"
    return f"{moment:%a %H:%M}" if 0 <= at - now < _WEEK else f"{moment:%Y-%m-%d %H:%M}"


def exact_time(at: float, zone: tzinfo | None = None) -> str:
    """`09:41:02`."""
    return f"{datetime.fromtimestamp(at, zone):%H:%M:%S}"


def full_time(at: float, zone: tzinfo | None = None) -> str:
    """`2026-11-24 09:41:02`."""
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S}"


def rough(seconds: float) -> str:
    """A span as far as it can be trusted: `under a minute`, `12 min`, `7 h`, `3 d`."""
    if seconds < 60:
        return "under a minute"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} d"


def is_wide(low: float | None, usual: float, high: float | None, now: float) -> bool:
    """True when a moment is so uncertain that one clock time would be a lie: over a quarter of the wait either way."""
    if low is None or high is None:
        return False
    return high - low > max(600.0, 0.25 * (usual - now))


def moments(low: float, high: float, now: float, zone: tzinfo | None = None) -> str:
    """`14:00 to 18:40 (5 h to 10 h)`; the span is told once when both are the same."""
    spans = list(dict.fromkeys((rough(low - now), rough(high - now))))
    return f"{clock_time(low, now, zone)} to {clock_time(high, now, zone)} ({' to '.join(spans)})"


def usd(amount: float) -> str:
    """`$8.10`, `$0.0031`."""
    return format_usd(amount)


def size(count: int) -> str:
    """`412 MB`."""
    return format_bytes(count)


def video_length(seconds: float) -> str:
    """`52:10`, `1:34:20`; nothing when not known."""
    if seconds <= 0:
        return ""
    minutes, secs = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes}:{secs:02d}"


def cost(usd: float) -> str:
    """A job's cost in a column of seven: three digits behind the point, nothing when none."""
    if usd <= 0:
        return ""
    return "<0.001" if usd < 0.001 else f"{usd:.3f}" if usd < 100 else f"{usd:.0f}"


def number(value: int) -> str:
    """`1,204`."""
    return f"{value:,}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 job`, `1,204 jobs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def job_now(row: JobRow, now: float, zone: tzinfo | None = None) -> str:
    """What a job does or why it stands, in a few words: `upload 64 %`, `until 16:00, quota`, `no sound track`."""
    if row.state is JobState.RUNNING:
        step = STEP_WORDS[row.step]
        return f"{step} {int(row.progress * 100)} %" if 0 <= row.progress < 1 else step
    if row.state is JobState.WAITING:
        when = f"until {clock_time(row.until, now, zone)}" if row.until is not None else ""
        return ", ".join(part for part in (when, row.note) if part)
    if row.state is JobState.DONE:
        return "repaired" if row.verdict is Verdict.REPAIRED else row.note
    return row.note


def done_count(status: Status) -> int:
    """Jobs that have a report."""
    return status.counts.get(JobState.DONE, 0) + status.counts.get(JobState.PARTIAL, 0)


def total_count(status: Status) -> int:
    """Jobs that count towards the goal: all but the cancelled."""
    return sum(count for state, count in status.counts.items() if state is not JobState.CANCELLED)


def finished_count(status: Status) -> int:
    """Jobs of the goal on which no more work is planned."""
    return done_count(status) + status.counts.get(JobState.FAILED, 0)


def ending(status: Status, now: float, zone: tzinfo | None = None) -> str:
    """`ends about 18:40 (in 7 h)`, `measuring`, or nothing when there is nothing to wait for."""
    if status.state not in (RunState.RUNNING, RunState.RESTING):
        return ""
    if status.ends_at is None:
        return "" if finished_count(status) >= total_count(status) else "measuring"
    low, high = status.ends_low, status.ends_high
    if low is not None and high is not None and is_wide(low, status.ends_at, high, now):
        return f"ends {moments(low, high, now, zone)}"
    return f"ends about {clock_time(status.ends_at, now, zone)} (in {rough(status.ends_at - now)})"


def spend(status: Status) -> str:
    """`$3.12 of $10.00`."""
    return format_usd(status.spent_usd) + (f" of {format_usd(status.cap_usd)}" if status.cap_usd is not None else "")


def status_facts(status: Status, now: float, zone: tzinfo | None = None) -> list[str]:
    """The parts of the status line behind the state's word, most important first."""
    total = total_count(status)
    facts: list[str] = []
    if status.state in (RunState.RESTING, RunState.BLOCKED, RunState.STALLED) and status.reason:
        until = f", goes on at {clock_time(status.until, now, zone)}" if status.until is not None else ""
        facts.append(f"{status.reason}{until}")
    if total:
        facts.append(f"{done_count(status):,} of {total:,} done")
    if status.state is RunState.PAUSING:
        facts.append(f"{status.in_flight} in flight finish first")
    elif status.state is RunState.PAUSED:
        facts.append("p goes on")
    if status.rate_per_hour is not None and status.state is RunState.RUNNING:
        facts.append(f"{status.rate_per_hour:.0f}/h")
    if end := ending(status, now, zone):
        facts.append(end)
    if status.state is RunState.RUNNING:
        facts.append(f"{status.in_flight} in flight")
    if status.limited_by and status.state in (RunState.RUNNING, RunState.RESTING):
        facts.append(f"limited by {status.limited_by}")
    return facts


def advice_line(status: Status) -> str:
    """What the whole service wants of the user, or nothing."""
    return status.advice if status.state in (RunState.BLOCKED, RunState.STALLED) else ""


def span(seconds: float) -> str:
    """A span in words, as the rest of the program writes it."""
    return format_duration(seconds)
