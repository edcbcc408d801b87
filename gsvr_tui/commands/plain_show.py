"""A run in a pipe or a log file: one plain line per thing that happened."""

from __future__ import annotations

import re
import time

from gsvr_tui.commands.run_facts import Finished, Summary
from gsvr_tui.commands.say import mute, note, out, plural
from gsvr_tui.core.messages import JobRow, RunState, Status
from gsvr_tui.core.models import JobState
from gsvr_tui.core.text import clean_text, format_duration, format_usd

QUIET_WAIT_S = 15.0
"""Waits shorter than this are not told."""
_WORDS = {
    JobState.DONE: "done",
    JobState.PARTIAL: "partial",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
}


_KEYS = (
    (re.compile(r"\br (asks|tries|writes)\b"), r"gsvr-tui retry \1"),
    (re.compile(r"\bh releases\b"), "gsvr-tui resume --held releases"),
    (re.compile(r"\bp resumes\b"), "gsvr-tui resume goes on"),
)


def without_keys(text: str) -> str:
    """Advice that names a key of the app, with the command that does the same."""
    for pattern, command in _KEYS:
        text = pattern.sub(command, text)
    return text


def finished_words(job: Finished) -> str:
    """One line about a job that ended."""
    row = job.row
    width = len(str(job.total))
    text = f"[{job.number:>{width}}/{job.total}] {_WORDS.get(row.state, str(row.state)):<9} {clean_text(row.name)}"
    if row.state in (JobState.DONE, JobState.PARTIAL):
        where = f" → {clean_text(job.outputs[0])}" if job.outputs else ""
        cost = f"  {format_usd(row.cost_usd)}" if row.cost_usd else ""
        why = f"  ({clean_text(row.note)})" if row.note else ""
        return f"{text}{where}{cost}{why}"
    why = ". ".join(clean_text(part).rstrip(".") for part in (row.note, without_keys(row.advice)) if part)
    return f"{text}: {why}" if why else text


def wait_words(status: Status) -> str:
    """Why nothing moves and until when; "" while things move."""
    if status.state not in (RunState.RESTING, RunState.BLOCKED, RunState.STALLED, RunState.PAUSED):
        return ""
    until = ""
    if status.until is not None:
        if status.until - time.time() < QUIET_WAIT_S:
            return ""
        until = f" until {time.strftime('%a %H:%M:%S', time.localtime(status.until))}"
    advice = f" ({clean_text(without_keys(status.advice))})" if status.advice else ""
    return f"waiting{until}: {clean_text(status.reason)}{advice}"


def closing_words(summary: Summary) -> str:
    """What is said at the end."""
    counts = summary.counts
    parts = [f"{counts.get(JobState.DONE, 0):,} done"]
    parts += [
        f"{counts[state]:,} {_WORDS[state]}"
        for state in (JobState.PARTIAL, JobState.FAILED, JobState.CANCELLED)
        if counts.get(state)
    ]
    if summary.left:
        parts.append(f"{summary.left:,} to go")
    if summary.left_out:
        parts.append(f"{summary.left_out:,} left out")
    cost = format_usd(summary.spent_usd)
    return f"{', '.join(parts)} in {format_duration(summary.seconds)}, {cost} spent."


class PlainShow:
    """See the module."""

    def __init__(self) -> None:
        self._waiting = ""

    def begin(self, total: int) -> None:
        """See Show."""
        out(f"{plural(total, 'video')} to do")

    def changed(self, row: JobRow) -> None:
        """See Show."""

    def finished(self, job: Finished) -> None:
        """See Show."""
        self._waiting = ""
        out(finished_words(job))

    def status(self, status: Status, done: int, total: int) -> None:
        """See Show."""
        words = wait_words(status)
        told = f"{status.state} {status.reason}" if words else ""
        if words and told != self._waiting:  # not again for each new moment it waits for
            out(words)
        self._waiting = told or self._waiting

    def note(self, text: str, level: str = "info") -> None:
        """See Show."""
        note(text if level == "info" else f"{level}: {text}")

    def end(self, summary: Summary) -> None:
        """See Show."""
        out(closing_words(summary))

    def hang_up(self) -> None:
        """See Show."""
        import sys

        mute(sys.stdout)
        mute(sys.stderr)
