"""The scheduler against a small world on virtual time."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import JobState, Limits, Priority, Reason, Step, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduling import (
    AccountPut,
    AccountSwitched,
    JobsCancelled,
    JobsHeld,
    JobsReleased,
    PauseSet,
    PrioritySet,
    SegmentNeed,
    SendRequest,
    StallSet,
    WorkersSet,
)
from tests.unit.core.world import World, account, quota_failure


def limited(name: str, rpm: int | None = 5, rpd: int | None = None, tpm: int | None = None, **more: str) -> object:
    return account(name, limits={"m": Limits(rpm=rpm, rpd=rpd, tpm=tpm, source="user")}, **more)


def test_every_job_is_done_once() -> None:
    world = World([limited("a"), limited("b")])
    jobs = world.add(40)
    world.run()
    assert world.finals() == {JobState.DONE: 40}
    assert sorted(s.job for _, _, s in world.sends) == sorted(jobs)


@pytest.mark.parametrize(("accounts", "jobs"), [(1, 40), (4, 80), (10, 300)])
def test_known_quota_is_used_to_the_full_and_not_beyond(accounts: int, jobs: int) -> None:
    world = World([limited(f"a{i}") for i in range(accounts)])
    world.add(jobs)
    start = world.now.mono
    world.run()
    bound = 60.0 * (math.ceil(jobs / accounts / 5) - 1) + world.service_s
    assert world.finals() == {JobState.DONE: jobs}
    assert bound / (world.now.mono - start) > 0.98
    assert all(world.most_in_a_minute(f"p-a{i}") <= 5 for i in range(accounts))


def test_two_keys_of_one_project_share_its_quota() -> None:
    world = World([limited("a", project="shared"), limited("b", project="shared")])
    world.add(12)
    world.run()
    assert world.most_in_a_minute("shared") == 5
    assert {s.project for _, _, s in world.sends} == {"shared"}


def test_tokens_a_minute_hold_back_large_requests_and_let_small_ones_pass() -> None:
    sizes = iter([9000, 9000, 900, 9000])
    planned: dict[str, tuple[SegmentNeed, ...]] = {}

    def segments(job: str) -> tuple[SegmentNeed, ...]:
        if job not in planned:
            planned[job] = (SegmentNeed(0, next(sizes), 0.01),)
        return planned[job]

    world = World([limited("a", rpm=None, tpm=10_000)], segments=segments)
    jobs = world.add(4)
    world.run()
    order = [s.job for _, _, s in world.sends]
    assert order == [jobs[0], jobs[2], jobs[1], jobs[3]]
    assert world.finals() == {JobState.DONE: 4}


def test_a_day_used_up_waits_for_midnight_in_los_angeles() -> None:
    world = World([limited("a", rpd=3)])
    world.add(5)
    world.run(until=lambda: world.plan is not None and world.plan.stillness is not None)
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert world.plan.stillness.kind == "resting"
    assert len(world.sends) == 3
    world.run()
    assert world.finals() == {JobState.DONE: 5}
    assert world.sends[3][1] - world.sends[0][1] > 3600


def test_unknown_limits_are_learned_from_one_rejection_and_kept() -> None:
    world = World([limited("a", rpm=None)], real_rpm={"p-a": 5}, workers=1)
    world.add(30)
    world.run()
    assert world.finals() == {JobState.DONE: 30}
    assert world.rejected == 1
    assert world.scheduler.state.ledger.limits("p-a", "m", world.now).rpm == 5


def test_no_quota_rest_uses_up_an_attempt() -> None:
    world = World([limited("a", rpm=None)], real_rpm={"p-a": 2})
    world.add(12)
    world.run()
    assert {move.attempts for move in world.moves.values()} == {0}
    assert world.finals() == {JobState.DONE: 12}


def test_a_dead_key_moves_its_jobs_to_the_other_project_with_no_attempt_used() -> None:
    dead = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "key not valid", "replace it", http_status=400)
    world = World([limited("a"), limited("b")], faults=lambda s, n, at: dead if s.account == "a" else None)
    world.add(10)
    world.run()
    assert world.finals() == {JobState.DONE: 10}
    assert world.scheduler.state.pool.status("a").health == "dead_key"
    assert {move.attempts for move in world.moves.values()} == {0}
    assert sum(1 for _, _, s in world.sends if s.account == "a") <= 5


def test_all_keys_dead_blocks_and_says_what_to_do() -> None:
    dead = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "key not valid", "replace it", http_status=400)
    world = World([limited("a")], faults=lambda s, n, at: dead)
    world.add(3)
    world.run()
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert (world.plan.stillness.kind, world.plan.stillness.code) == ("blocked", "KEYS_DEAD")
    assert world.finals() == {JobState.QUEUED: 3}


def test_no_account_blocks() -> None:
    world = World([])
    world.add(1)
    world.run()
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert world.plan.stillness.code == "NO_ACCOUNT"


def test_a_model_without_access_falls_back_to_the_next_of_the_chain() -> None:
    refused = quota_failure("rpm", 0)
    world = World([account("a")], faults=lambda s, n, at: refused if s.model == "pro" else None)
    world.add(3, models=("pro", "flash"))
    world.run()
    assert world.finals() == {JobState.DONE: 3}
    assert [s.model for _, _, s in world.sends].count("flash") == 3


def test_a_lost_file_is_uploaded_again_and_costs_no_attempt() -> None:
    gone = Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "file gone", http_status=403)
    world = World([limited("a", rpm=None)], faults=lambda s, n, at: gone if n == 1 else None)
    world.add(1)
    world.run()
    assert world.finals() == {JobState.DONE: 1}
    assert len(world.sends) == 2
    assert next(iter(world.moves.values())).attempts == 0


def test_a_file_that_is_lost_every_time_fails_in_the_end() -> None:
    gone = Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "file gone", http_status=403)
    world = World([limited("a", rpm=None)], faults=lambda s, n, at: gone)
    world.add(1)
    world.run()
    assert world.finals() == {JobState.FAILED: 1}


def test_an_overloaded_model_is_left_alone_by_all_projects_and_comes_back() -> None:
    busy = Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503)
    world = World(
        [limited("a", rpm=None), limited("b", rpm=None)], faults=lambda s, n, at: busy if at < 1100 else None, workers=4
    )
    world.add(20)
    world.run()
    assert world.finals() == {JobState.DONE: 20}
    during = [at for at, _, _ in world.sends if at < 1100]
    assert len(during) <= 4 + 4  # the first four, then single probes at growing distances


def test_a_job_that_alone_gets_server_errors_fails_while_others_go_on() -> None:
    broken = Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "INTERNAL", "internal error", http_status=500)
    poison: list[str] = []
    world = World([limited("a", rpm=None)], faults=lambda s, n, at: broken if s.job in poison else None, workers=2)
    jobs = world.add(30)
    poison.append(jobs[0])
    world.run()
    assert world.finals() == {JobState.DONE: 29, JobState.FAILED: 1}
    assert world.moves[jobs[0]].state is JobState.FAILED


def test_a_rejected_report_is_asked_again_up_to_the_attempts_and_then_fails() -> None:
    world = World([limited("a", rpm=None)], verdicts=lambda job, n: Verdict.REJECTED)
    world.add(1)
    world.run()
    assert world.finals() == {JobState.FAILED: 1}
    assert len(world.sends) == 3


def test_a_report_that_is_good_the_second_time_is_done() -> None:
    world = World([limited("a", rpm=None)], verdicts=lambda job, n: Verdict.OK if n > 1 else Verdict.REJECTED)
    world.add(1)
    world.run()
    assert world.finals() == {JobState.DONE: 1}
    assert len(world.sends) == 2


def test_pause_starts_nothing_new_and_lets_what_is_in_flight_end() -> None:
    world = World([limited("a", rpm=None)], workers=2)
    world.add(10)
    world.run(until=lambda: len(world.sends) == 2)
    world.feed(PauseSet(True))
    world.run()
    assert len(world.sends) == 2
    assert world.finals()[JobState.DONE] == 2
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert world.plan.stillness.kind == "paused"
    world.feed(PauseSet(False))
    world.run()
    assert world.finals() == {JobState.DONE: 10}


def test_a_store_that_cannot_write_stops_paid_requests_until_it_can() -> None:
    world = World([limited("a", rpm=None)], workers=1)
    world.add(3)
    world.feed(StallSet("disk full"))
    world.run()
    assert not world.sends
    world.feed(StallSet(""))
    world.run()
    assert world.finals() == {JobState.DONE: 3}


def test_held_jobs_stay_and_released_ones_go() -> None:
    world = World([limited("a", rpm=None)])
    jobs = world.add(3)
    world.feed(JobsHeld((jobs[0],)))
    world.run()
    assert world.moves[jobs[0]].state is JobState.HELD
    assert len(world.sends) == 2
    world.feed(JobsReleased((jobs[0],)))
    world.run()
    assert world.finals() == {JobState.DONE: 3}


def test_a_cancelled_job_in_flight_is_broken_off_and_its_money_stays_spent() -> None:
    world = World([limited("a", rpm=None)], workers=1)
    jobs = world.add(2)
    world.run(until=lambda: len(world.sends) == 1)
    world.feed(JobsCancelled((jobs[0],)))
    world.run()
    assert world.moves[jobs[0]].state is JobState.CANCELLED
    assert world.moves[jobs[1]].state is JobState.DONE
    assert world.scheduler.state.money.run_spent == pytest.approx(0.02)


def test_an_urgent_job_takes_the_next_slot() -> None:
    world = World([limited("a")], workers=1)
    jobs = world.add(8)
    world.run(until=lambda: len(world.sends) == 1)
    world.feed(PrioritySet((jobs[7],), Priority.HIGH))
    world.run()
    order = [s.job for _, _, s in world.sends]
    assert order.index(jobs[7]) <= 3  # behind those that lie ready already, before the rest


def test_workers_change_while_it_runs() -> None:
    world = World([limited("a", rpm=None)], workers=1)
    world.add(20)
    world.run(until=lambda: len(world.sends) == 2)
    assert len(world.scheduler.state.flights) <= 1
    world.feed(WorkersSet(6))
    world.run(until=lambda: len(world.scheduler.state.flights) == 6)
    world.run()
    assert world.finals() == {JobState.DONE: 20}


def test_nothing_starts_whose_reservation_passes_the_cap() -> None:
    world = World([limited("a", rpm=None)], caps=Caps(run=0.055))
    world.add(20)
    world.run()
    assert len(world.sends) == 5
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert world.plan.stillness.code == "CAP"
    assert world.scheduler.state.money.run_spent <= 0.055


def test_free_projects_cost_nothing_and_pass_a_cap_of_zero() -> None:
    world = World([limited("a", rpm=None, tier="free")], caps=Caps(run=0.0))
    world.add(3)
    world.run()
    assert world.finals() == {JobState.DONE: 3}


def test_a_request_larger_than_the_minute_is_planned_anew_not_tried_for_ever() -> None:
    plans: dict[str, int] = {}

    def segments(job: str) -> tuple[SegmentNeed, ...]:
        plans[job] = plans.get(job, 0) + 1
        if plans[job] == 1:
            return (SegmentNeed(0, 20_000, 0.02),)
        return (SegmentNeed(0, 9_000, 0.01), SegmentNeed(1, 9_000, 0.01))

    world = World([limited("a", rpm=None, tpm=10_000)], segments=segments)
    world.add(1)
    world.run()
    assert world.finals() == {JobState.DONE: 1}
    assert sorted(s.segment for _, _, s in world.sends) == [0, 1]


def test_an_account_added_while_it_runs_takes_work() -> None:
    world = World([limited("a")])
    world.add(40)
    world.run(until=lambda: len(world.sends) == 5)
    world.feed(AccountPut(limited("b"), {}))
    world.run()
    assert world.finals() == {JobState.DONE: 40}
    assert sum(1 for _, _, s in world.sends if s.project == "p-b") >= 15


def test_an_account_switched_off_gets_nothing_more() -> None:
    world = World([limited("a"), limited("b")])
    world.add(30)
    world.run(until=lambda: len(world.sends) == 4)
    world.feed(AccountSwitched("a", False))
    before = len(world.sends)
    world.run()
    assert all(s.account == "b" for _, _, s in world.sends[before:])
    assert world.finals() == {JobState.DONE: 30}


def test_the_network_gone_pauses_everything_and_it_goes_on_by_itself() -> None:
    down = Failure(FailureKind.RETRY, Scope.MACHINE, "NO_NETWORK", "no connection")
    world = World([limited("a", rpm=None)], faults=lambda s, n, at: down if at < 1300 else None, workers=4)
    world.add(10)
    world.run()
    assert world.finals() == {JobState.DONE: 10}
    assert len([1 for at, _, _ in world.sends if at < 1300]) < 20
    assert {move.attempts for move in world.moves.values()} == {0}


def test_the_same_seed_gives_the_same_run() -> None:
    def history() -> list[tuple[float, str, str]]:
        world = World([limited("a"), limited("b", rpm=3)], seed=7)
        world.add(25)
        world.run()
        return [(at, s.request, s.project) for at, _, s in world.sends]

    assert history() == history()


FAILURES = st.sampled_from(
    [
        None,
        None,
        None,
        None,
        quota_failure("rpm", 3, retry=20.0),
        Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503),
        Failure(FailureKind.RETRY, Scope.MACHINE, "DROPPED", "dropped", maybe_paid=True),
        Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "gone", http_status=403),
        Failure(FailureKind.ITEM_RETRY, Scope.ITEM, "EMPTY", "empty answer"),
        Failure(FailureKind.WAIT_FILE, Scope.ITEM, "NOT_ACTIVE", "not active", http_status=400),
        Failure(FailureKind.ITEM, Scope.ITEM, "BLOCKED", "blocked", http_status=400),
        Failure(FailureKind.STOP_ALL, Scope.MACHINE, "LOCATION", "location", http_status=400),
    ]
)
COMMANDS = st.sampled_from(["", "", "pause", "resume", "hold", "release", "cancel", "urgent", "workers"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rpm=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    count=st.integers(1, 12),
    segments=st.integers(1, 3),
    faults=st.lists(FAILURES, max_size=25),
    commands=st.lists(COMMANDS, max_size=15),
    seed=st.integers(0, 1000),
)
def test_whatever_happens_no_limit_is_passed_and_no_job_is_lost(
    rpm: list[int], count: int, segments: int, faults: list[Failure | None], commands: list[str], seed: int
) -> None:
    script = iter(faults)
    accounts = [limited(f"a{i}", rpm=limit) for i, limit in enumerate(rpm)]
    world = World(
        accounts,
        workers=4,
        seed=seed,
        faults=lambda s, n, at: next(script, None),
        segments=lambda job: tuple(SegmentNeed(i, 1000, 0.01) for i in range(segments)),
    )
    jobs = world.add(count)
    for command in commands:
        for _ in range(4):
            world.step()
        job = jobs[world.random.randrange(count)]
        event = {
            "pause": PauseSet(True),
            "resume": PauseSet(False),
            "hold": JobsHeld((job,)),
            "release": JobsReleased((job,)),
            "cancel": JobsCancelled((job,)),
            "urgent": PrioritySet((job,), Priority.HIGH),
            "workers": WorkersSet(world.random.randrange(1, 6)),
        }.get(command)
        if event is not None:
            world.feed(event)
    world.feed(PauseSet(False))
    world.feed(JobsReleased(tuple(jobs)))
    world.run()
    assert all(world.moves[job].state.final for job in jobs)
    for index, limit in enumerate(rpm):
        assert world.most_in_a_minute(f"p-a{index}") <= limit
    for job in jobs:
        if world.moves[job].state is JobState.DONE:
            assert {s.segment for _, _, s in world.sends if s.job == job} == set(range(segments))
    state = world.scheduler.state
    assert not state.flights
    assert sum(state.busy.values()) == 0
    assert all(count == 0 for count in state.board.bound.values())
    assert not any(state.board.ahead.values())
    assert state.money.run_reserved == pytest.approx(0.0)


def test_a_reason_is_kept_while_a_job_waits() -> None:
    empty = Failure(FailureKind.ITEM_RETRY, Scope.ITEM, "EMPTY", "the answer was empty", "nothing to do")
    world = World([limited("a", rpm=None)], faults=lambda s, n, at: empty if n == 1 else None)
    jobs = world.add(1)
    world.run(until=lambda: world.moves.get(jobs[0]) is not None and world.moves[jobs[0]].state is JobState.WAITING)
    assert world.moves[jobs[0]].reason == Reason("EMPTY", "the answer was empty", "nothing to do")
    assert world.moves[jobs[0]].not_before is not None
    world.run()
    assert world.moves[jobs[0]].state is JobState.DONE
    assert world.moves[jobs[0]].step is Step.END


def test_requests_name_what_they_are_for() -> None:
    world = World([limited("a", rpm=None)])
    jobs = world.add(1)
    world.run()
    send = world.sends[0][2]
    assert isinstance(send, SendRequest)
    assert (send.job, send.segment, send.model, send.usd) == (jobs[0], 0, "m", 0.01)
