"""Why nothing starts, in words and with what to do."""

from __future__ import annotations

import pytest

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import JobState, Limits
from gsvr_tui.core.money import Caps
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduling import (
    AccountGone,
    AccountPut,
    AccountSwitched,
    JobsHeld,
    PauseSet,
    StallSet,
    Stillness,
)
from tests.unit.core.world import START, World, account, quota_failure

DEAD = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "the key is not valid", "replace it", http_status=400)


def stated(rpm: int | None = 5, rpd: int | None = None, tpm: int | None = 10**6) -> dict[str, Limits]:
    return {"m": Limits(rpm=rpm, rpd=rpd, tpm=tpm, source="user")}


def at_rest(world: World) -> Stillness:
    """The first time that nothing is in flight although there is work."""
    world.run(until=lambda: world.plan is not None and world.plan.stillness is not None)
    assert world.plan is not None
    assert world.plan.stillness is not None
    return world.plan.stillness


def test_requests_of_the_minute_are_named_with_their_project_and_the_end_of_the_rest() -> None:
    world = World([account("a", limits=stated(2))])
    world.add(5)
    still = at_rest(world)
    assert still.kind == "resting"
    assert "requests per minute of p-a" in still.message
    assert still.until is not None
    assert 0 < still.until - START <= 62


def test_the_day_is_named() -> None:
    world = World([account("a", limits=stated(None, rpd=1))])
    world.add(3)
    still = at_rest(world)
    assert "today's requests of p-a" in still.message
    assert still.until is not None
    assert still.until >= next_midnight(START)


def test_an_overloaded_model_is_named() -> None:
    busy = Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "the model is overloaded", http_status=503)
    world = World([account("a", limits=stated())], faults=lambda s, n, at: busy, workers=1)
    world.add(2)
    still = at_rest(world)
    assert (still.kind, still.message) == ("resting", "m: the model is overloaded")


def test_a_line_that_is_down_is_named() -> None:
    down = Failure(FailureKind.STOP_ALL, Scope.MACHINE, "DNS", "the name of the service is not found")
    world = World([account("a", limits=stated())], faults=lambda s, n, at: down, workers=1)
    world.add(2)
    still = at_rest(world)
    assert (still.kind, still.message) == ("resting", "the name of the service is not found")


def test_dead_keys_are_named_one_by_one_with_their_reason() -> None:
    world = World([account("a", limits=stated()), account("b", limits=stated())], faults=lambda s, n, at: DEAD)
    world.feed(AccountSwitched("b", False))
    world.add(2)
    still = at_rest(world)
    assert (still.kind, still.code) == ("blocked", "KEYS_DEAD")
    assert "a: the key is not valid" in still.message
    assert "b: switched off" in still.message
    assert still.advice
    assert still.until is None


def test_no_account_at_all_says_how_to_add_one() -> None:
    world = World([account("a")])
    world.feed(AccountGone("a"))
    world.add(2)
    still = at_rest(world)
    assert (still.code, still.message) == ("NO_ACCOUNT", "there is no account")
    assert "accounts add" in still.advice


def test_a_model_nobody_may_use_is_named() -> None:
    world = World([account("a", limits=stated())], faults=lambda s, n, at: quota_failure("rpm", 0))
    world.add(2)
    still = at_rest(world)
    assert (still.kind, still.code) == ("blocked", "NO_MODEL")
    assert "no project has access to m" in still.message


def test_a_model_that_does_not_exist_is_named_by_the_service() -> None:
    gone = Failure(
        FailureKind.MODEL_UNKNOWN, Scope.MODEL, "MODEL", "m was shut down", "choose another", http_status=404
    )
    world = World([account("a", limits=stated())], faults=lambda s, n, at: gone, workers=1)
    jobs = world.add(2)
    still = at_rest(world)
    assert (still.code, still.message) == ("NO_MODEL", "m was shut down")
    assert world.moves[jobs[0]].state is JobState.FAILED
    world.feed(AccountPut(account("a", limits=stated()), {}))
    world.faults = None
    world.run()
    assert world.moves[jobs[1]].state is JobState.DONE


def test_a_cap_is_named_with_its_figures() -> None:
    world = World([account("a", limits=stated(), tier="unknown")], caps=Caps(run=0.02))
    world.add(4)
    still = at_rest(world)
    assert (still.kind, still.code) == ("blocked", "CAP")
    assert "$0.02" in still.message
    assert still.advice


def test_a_days_cap_goes_on_at_midnight_by_itself() -> None:
    world = World([account("a", limits=stated(), tier="unknown")], caps=Caps(day=0.02))
    world.add(5)
    still = at_rest(world)
    assert still.kind == "resting"
    assert "today" in still.message
    assert still.until == pytest.approx(next_midnight(START), abs=1.0)
    world.run()
    assert world.finals() == {JobState.DONE: 5}


def test_a_months_cap_goes_on_on_the_first() -> None:
    world = World([account("a", limits=stated(), tier="unknown")], caps=Caps(month=0.02))
    world.add(3)
    still = at_rest(world)
    assert still.until is not None
    assert still.until - START > 5 * 86_400
    world.run()
    assert world.finals() == {JobState.DONE: 3}


def test_the_user_s_pause_the_disk_and_held_jobs_are_told_apart() -> None:
    world = World([account("a", limits=stated())])
    jobs = world.add(2)
    world.feed(PauseSet(True))
    assert at_rest(world).kind == "paused"
    world.feed(StallSet("no space left on the disk"))
    still = at_rest_again(world)
    assert (still.kind, still.message) == ("stalled", "no space left on the disk")
    world.feed(StallSet(""))
    world.feed(PauseSet(False))
    world.feed(JobsHeld(tuple(jobs)))
    still = at_rest_again(world)
    assert (still.kind, still.code) == ("paused", "HELD")


def at_rest_again(world: World) -> Stillness:
    world.plan = None
    return at_rest(world)


def test_nothing_to_do_is_no_stillness() -> None:
    world = World([account("a")])
    world.add(1)
    world.run()
    assert world.plan is not None
    assert world.plan.stillness is None
