"""What makes the quota brain more than a queue: learning, pacing, fairness, ageing, tails, spend limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gsvr_tui.core.failure import Failure, FailureKind, QuotaViolation, Scope
from gsvr_tui.core.fairness import AGEING_S, FairShare
from gsvr_tui.core.ids import IdMaker, created_at
from gsvr_tui.core.ledger import Ledger
from gsvr_tui.core.models import Account, JobState, Limits, Now, Priority
from gsvr_tui.core.scheduling import SegmentNeed, SendRequest
from tests.unit.core.world import START, World, account, quota_failure

NOON = Now(1000.0, START)


def limited(name: str, **limits: int) -> Account:
    return account(name, limits={"m": Limits(**limits, source="user")})  # type: ignore[arg-type]


def later(seconds: float) -> Now:
    return Now(NOON.mono + seconds, NOON.wall + seconds)


# ---------------------------------------------------------------- learning


@pytest.mark.parametrize("real", [2, 5, 15])
def test_an_unknown_limit_costs_one_rejection_and_the_window_is_full_meanwhile(real: int) -> None:
    world = World([account("a"), account("b")], real_rpm={"p-a": real, "p-b": real}, service_s=20.0)
    world.add(real * 6)
    start = world.now.mono
    world.run()
    assert world.finals() == {JobState.DONE: real * 6}
    assert world.rejected <= 2
    assert world.now.mono - start < 60 * 2 + 20 + 10


def test_a_limit_that_is_not_named_is_inferred_and_raised_slowly() -> None:
    ledger = Ledger()
    for index in range(6):
        assert ledger.reserve(f"r{index}", "p", "m", 10, later(index))
        ledger.mark_sent(f"r{index}", later(index))
    ledger.learn("p", "m", [QuotaViolation("rpm", None)], later(6))
    assert ledger.limits("p", "m", later(6)).rpm == 5
    assert ledger.limits("p", "m", later(6)).source == "inferred"
    for index in range(6):
        ledger.settle(f"r{index}", 10, later(7))
    assert ledger.limits("p", "m", later(7)).rpm == 6


def test_a_refusal_within_a_known_limit_paces_and_a_paced_project_refuses_no_more() -> None:
    bucket = 2  # the service refills evenly and holds two at most
    tokens: dict[str, tuple[float, float]] = {}

    def refill(send: SendRequest, count: int, at: float) -> Failure | None:
        left, since = tokens.get(send.project, (float(bucket), at))
        left = min(bucket, left + (at - since) * 6 / 60.0)
        tokens[send.project] = (left, at) if left < 1 else (left - 1, at)
        return quota_failure("rpm", 6, retry=5.0) if left < 1 else None

    world = World([limited("a", rpm=6)], faults=refill)
    world.add(40)
    world.run()
    assert world.finals() == {JobState.DONE: 40}
    assert world.scheduler.state.ledger.limits("p-a", "m", world.now).paced
    assert world.rejected <= 6  # the first burst


def test_once_a_day_one_request_above_a_learned_limit_finds_that_it_has_grown() -> None:
    real = {"p-a": 3}
    world = World([account("a")], real_rpm=real)
    world.add(8)
    world.run()
    assert world.scheduler.state.ledger.limits("p-a", "m", world.now).rpm == 3
    real["p-a"] = 10
    world.now = Now(world.now.mono + 86_400, world.now.wall + 86_400)
    world.start_offset(86_400)
    world.add(40)
    before = world.rejected
    world.run()
    assert world.scheduler.state.ledger.limits("p-a", "m", world.now).rpm == 10
    assert world.rejected - before <= 1


def test_what_the_user_states_is_never_tried_beyond() -> None:
    world = World([limited("a", rpm=3)], real_rpm={"p-a": 50})
    world.add(8)
    world.run()
    world.now = Now(world.now.mono + 86_400, world.now.wall + 86_400)
    world.start_offset(86_400)
    world.add(12)
    world.run()
    assert world.most_in_a_minute("p-a") == 3


def test_tokens_of_the_day_hold_until_midnight() -> None:
    ledger = Ledger()
    ledger.set_limits("p", "m", Limits(rpm=10, tpd=1000, source="user"), NOON)
    assert ledger.reserve("one", "p", "m", 700, NOON)
    slot = ledger.earliest("p", "m", 400, NOON)
    assert slot.why == "tpd"
    assert slot.at - NOON.mono > 600
    ledger.settle("one", 500, NOON)
    assert ledger.earliest("p", "m", 400, NOON).at == NOON.mono


def test_after_a_long_rest_one_request_goes_first() -> None:
    ledger = Ledger()
    ledger.set_limits("p", "m", Limits(rpm=10, source="user"), NOON)
    ledger.rest("p", "m", 600, "spend limit", NOON)
    back = later(601)
    assert ledger.reserve("one", "p", "m", 10, back)
    assert ledger.earliest("p", "m", 10, back).why == "trial"
    ledger.settle("one", 10, later(603))
    assert ledger.earliest("p", "m", 10, later(603)).at == later(603).mono


# ---------------------------------------------------------------- fairness


def test_a_small_batch_is_not_kept_waiting_by_a_large_one() -> None:
    world = World([limited("a", rpm=6)], workers=3)
    world.add(60, batch="large")
    world.run(until=lambda: len(world.sends) == 12)
    small = set(world.add(5, batch="small"))
    world.run()
    order = [s.job for _, _, s in world.sends]
    assert max(order.index(job) for job in small) < 40
    assert world.finals() == {JobState.DONE: 65}


def test_a_low_job_rises_a_class_with_the_hours() -> None:
    maker = IdMaker(World([]).random)
    share = FairShare()
    old, new = maker.next(START - AGEING_S * 1.5), maker.next(START)
    assert created_at(new) == pytest.approx(START, abs=0.001)
    assert share.rank("a", Priority.LOW, old, START) < share.rank("a", Priority.NORMAL, new, START)
    assert share.rank("a", Priority.LOW, new, START) > share.rank("b", Priority.NORMAL, old, START)


# ---------------------------------------------------------------- tail and size


def test_at_the_end_of_the_queue_a_bound_job_moves_where_it_is_done_sooner() -> None:
    world = World([limited("a", rpm=2), limited("b", rpm=2)], workers=8, service_s=2.0)
    world.add(5)
    start = world.now.mono
    world.run()
    assert world.finals() == {JobState.DONE: 5}
    assert world.now.mono - start < 65
    assert world.most_in_a_minute("p-a") <= 2
    assert world.most_in_a_minute("p-b") <= 2


def test_where_tokens_bind_the_large_ones_go_first_and_small_ones_fill_the_gaps() -> None:
    sizes = iter([2000, 2000, 6000, 6000, 2000, 6000, 2000, 2000])
    planned: dict[str, tuple[SegmentNeed, ...]] = {}

    def segments(job: str) -> tuple[SegmentNeed, ...]:
        if job not in planned:
            planned[job] = (SegmentNeed(0, next(sizes), 0.01),)
        return planned[job]

    world = World([limited("a", tpm=10_000)], segments=segments, service_s=1.0)
    world.add(8)
    start = world.now.mono
    world.run()
    minutes: dict[int, int] = {}
    for at, _, send in world.sends:
        minute = int((at - start) // 60)
        minutes[minute] = minutes.get(minute, 0) + planned[send.job][0].tokens
    assert world.finals() == {JobState.DONE: 8}
    assert len(minutes) == 3  # 28,000 tokens in the fewest minutes there can be
    assert max(minutes.values()) <= 10_000


# ---------------------------------------------------------------- money


def test_the_spend_limit_of_a_tier_rests_its_project_and_it_goes_on_by_itself() -> None:
    world = World(
        [account("a", limits={"m": Limits(rpm=100, source="user")}, tier="tier1")],
        segments=lambda job: (SegmentNeed(0, 1000, 4.0),),
        service_s=1.0,
    )
    world.add(5)
    start = world.now.mono
    world.run()
    times = [at - start for at, _, _ in world.sends]
    assert sum(1 for at in times if at < 600) == 2  # 3 × $4 would pass the $10 of ten minutes
    assert world.finals() == {JobState.DONE: 5}
    assert {move.attempts for move in world.moves.values()} == {0}


def test_a_project_that_is_forbidden_a_model_is_left_alone_and_others_do_the_work() -> None:
    refused = Failure(FailureKind.NO_ACCESS, Scope.PROJECT_MODEL, "NO_ACCESS", "no access", http_status=403)
    world = World(
        [limited("a", rpm=5), limited("b", rpm=5)], faults=lambda s, n, at: refused if s.project == "p-a" else None
    )
    world.add(12)
    world.run()
    assert world.finals() == {JobState.DONE: 12}
    assert sum(1 for _, _, s in world.sends if s.project == "p-a") <= 5


# ---------------------------------------------------------------- the user's bounds


def test_an_account_never_has_more_in_flight_than_its_owner_allows() -> None:
    bounded = replace(limited("a", rpm=100), max_in_flight=2)
    most = 0

    def watch() -> bool:
        nonlocal most
        most = max(most, world.scheduler.state.pool.in_flight("a"))
        return False

    world = World([bounded, limited("b", rpm=5)], workers=16)
    world.add(30)
    world.run(until=watch)
    assert world.finals() == {JobState.DONE: 30}
    assert most == 2


@pytest.mark.parametrize(("hours", "expected"), [(None, "m"), (0.0, "lite"), (24.0, "m")])
def test_a_fallback_is_used_after_the_time_the_user_bears_and_not_before(hours: float | None, expected: str) -> None:
    bound = None if hours is None else hours * 3600
    limits = {"m": Limits(rpm=1, source="user"), "lite": Limits(rpm=50, source="user")}
    world = World([account("a", limits=limits)], workers=4, fallback_after_s=bound)
    world.add(3, models=("m", "lite"))
    world.run()
    models = [s.model for _, _, s in world.sends]
    assert models[0] == "m"
    assert models[1] == expected


def test_a_refusal_at_the_edge_of_the_minute_widens_the_margin_and_paces_nobody() -> None:
    slow_line = 0.6  # seconds by which the service's minute is longer than ours

    def strict(send: SendRequest, count: int, at: float) -> Failure | None:
        recent = [t for t in accepted if t > at - 60.0 - slow_line]
        if len(recent) >= 5:
            return quota_failure("rpm", 5, retry=1.0)
        accepted.append(at)
        return None

    accepted: list[float] = []
    world = World([limited("a", rpm=5)], faults=strict)
    world.add(40)
    world.run()
    assert world.finals() == {JobState.DONE: 40}
    assert not world.scheduler.state.ledger.limits("p-a", "m", world.now).paced
    assert world.rejected <= 5  # the burst that was early


def test_a_limit_learned_in_a_run_of_yesterday_is_tried_once_today() -> None:
    yesterday, today = START - 86_400, Now(1000.0, START)
    for learned_at, above in ((yesterday, True), (START, False)):
        ledger = Ledger()
        ledger.restore_learned("p", "m", Limits(rpm=1, tpm=9_999, source="429", learned_at=learned_at), today)
        assert ledger.reserve("one", "p", "m", 1, today)
        ledger.settle("one", 1, later(1))
        assert ledger.reserve("two", "p", "m", 1, later(1)) is above
        assert not ledger.reserve("three", "p", "m", 1, later(1))
