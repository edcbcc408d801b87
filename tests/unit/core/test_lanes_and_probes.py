"""Jobs that can't go on hold up nobody else, and what is lent out comes back."""

from __future__ import annotations

import pytest

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Account, JobState, Limits, Priority, Step, Verdict
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduling import (
    AccountPut,
    AccountVerified,
    Answered,
    Finished,
    FinishJob,
    Interrupted,
    JobArrived,
    JobsCancelled,
    PrioritySet,
    ProbeJob,
    SegmentNeed,
    SendRequest,
    StepFailed,
    Uploaded,
    UploadFile,
)
from tests.unit.core.chaos import ChaosWorld
from tests.unit.core.world import World, account, quota_failure

GONE = Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_GONE", "gone", http_status=403)
DOWN = Failure(FailureKind.RETRY, Scope.MACHINE, "NO_NETWORK", "no network")
BUSY = Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503)


def stated(rpm: int | None = 60, *, rpd: int | None = None, tpm: int | None = 10**7) -> Limits:
    return Limits(rpm=rpm, tpm=tpm, rpd=rpd, source="user")


def one(name: str = "a", limits: Limits | None = None, tier: str = "unknown") -> Account:
    return account(name, limits={"m": limits or stated(), "n": limits or stated()}, tier=tier)


def test_a_batch_at_its_cap_holds_up_no_other_batch_however_long_it_is() -> None:
    world = World([one()], caps=Caps(batches={"poor": 0.02}))
    poor = world.add(60, batch="poor")
    rich = world.add(20, batch="rich")
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in rich)
    assert sum(1 for job in poor if world.moves[job].state is JobState.DONE) == 2
    assert world.plan is not None
    assert world.plan.stillness is not None
    assert world.plan.stillness.code == "CAP"


def test_jobs_of_a_model_nobody_may_use_hold_up_no_others() -> None:
    world = World([one()], faults=lambda s, n, at: quota_failure("rpm", 0, model="n") if s.model == "n" else None)
    blocked = world.add(60, models=("n",))
    others = world.add(20, batch="c", models=("m",))
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in others)
    assert not any(world.moves[job].state.final for job in blocked)


def test_ready_files_of_a_model_that_rests_leave_room_for_those_of_another() -> None:
    limits = {"m": stated(60, rpd=3), "n": stated(60)}
    world = World([account("a", limits=limits, tier="unknown")])
    world.add(40, models=("m",))
    others = world.add(20, batch="c", models=("n",))
    world.run()
    assert max(at for at, _, s in world.sends if s.job in others) < 1000.0 + 120.0


def test_a_job_at_a_cap_moves_to_a_project_that_costs_nothing() -> None:
    world = World([one("paid"), one("free", tier="free")], caps=Caps(run=0.03))
    jobs = world.add(30)
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in jobs)
    assert sum(1 for _, _, s in world.sends if s.project == "p-paid") <= 3


@pytest.mark.parametrize("count", [2, 5])
def test_segments_that_find_one_and_the_same_file_gone_count_once(count: int) -> None:
    needs = tuple(SegmentNeed(i, 1000, 0.01) for i in range(count))
    world = World([one()], faults=lambda s, n, at: GONE if n <= count else None, segments=lambda job: needs)
    (job,) = world.add(1)
    world.run()
    assert world.moves[job].state is JobState.DONE
    assert world.moves[job].attempts == 0


def network_probe(world: World) -> str | None:
    return world.scheduler.state.network.probe


def test_a_line_that_was_down_is_not_thought_down_for_ever_when_its_probe_sends_nothing() -> None:
    """The probe's file is at the project already, its answer is stored already, or it is cancelled."""
    world = World([one()], workers=1)
    state = world.scheduler.state
    feed, now = world.feed, world.now
    first, second, third = (world.ids.next(now.wall) for _ in range(3))
    needs = (SegmentNeed(0, 1000, 0.01),)
    for job in (first, second, third):
        feed(JobArrived(job, "b", ("m",), segments=needs))

    def actions(kind: type) -> list:  # type: ignore[type-arg]
        return [action for action in world.scheduler.next_actions(world.now).actions if isinstance(action, kind)]

    (upload,) = actions(UploadFile)
    feed(StepFailed(upload.job, Step.UPLOAD, DOWN))
    world.now = type(now)(now.mono + 70, now.wall + 70)
    (upload,) = actions(UploadFile)
    assert network_probe(world) == upload.job
    feed(Uploaded(upload.job, 0.0))
    assert network_probe(world) is None
    (send,) = actions(SendRequest)
    assert network_probe(world) == send.request
    feed(Answered(send.job, send.request, 0, 0.0, 0.0, reused=True))
    assert network_probe(world) is None
    (upload,) = actions(UploadFile)
    feed(JobsCancelled((upload.job,)))
    feed(StepFailed(upload.job, Step.UPLOAD, Failure(FailureKind.ITEM, Scope.ITEM, "GONE", "source gone")))
    assert network_probe(world) is None
    assert state.busy[Step.UPLOAD] == 0
    (upload,) = actions(UploadFile)
    feed(Interrupted(upload.job, Step.UPLOAD))
    assert network_probe(world) is None


