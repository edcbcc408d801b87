"""One sentence per account: why the next job goes there or not, and when next."""

from __future__ import annotations

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Limits
from gsvr_tui.core.scheduling import AccountRefused, AccountSwitched
from gsvr_tui.core.why import why
from tests.unit.core.world import World, account


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
