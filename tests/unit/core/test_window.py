"""The log of sends against every kind of limiter the service may have."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.window import MINUTE_S, NETWORK_MARGIN_S, SlidingWindow

Send = tuple[float, int]
"""When it arrived, and its tokens."""


def most_in_any_minute(sends: list[Send]) -> tuple[int, int]:
    """The most requests and tokens that any 60 s saw."""
    requests = tokens = 0
    for start, _ in sends:
        inside = [count for at, count in sends if start <= at < start + MINUTE_S]
        requests, tokens = max(requests, len(inside)), max(tokens, sum(inside))
    return requests, tokens


def most_in_fixed_minutes(sends: list[Send], phase: float) -> int:
    counts: dict[int, int] = {}
    for at, _ in sends:
        minute = math.floor((at - phase) / MINUTE_S)
        counts[minute] = counts.get(minute, 0) + 1
    return max(counts.values(), default=0)


def bucket_holds(sends: list[Send], capacity: int) -> bool:
    """A token bucket that holds `capacity` and refills at `capacity` a minute."""
    level, last = float(capacity), 0.0
    for at, _ in sends:
        level = min(capacity, level + (at - last) * capacity / MINUTE_S) - 1
        last = at
        if level < -1e-9:
            return False
    return True


@dataclass
class Flight:
    key: str
    tokens: int
    sent: bool = False


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["wait", "start", "start", "start", "sent", "settle", "refuse", "release", "unknown"]),
        st.floats(0.0, 40.0),
        st.integers(0, 5),
    ),
    max_size=120,
)


@settings(deadline=None, max_examples=150)
@given(acts=ACTS, rpm=st.integers(1, 6), tpm=st.integers(100, 400), phase=st.floats(0.0, 60.0))
def test_no_order_of_events_passes_the_limits_of_any_kind_of_limiter(
    acts: list[tuple[str, float, int]], rpm: int, tpm: int, phase: float
) -> None:
    window = SlidingWindow()
    now = 0.0
    sends: list[Send] = []
    flights: list[Flight] = []
    for number, (act, span, pick) in enumerate(acts):
        if act == "wait":
            now += span
        elif act == "start":
            tokens = 20 + int(span * 2)
            if window.earliest(now, tokens, rpm, tpm) <= now:
                flights.append(Flight(f"r{number}", tokens))
                window.reserve(f"r{number}", tokens)
        elif flights:
            flight = flights[pick % len(flights)]
            if act == "release":
                if not flight.sent:
                    window.release(flight.key)
                    flights.remove(flight)
                continue
            if not flight.sent:
                flight.sent = True
                sends.append((now, flight.tokens))
                window.mark_sent(flight.key, now)
            if act == "settle":
                window.settle(flight.key, flight.tokens - pick, now)
                flights.remove(flight)
            elif act == "refuse":
                window.settle(flight.key, 0, now)
                flights.remove(flight)
            elif act == "unknown":
                window.release(flight.key)
                flights.remove(flight)
    requests, _ = most_in_any_minute(sends)
    assert requests <= rpm
    assert most_in_fixed_minutes(sends, phase) <= rpm
    assert bucket_holds(sends, rpm)


@settings(deadline=None, max_examples=100)
@given(
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=40), tpm=st.integers(100, 300), service=st.floats(0, 90)
)
def test_tokens_of_any_minute_stay_within_their_limit(sizes: list[int], tpm: int, service: float) -> None:
    window = SlidingWindow()
    now = 0.0
    sends: list[Send] = []
    pending: list[tuple[str, int, float]] = []
    for number, tokens in enumerate(sizes):
        while (at := window.earliest(now, tokens, None, tpm)) > now:
            now = at
            for key, counted, ends in [p for p in pending if p[2] <= now]:
                window.settle(key, counted, now)
                pending.remove((key, counted, ends))
        window.reserve(f"r{number}", tokens)
        window.mark_sent(f"r{number}", now)
        sends.append((now, tokens))
        pending.append((f"r{number}", tokens, now + service))
    assert most_in_any_minute(sends)[1] <= tpm


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 200)), max_size=40))
def test_the_sums_are_those_of_what_is_in_the_log_whatever_was_settled_when(
    requests: list[tuple[int, int, float]],
) -> None:
    """Long answers are settled after their send has left the log."""
    window = SlidingWindow()
    ends: list[tuple[float, str, int]] = []
    for number, (estimate, counted, seconds) in enumerate(requests):
        window.reserve(str(number), estimate)
        window.mark_sent(str(number), number * 10.0)
        ends.append((number * 10.0 + seconds, str(number), counted))
    for at, key, counted in sorted(ends):
        window.settle(key, counted, max(at, 10.0 * len(requests)))
    assert window.used(10_000.0) == (0, 0, 0)


def test_full_use_is_r_requests_every_minute() -> None:
    window = SlidingWindow()
    now, sent = 0.0, []
    for number in range(30):
        now = window.earliest(now, 1, 5, None)
        window.reserve(str(number), 1)
        window.mark_sent(str(number), now)
        sent.append(now)
    assert sent[-1] == 5 * (MINUTE_S + NETWORK_MARGIN_S)


def test_a_reservation_counts_until_it_is_known_to_have_left() -> None:
    window = SlidingWindow()
    window.reserve("a", 10)
    assert window.used(500.0) == (0, 1, 10)
    assert window.earliest(500.0, 1, 1, None) > 500.0
    window.mark_sent("a", 510.0)
    assert window.used(511.0) == (1, 0, 10)
    assert window.earliest(511.0, 1, 1, None) == 510.0 + window.span_s


def test_a_request_that_never_left_gives_its_place_back() -> None:
    window = SlidingWindow()
    window.reserve("a", 10)
    window.release("a")
    assert window.earliest(0.0, 1, 1, 10) == 0.0
    assert window.used(0.0) == (0, 0, 0)


def test_a_request_that_left_stays_counted_also_when_it_is_let_go() -> None:
    window = SlidingWindow()
    window.reserve("a", 10)
    window.mark_sent("a", 0.0)
    window.release("a")
    assert window.used(1.0) == (1, 0, 10)
    assert window.used(window.span_s) == (0, 0, 0)


def test_the_real_tokens_take_the_place_of_the_estimate() -> None:
    window = SlidingWindow()
    window.reserve("a", 90)
    window.settle("a", 40, 1.0)
    assert window.earliest(2.0, 60, None, 100) == 2.0
    assert window.earliest(2.0, 61, None, 100) > 2.0


def test_what_can_never_fit_is_never() -> None:
    window = SlidingWindow()
    assert math.isinf(window.earliest(0.0, 101, None, 100))
    assert math.isinf(window.earliest(0.0, 1, 0, None))


def test_sends_of_an_earlier_run_count_on() -> None:
    window = SlidingWindow()
    window.remember(-30.0, 50)
    window.remember(-10.0, 50)
    assert window.earliest(0.0, 1, 2, None) == -30.0 + window.span_s
    assert window.earliest(0.0, 60, None, 110) == -30.0 + window.span_s


def test_unknown_keys_change_nothing() -> None:
    window = SlidingWindow()
    window.mark_sent("x", 1.0)
    window.settle("x", 5, 1.0)
    window.release("x")
    assert window.used(1.0) == (0, 0, 0)