def test_a_late_answer_of_the_probes_own_job_does_not_let_a_second_probe_go() -> None:
    """The model's breaker knows its probe by the request, not by the job."""
    needs = tuple(SegmentNeed(i, 1000, 0.01) for i in range(3))
    world = World([one()], workers=3, segments=lambda job: needs)
    world.add(1)
    world.run(until=lambda: len(world.sends) == 3)
    requests = [s for _, _, s in world.sends]
    busy = Failure(FailureKind.BACKOFF_MODEL, Scope.MODEL, "OVERLOADED", "overloaded", http_status=503)
    world.queue.clear()
    world.feed(StepFailed(requests[0].job, Step.GENERATE, busy, requests[0].request))
    breaker = world.scheduler.state.breaker("m")
    world.now = type(world.now)(breaker.open_until, world.now.wall + 20)
    (probe,) = (a for a in world.scheduler.next_actions(world.now).actions if isinstance(a, SendRequest))
    empty = Failure(FailureKind.ITEM_RETRY, Scope.ITEM, "EMPTY", "empty")
    world.feed(StepFailed(requests[1].job, Step.GENERATE, empty, requests[1].request, tokens_in=10))
    assert breaker.probe == probe.request


def test_an_upload_that_meets_503_does_not_stop_the_model() -> None:
    script = iter([BUSY] * 4)
    world = ChaosWorld([one()], workers=2, upload_faults=lambda action: next(script, None))
    jobs = world.add(6)
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in jobs)
    assert world.scheduler.state.breaker("m").closed
    assert world.now.mono < 1000.0 + 90.0


def test_an_upload_on_a_refused_key_isolates_that_key_and_no_other() -> None:
    """While a job's file goes to one project, an answer of it comes from another."""
    dead = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_INVALID", "not valid", "replace it", http_status=400)
    world = World([one("a"), one("b")], workers=4)
    job = world.ids.next(world.now.wall)
    needs = tuple(SegmentNeed(i, 1000, 0.01) for i in range(2))
    world.feed(JobArrived(job, "b", ("m",), segments=needs, file_projects=frozenset({"p-a"})))
    sends = [a for a in world.scheduler.next_actions(world.now).actions if isinstance(a, SendRequest)]
    assert [s.account for s in sends] == ["a", "a"]
    world.feed(StepFailed(job, Step.GENERATE, GONE, sends[0].request))
    world.scheduler.state.ledger.rest("p-a", "m", 5000.0, "rests", world.now)
    (upload,) = (a for a in world.scheduler.next_actions(world.now).actions if isinstance(a, UploadFile))
    assert upload.account == "b"
    world.feed(Answered(job, sends[1].request, 1000, 0.01, 3.0))
    world.feed(StepFailed(job, Step.UPLOAD, dead))
    pool = world.scheduler.state.pool
    assert (pool.status("b").health, pool.status("a").health) == ("dead_key", "ok")
    assert pool.in_flight("a") == pool.in_flight("b") == 0


