"""The breaker: one goes to see, the others wait."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.breaker import FIRST_WAIT_S, GIVE_WAY_S, LONGEST_WAIT_S, Breaker


def test_a_closed_breaker_lets_everybody_through() -> None:
    breaker = Breaker()
    assert breaker.closed
    assert breaker.earliest(5.0) == 5.0
    breaker.start("a")
    assert breaker.earliest(5.0) == 5.0


def test_tripped_nobody_goes_until_the_wait_is_over_and_then_one() -> None:
    breaker = Breaker()
    breaker.trip(100.0, 0.0, "overloaded")
    assert breaker.earliest(101.0) == 100.0 + FIRST_WAIT_S
    after = 100.0 + FIRST_WAIT_S
    assert breaker.earliest(after) == after
    breaker.start("a")
    assert math.isinf(breaker.earliest(after))
    breaker.start("b")
    assert breaker.probe == "a"


def test_the_probes_success_closes_it() -> None:
    breaker = Breaker()
    breaker.trip(0.0, 0.0, "overloaded")
    breaker.start("a")
    breaker.succeed()
    assert breaker.closed
    assert breaker.earliest(1.0) == 1.0
    assert breaker.reason == ""


def test_the_probes_failure_doubles_the_wait_up_to_the_longest() -> None:
    breaker = Breaker()
    now, waits = 0.0, []
    for _ in range(8):
        breaker.trip(now, 0.0, "overloaded")
        waits.append(breaker.open_until - now)
        now = breaker.open_until
        breaker.start("probe")
    assert waits[:3] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S


def test_those_in_flight_when_it_tripped_do_not_count_again() -> None:
    breaker = Breaker()
    for at in (0.0, 0.5, 1.0, 14.0):
        breaker.trip(at, 0.0, "overloaded")
    assert breaker.open_until == FIRST_WAIT_S


def test_a_probe_that_says_nothing_is_followed_by_another() -> None:
    breaker = Breaker()
    breaker.trip(0.0, 0.0, "overloaded")
    breaker.start("a")
    breaker.forget("b")
    assert math.isinf(breaker.earliest(20.0))
    breaker.forget("a")
    assert breaker.earliest(20.0) == 20.0


def test_it_gives_way_to_a_fallback_after_a_while_and_not_before() -> None:
    breaker = Breaker()
    breaker.trip(0.0, 0.0, "overloaded")
    assert not breaker.gave_way(GIVE_WAY_S - 1)
    breaker.trip(GIVE_WAY_S - 1, 0.0, "overloaded")
    assert breaker.gave_way(GIVE_WAY_S)
    assert not breaker.gave_way(breaker.open_until)  # somebody has to go and see
    breaker.start("probe")
    assert breaker.gave_way(breaker.open_until)
    breaker.succeed()
    assert not breaker.gave_way(GIVE_WAY_S)


@given(
    st.lists(
        st.tuples(st.sampled_from(["go", "trip", "ok", "forget"]), st.floats(0.0, 100.0), st.floats(0.0, 0.99)),
        max_size=80,
    )
)
def test_while_it_is_not_closed_one_at_most_is_out_to_see(acts: list[tuple[str, float, float]]) -> None:
    breaker = Breaker()
    now = 0.0
    for number, (act, span, jitter) in enumerate(acts):
        now += span
        if act == "go" and breaker.earliest(now) <= now:
            alone = breaker.closed or breaker.probe is None
            assert alone
            breaker.start(str(number))
        elif act == "trip":
            breaker.trip(now, jitter, "overloaded")
            assert breaker.earliest(now) > now
            assert breaker.open_until - now <= LONGEST_WAIT_S * 1.2
        elif act == "ok":
            breaker.succeed()
        elif act == "forget" and breaker.probe is not None:
            breaker.forget(breaker.probe)
        assert not math.isnan(breaker.earliest(now))
