"""Why the next job goes to this account and not to that one, and when that one is next: one sentence per account."""

from __future__ import annotations

import math
from datetime import datetime

from gsvr_tui.core.balancer import Choice
from gsvr_tui.core.board import Entry
from gsvr_tui.core.book import Slot
from gsvr_tui.core.models import AccountHealth, Limits, Now
from gsvr_tui.core.pacific import PACIFIC
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.text import format_duration

USUAL_TOKENS = 50_000
_SOURCES = {
    "user": "as you state it",
    "429": "as the service named it",
    "inferred": "as it was found out",
    "tier": "as others met it on this tier",
}


def why(state: SchedulerState, now: Now, prefer_model: str = "") -> dict[str, str]:
    """Account → one sentence. The comparison is for the next job in the queue, or for a usual one of `prefer_model`."""
    entry = _next(state, now)
    model = entry.models[0] if entry is not None else prefer_model
    need = entry.unsent() if entry is not None else None
    tokens = need.tokens if need is not None else USUAL_TOKENS
    projects = state.pool.projects() if model else ()
    choices = {project: _score(state, project, model, tokens, entry, now) for project in projects}
    possible = [choice for choice in choices.values() if not math.isinf(choice.seconds)]
    best = min(possible, key=lambda choice: choice.seconds, default=None)
    return {
        account.name: _sentence(state, account.name, account.project, model, tokens, choices, best, now)
        for account in state.pool.all()
    }


def _next(state: SchedulerState, now: Now) -> Entry | None:
    """The job whose turn it is next."""
    tops = [
        entry
        for heap in (*state.board.generate.values(), *state.board.upload.values())
        if (entry := state.board.top(heap))
    ]
    return min(tops, key=lambda e: state.fair.rank(e.batch, e.priority, e.job, now.wall), default=None)


def _score(state: SchedulerState, project: str, model: str, tokens: int, entry: Entry | None, now: Now) -> Choice:
    bound = state.board.bound[project, entry.models] if entry is not None else 0
    there = entry is not None and project in entry.file_projects
    size = 0 if entry is None or there else entry.size_bytes
    return state.balancer.score(project, model, tokens, bound, size, now)


def _sentence(
    state: SchedulerState,
    name: str,
    project: str,
    model: str,
    tokens: int,
    choices: dict[str, Choice],
    best: Choice | None,
    now: Now,
) -> str:
    status = state.pool.status(name)
    if status.health is AccountHealth.DISABLED:
        return "not used: you switched it off"
    if not state.pool.usable(name):
        return f"not used: {status.note}"
    if not model:
        return "ready; there is nothing to do"
    slot = state.ledger.earliest(project, model, tokens, now)
    limits = state.ledger.limits(project, model, now)
    breaker = state.breaker(model)
    if not breaker.closed:
        return f"waits with all others: {model}: {breaker.reason}"
    if math.isinf(slot.at):
        return _never(model, tokens, slot, limits)
    if slot.at > now.mono:
        return f"next {_moment(slot.at, now)}: {_held(slot, limits)}"
    mine = choices[project]
    if best is None or mine.project == best.project:
        return f"takes the next job: {_room(state, project, model, limits, now)}"
    sooner = format_duration(max(1.0, mine.seconds - best.seconds))
    waiting = sum(count for (on, _), count in state.board.bound.items() if on == project)
    behind = f", {waiting} lie ready here" if waiting else ""
    return f"has room, but {best.project} answers about {sooner} sooner{behind}"


def _never(model: str, tokens: int, slot: Slot, limits: Limits) -> str:
    if slot.why == "too_big":
        return f"can't take it: one request needs {tokens:,} tokens, {limits.tpm or 0:,} a minute are allowed"
    return f"can't take it: no access to {model}"


def _held(slot: Slot, limits: Limits) -> str:
    source = _SOURCES.get(limits.source, "")
    named = f" ({source})" if source else ""
    return {
        "rpm": f"its {limits.rpm} requests a minute are used up{named}",
        "tpm": f"its {limits.tpm or 0:,} tokens a minute are used up{named}",
        "rpd": f"today's {limits.rpd} requests are used up{named}",
        "tpd": f"today's {limits.tpd or 0:,} tokens are used up{named}",
        "paced": f"the service takes its {limits.rpm} requests a minute only evenly spaced",
        "feeling": "its limit is not known, so requests go one by one until the service names it",
        "trial": "after a long rest one request goes first",
    }.get(slot.why, "it rests")


def _room(state: SchedulerState, project: str, model: str, limits: Limits, now: Now) -> str:
    for view in state.ledger.views(now):
        if (view.project, view.model) == (project, model) and limits.rpm:
            used = view.minute_used + view.minute_reserved
            left = f", {limits.rpd - view.day_used} left today" if limits.rpd else ""
            return f"{used} of {limits.rpm} requests used this minute{left}"
    return "nothing holds it"


def _moment(at: float, now: Now) -> str:
    seconds = at - now.mono
    if seconds < 3600:
        return f"in {format_duration(max(1.0, seconds))}"
    moment = datetime.fromtimestamp(now.wall + seconds, PACIFIC)
    return f"at {moment:%H:%M} Pacific (in {format_duration(seconds)})"