def test_a_plan_is_not_made_anew_while_a_request_of_the_old_one_is_out() -> None:
    needs = (SegmentNeed(0, 4000, 0.01), SegmentNeed(1, 9000, 0.01))
    world = World([account("a", limits={"m": Limits(rpm=60, tpm=10_000, source="user")}, tier="unknown")])
    job = world.ids.next(world.now.wall)
    world.feed(JobArrived(job, "b", ("m",), segments=needs, file_projects=frozenset({"p-a"})))
    (send,) = (a for a in world.scheduler.next_actions(world.now).actions if isinstance(a, SendRequest))
    smaller = account("a", limits={"m": Limits(rpm=60, tpm=5000, source="user")}, tier="unknown")
    world.feed(AccountPut(smaller, {}))
    plan = world.scheduler.next_actions(world.now)
    assert not [a for a in plan.actions if isinstance(a, ProbeJob)]
    empty = Failure(FailureKind.ITEM_RETRY, Scope.ITEM, "EMPTY", "empty")
    world.feed(StepFailed(job, Step.GENERATE, empty, send.request, tokens_in=10))
    world.now = type(world.now)(world.now.mono + 300, world.now.wall + 300)
    world.scheduler.next_actions(world.now)
    world.now = type(world.now)(world.now.mono + 300, world.now.wall + 300)
    entry = world.scheduler.state.board.entries[job]
    assert entry.flights == {} or entry.step is Step.GENERATE


def test_a_job_that_fails_alone_again_and_again_ends_and_one_of_many_does_not() -> None:
    drop = Failure(FailureKind.RETRY, Scope.ITEM, "BAD_GATEWAY", "bad gateway", http_status=502)
    poison: list[str] = []
    world = World([one()], faults=lambda s, n, at: drop if s.job in poison else None, workers=2)
    jobs = world.add(120)
    poison.append(jobs[0])
    world.run()
    assert world.moves[jobs[0]].state is JobState.FAILED
    assert all(world.moves[job].state is JobState.DONE for job in jobs[1:])


def test_a_model_that_was_down_for_long_is_used_again_though_its_fallback_works() -> None:
    world = World([one(limits=stated(2))], faults=lambda s, n, at: BUSY if s.model == "m" and at < 3400 else None)
    world.add(100, models=("m", "n"))
    world.run()
    assert world.finals() == {JobState.DONE: 100}
    used = [s.model for at, _, s in world.sends if at >= 3800]
    assert "n" in [s.model for _, _, s in world.sends]
    assert used.count("m") > 10


def test_a_check_that_succeeds_ends_rests_and_refusals() -> None:
    world = World([one()], faults=lambda s, n, at: quota_failure("rpm", 0))
    jobs = world.add(3)
    world.run()
    assert not any(world.moves[job].state.final for job in jobs)
    world.faults = None
    world.feed(AccountVerified("a"))
    world.run()
    assert all(world.moves[job].state is JobState.DONE for job in jobs)


def test_a_finished_job_that_comes_back_is_done_from_its_stored_answers() -> None:
    world = World([one()])
    job = world.ids.next(world.now.wall)
    world.feed(JobArrived(job, "b", ("m",), segments=(SegmentNeed(0, 1000, 0.01, answered=True),), announce=True))
    world.run()
    assert world.moves[job].state is JobState.DONE
    assert not world.sends


def test_a_job_that_is_final_does_not_arrive() -> None:
    world = World([one()])
    with pytest.raises(ValueError, match="finished job"):
        world.feed(JobArrived("0000000000001", "b", ("m",), state=JobState.DONE))


def test_halting_starts_nothing_not_even_local_work() -> None:
    world = World([one()])
    world.add(3)
    world.scheduler.state.halted = True
    assert not [a for a in world.scheduler.next_actions(world.now).actions if not hasattr(a, "state")]


def test_priorities_and_cancelled_jobs_leave_no_trace_in_the_counts() -> None:
    world = World([one()], workers=2)
    jobs = world.add(30)
    world.run(until=lambda: len(world.sends) >= 3)
    for job in jobs[10:20]:
        world.feed(PrioritySet((job,), Priority.HIGH))
    world.feed(JobsCancelled(tuple(jobs[5:15])))
    world.run()
    board = world.scheduler.state.board
    assert not any(board.bound.values())
    assert not any(board.ahead.values())
    assert not board.entries


def test_a_report_turned_down_for_good_names_its_findings() -> None:
    world = World([one()], verdicts=lambda job, n: Verdict.REJECTED)
    (job,) = world.add(1)
    world.run()
    assert world.moves[job].state is JobState.FAILED
    assert world.moves[job].attempts == 3


def test_a_late_end_of_a_check_of_a_cancelled_job_changes_nothing() -> None:
    world = World([one()])
    (job,) = world.add(1)
    world.run(until=lambda: any(isinstance(a, FinishJob) for a in (world.plan.actions if world.plan else ())))
    world.feed(JobsCancelled((job,)))
    world.feed(Finished(job, Verdict.OK))
    world.run()
    assert world.moves[job].state is JobState.CANCELLED
