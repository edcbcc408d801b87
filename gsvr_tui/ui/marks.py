"""The signs drawn on screen: neutral-width Unicode, or ASCII only.

None of the Unicode signs is East-Asian-ambiguous except the bar's, so columns stay aligned in terminals that draw
ambiguous characters two cells wide; users of those set `ascii`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gsvr_tui.core.messages import RunState
from gsvr_tui.core.models import AccountHealth, JobState


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: sign, word, and the name of its colour. Never by colour alone."""

    sign: str
    word: str
    tone: str  # run, ok, wait, rest, partial, fail, muted


@dataclass(frozen=True, slots=True)
class Marks:
    """One set of signs."""

    ascii: bool
    cursor: str
    marked: str
    bar_full: str
    bar_half: str
    bar_empty: str
    cut: str
    spark: str  # lowest first
    jobs: Mapping[JobState, Look]
    health: Mapping[AccountHealth, Look]
    runs: Mapping[RunState, Look]
    checks: Mapping[str, Look]


def _make(ascii_only: bool) -> Marks:
    run, ok, fail, note = (">", "v", "x", "!") if ascii_only else ("▸", "✓", "✗", "⚠")
    jobs = {
        JobState.QUEUED: Look(".", "queued", "wait"),
        JobState.RUNNING: Look(run, "running", "run"),
        JobState.WAITING: Look("~", "waiting", "rest"),
        JobState.HELD: Look("=", "held", "wait"),
        JobState.DONE: Look(ok, "done", "ok"),
        JobState.PARTIAL: Look("/", "partial", "partial"),
        JobState.FAILED: Look(fail, "failed", "fail"),
        JobState.CANCELLED: Look("-", "cancelled", "wait"),
    }
    health = {
        AccountHealth.UNCHECKED: Look(".", "not checked", "wait"),
        AccountHealth.OK: Look(ok, "ready", "ok"),
        AccountHealth.RESTING: Look("~", "resting", "rest"),
        AccountHealth.NO_ACCESS: Look(fail, "no access", "fail"),
        AccountHealth.DEAD_KEY: Look(fail, "key rejected", "fail"),
        AccountHealth.DEAD_PROJECT: Look(fail, "project closed", "fail"),
        AccountHealth.DISABLED: Look("-", "off", "wait"),
    }
    runs = {
        RunState.STARTING: Look(".", "STARTING", "wait"),
        RunState.RUNNING: Look(run, "RUNNING", "run"),
        RunState.IDLE: Look(".", "IDLE", "wait"),
        RunState.RESTING: Look("~", "RESTING", "rest"),
        RunState.PAUSING: Look("=", "PAUSING", "rest"),
        RunState.PAUSED: Look("=", "PAUSED", "rest"),
        RunState.BLOCKED: Look(fail, "BLOCKED", "fail"),
        RunState.STALLED: Look(note, "STALLED", "fail"),
        RunState.STOPPING: Look("=", "STOPPING", "rest"),
        RunState.STOPPED: Look("-", "STOPPED", "wait"),
    }
    checks = {
        "pass": Look(ok, "pass", "ok"),
        "warn": Look("/", "warn", "partial"),
        "fail": Look(fail, "fail", "fail"),
    }
    return Marks(
        ascii=ascii_only,
        cursor=">" if ascii_only else "›",
        marked="*",
        bar_full="#" if ascii_only else "━",
        bar_half="#" if ascii_only else "╸",
        bar_empty="-" if ascii_only else "─",
        cut="..." if ascii_only else "…",
        spark=" .:-=+*#" if ascii_only else "▁▂▃▄▅▆▇█",
        jobs=jobs,
        health=health,
        runs=runs,
        checks=checks,
    )


UNICODE = _make(False)
ASCII = _make(True)
