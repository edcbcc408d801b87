"""The forecast against a run of the same work in the world."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsvr_tui.core.forecast import Forecast, ForecastJob, forecast
from gsvr_tui.core.models import JobState, Limits, Now
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduling import SegmentNeed
from tests.unit.core.world import START, World, account

WINDOW_S = 61.0
Stated = tuple[int | None, int | None, int | None]


def both(limits: list[Stated], count: int, service_s: float, *, segments: int = 1) -> tuple[Forecast, World]:
    """The forecast and the finished run of the same jobs on the same accounts."""
    needs = tuple(SegmentNeed(i, 1000, 0.01) for i in range(segments))
    accounts = [
        account(f"a{i}", limits={"m": Limits(rpm=rpm, tpm=tpm, rpd=rpd, source="user")}, tier="unknown")
        for i, (rpm, tpm, rpd) in enumerate(limits)
    ]
    world = World(accounts, workers=0, service_s=service_s, upload_s=0.1, segments=lambda job: needs)
    jobs = world.add(count, size=1000)
    said = forecast(
        [ForecastJob(job, "b", ("m",), needs, 1000, service_s) for job in jobs],
        accounts,
        Now(1000.0, START),
        bytes_per_s=10_000.0,
    )
    world.run()
    return said, world


LIMITS = st.tuples(
    st.integers(1, 8), st.one_of(st.none(), st.integers(2000, 9000)), st.one_of(st.none(), st.integers(5, 30))
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(limits=st.lists(LIMITS, min_size=1, max_size=3), count=st.integers(1, 40), service=st.floats(1.0, 50.0))
def test_forecast_and_run_agree_to_within_one_window(limits: list[Stated], count: int, service: float) -> None:
    said, world = both(limits, count, service)
    assert world.finals() == {JobState.DONE: count}
    assert said.done == count
    assert said.ends_at is not None
    assert abs(said.ends_at - world.now.wall) <= WINDOW_S
    assert said.requests == len(world.sends)


def test_it_counts_requests_tokens_and_money() -> None:
    said, world = both([(5, None, None), (5, None, None)], 20, 3.0, segments=2)
    assert (said.requests, said.tokens_in) == (40, 40_000)
    assert said.cost_usd == pytest.approx(0.4)
    assert sum(said.by_project.values()) == 40
    assert said.limited_by == "rpm"
    assert said.stopped is None
    assert len(world.sends) == 40


def test_more_accounts_end_sooner() -> None:
    one, _ = both([(5, None, None)], 60, 3.0)
    three, _ = both([(5, None, None)] * 3, 60, 3.0)
    assert one.ends_at is not None
    assert three.ends_at is not None
    assert (three.ends_at - START) * 2.5 < one.ends_at - START


def test_a_daily_limit_is_seen_over_days() -> None:
    said, world = both([(10, None, 20)], 50, 3.0)
    assert said.limited_by == "rpd"
    assert said.ends_at is not None
    assert said.ends_at - START > 86_400
    assert abs(said.ends_at - world.now.wall) <= WINDOW_S


def test_a_cap_that_stops_the_run_is_told() -> None:
    needs = (SegmentNeed(0, 1000, 0.01),)
    jobs = [ForecastJob(job, "b", ("m",), needs, 1000, 3.0) for job in World([]).add(10)]
    said = forecast(jobs, [account("a", tier="unknown")], Now(1000.0, START), caps=Caps(run=0.035))
    assert (said.ends_at, said.done) == (None, 3)
    assert said.stopped is not None
    assert said.stopped.code == "CAP"


def test_no_account_is_told() -> None:
    jobs = [ForecastJob(job, "b", ("m",), (SegmentNeed(0, 1000, 0.01),), 1000, 3.0) for job in World([]).add(2)]
    said = forecast(jobs, [], Now(1000.0, START))
    assert said.ends_at is None
    assert said.stopped is not None
    assert said.stopped.code == "NO_ACCOUNT"


def test_nothing_to_do_ends_at_once() -> None:
    said = forecast([], [account("a")], Now(1000.0, START))
    assert (said.ends_at, said.done, said.requests) == (START, 0, 0)


def test_free_accounts_cost_nothing() -> None:
    jobs = [ForecastJob(job, "b", ("m",), (SegmentNeed(0, 1000, 0.01),), 1000, 3.0) for job in World([]).add(5)]
    said = forecast(jobs, [account("a", tier="free")], Now(1000.0, START))
    assert said.cost_usd == 0.0
    assert said.done == 5


def test_uploads_that_take_longer_than_the_quota_hold_it_up() -> None:
    needs = (SegmentNeed(0, 1000, 0.01),)
    jobs = [ForecastJob(job, "b", ("m",), needs, 100_000, 1.0) for job in World([]).add(8)]
    limits = {"m": Limits(rpm=100, source="user")}
    said = forecast(jobs, [account("a", limits=limits, tier="unknown")], Now(1000.0, START), bytes_per_s=1000.0)
    assert said.ends_at is not None
    assert said.ends_at - START >= 200.0
