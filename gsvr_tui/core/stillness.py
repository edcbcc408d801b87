"""Why nothing starts although there is work: three reasons for standing still, in words and with what to do."""

from __future__ import annotations

import math

from gsvr_tui.core.board import Chain
from gsvr_tui.core.ledger import Slot
from gsvr_tui.core.models import Now
from gsvr_tui.core.money import CapHit
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import Stillness


class Look:
    """What one round of decisions saw: when to look again, and what stood in the way."""

    __slots__ = ("blocked", "cap", "now", "rest_words", "wake_at")

    def __init__(self, now: Now) -> None:
        self.now = now
        self.wake_at = math.inf
        self.rest_words = ""
        self.cap: CapHit | None = None
        self.blocked: Stillness | None = None

    def wake(self, at: float) -> None:
        """Ask again at `at` (monotonic)."""
        self.wake_at = min(self.wake_at, at)

    def capped(self, hit: CapHit, lifts_at: float | None) -> None:
        """A cap is reached; `lifts_at` is the wall time at which it has room again by itself."""
        self.cap = hit
        if lifts_at is not None:
            self.rest(self.now.mono + lifts_at - self.now.wall, hit.words())

    def rest(self, at: float, words: str) -> None:
        """Something rests until `at`."""
        if at < self.wake_at:
            self.wake_at, self.rest_words = at, words


def explain(state: SchedulerState, look: Look) -> Stillness | None:
    """Why nothing moves; None when there is nothing to do."""
    if not state.pending:
        return None
    if state.stalled:
        return Stillness("stalled", state.stalled, "make room on the disk; work goes on by itself")
    if state.paused:
        return Stillness("paused", "paused", "p resumes")
    if not math.isinf(look.wake_at):
        until = look.now.wall + look.wake_at - look.now.mono
        return Stillness("resting", look.rest_words or "waiting to try again", until=until)
    if look.cap is not None:
        return Stillness("blocked", look.cap.words(), "raise the cap to go on", code="CAP")
    if look.blocked is not None:
        return look.blocked
    if all(entry.held for entry in state.board.entries.values()):
        return Stillness("paused", "all jobs left are held", "h releases them", code="HELD")
    return None


def rest_words(state: SchedulerState, project: str, model: str, slot: Slot) -> str:
    """What a project × model waits for."""
    if not state.network.closed:
        return state.network.reason
    breaker = state.breaker(model)
    if not breaker.closed:
        return f"{model}: {breaker.reason}"
    return {
        "rpm": f"requests per minute of {project} are used up",
        "tpm": f"tokens per minute of {project} are used up",
        "rpd": f"today's requests of {project} are used up",
    }.get(slot.why, f"{project} rests")


def no_account(state: SchedulerState) -> Stillness:
    """There is no account that could be used."""
    accounts = state.pool.all()
    if not accounts:
        return Stillness("blocked", "there is no account", "add one: gsvr-tui accounts add", code="NO_ACCOUNT")
    notes = "; ".join(f"{a.name}: {state.pool.status(a.name).note or 'switched off'}" for a in accounts)
    return Stillness(
        "blocked", f"no account can be used ({notes})", "replace the keys: gsvr-tui accounts add", code="KEYS_DEAD"
    )


def no_model(state: SchedulerState, models: Chain) -> Stillness:
    """No project may use any of a job's models."""
    said = [state.dead_models[m] for m in models if m in state.dead_models]
    message = said[0] if said else f"no project has access to {' or '.join(models)}"
    return Stillness("blocked", message, "choose another model: gsvr-tui models", code="NO_MODEL")
