"""One sentence per account: why the next job goes there or not, and when next."""

from __future__ import annotations

import pytest

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.forecast import ForecastJob
from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.scheduling import AccountRefused, AccountSwitched, SegmentNeed
from gsvr_tui.core.whatif import World as Common
from gsvr_tui.core.whatif import what_if
from gsvr_tui.core.why import why
from tests.unit.core.world import START, World, account


def limited(name: str, **limits: int):  # type: ignore[no-untyped-def]
    return account(name, limits={"m": Limits(**limits, source="user")})


def test_the_chosen_account_says_what_room_it_has_and_the_other_how_much_later_it_would_be() -> None:
    world = World([limited("a", rpm=5, rpd=50), limited("b", rpm=5)], workers=3)
    world.add(40)
    world.run(until=lambda: len(world.sends) >= 10)
    said = why(world.scheduler.state, world.now)
    assert set(said) == {"a", "b"}
    assert any(
        "a minute are used up (as you state it)" in text or "takes the next job" in text for text in said.values()
    )


def test_a_used_up_minute_names_the_limit_its_source_and_the_time() -> None:
    world = World([account("a")], real_rpm={"p-a": 3})
    world.add(10)
    world.run(until=lambda: world.rejected == 1)
    said = why(world.scheduler.state, world.now)["a"]
    assert said.startswith("next in ")


def test_a_used_up_day_gives_the_hour_in_los_angeles() -> None:
    world = World([limited("a", rpm=5, rpd=2)])
    world.add(4)
    world.run(until=lambda: len(world.sends) == 2)
    said = why(world.scheduler.state, world.now, "m")["a"]
    assert "today's 2 requests are used up (as you state it)" in said
    assert "Pacific" in said


def test_an_account_that_is_off_or_dead_says_so() -> None:
    world = World([limited("a", rpm=5), limited("b", rpm=5)])
    world.add(1)
    world.feed(AccountSwitched("a", False))
    refused = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "the key is not valid", "replace it")
    world.feed(AccountRefused("b", refused))
    said = why(world.scheduler.state, world.now)
    assert said == {"a": "not used: you switched it off", "b": "not used: the key is not valid"}


def test_a_video_too_large_for_the_minute_is_named_with_its_tokens() -> None:
    world = World([limited("a", rpm=5, tpm=500)])
    state = world.scheduler.state
    assert "500 a minute are allowed" in why(state, world.now, "m")["a"]


def test_with_nothing_to_do_an_account_is_ready() -> None:
    world = World([limited("a", rpm=5)])
    assert why(world.scheduler.state, world.now) == {"a": "ready; there is nothing to do"}


class _Double:
    def needs(self, job: ForecastJob, model: str, *, free: bool) -> tuple[SegmentNeed, ...]:
        return tuple(SegmentNeed(n.index, n.tokens, 0.0 if free else 0.1) for n in job.needs)


def test_what_if_compares_one_more_account_the_fallback_and_the_paid_tier() -> None:
    now = Now(1000.0, START)
    jobs = [
        ForecastJob(f"039aj8v0000{i:02d}", "b", ("m", "lite"), (SegmentNeed(0, 1000, 0.0),), 1000, 20.0)
        for i in range(40)
    ]
    limits = {"m": Limits(rpm=5, source="user"), "lite": Limits(rpm=20, source="user")}
    free = account("a", limits=limits, tier="free")
    world = Common((free,), {}, None, 16, 1e9, 0.25)
    options = {o.name: o for o in what_if(jobs, world, now, pricing=_Double(), paid_limits={"m": Limits(rpm=100)})}
    assert list(options) == ["now", "one more account", "fallback model", "paid tier"]
    ends = {name: option.usual.ends_at or 0.0 for name, option in options.items()}
    assert ends["one more account"] < ends["now"]
    assert ends["fallback model"] < ends["now"]
    assert ends["paid tier"] < ends["now"]
    assert options["now"].usual.cost_usd == 0.0
    assert options["paid tier"].usual.cost_usd == pytest.approx(4.0)
    low, high = options["now"].low.ends_at, options["now"].high.ends_at
    assert low is not None
    assert high is not None
    assert low <= ends["now"] <= high
