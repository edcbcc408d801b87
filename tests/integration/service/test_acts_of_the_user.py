"""What the user does while the service runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.core.messages import (
    CancelJobs,
    CommandDone,
    CommandRefused,
    HoldJobs,
    Pause,
    ReleaseJobs,
    Resume,
    RetryJobs,
    RunState,
    SetPriority,
    SetWorkers,
)
from gsvr_tui.core.models import JobState, Priority, Step
from gsvr_tui.emulator import Action, Rule
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, project, world

Clips = Callable[[int], Path]
HANG = Rule(Action.HANG, count=1)
"""The first request gets no answer until the client goes away."""


def test_pause_and_resume_while_it_runs(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    jobs = rig.add(clips(2))
    assert rig.wait_rest().state is RunState.PAUSED
    assert rig.states() == [JobState.QUEUED] * 2
    assert not rig.server.log
    rig.tell(Resume)
    rig.wait_until(JobState.DONE, *jobs)


def test_a_pause_lets_what_is_in_flight_end_and_starts_nothing_new(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.SLOW, seconds=1.0)]))
    rig.open([account("p1")], workers=1)
    rig.add(clips(3))
    rig.wait_for(lambda: any(r.step is Step.GENERATE and r.state is JobState.RUNNING for r in rig.rows.values()))
    rig.tell(Pause)
    assert rig.wait_rest().state is RunState.PAUSED
    assert len(rig.generates()) == 1
    assert rig.states().count(JobState.DONE) == 1
    rig.tell(Resume)
    rig.wait_until(JobState.DONE)


def test_pause_now_breaks_off_and_goes_on_later_with_the_money_kept_as_spent(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[HANG]))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    rig.tell(Pause, now=True)
    assert rig.wait_rest().state is RunState.PAUSED
    assert rig.rows[job].state is JobState.QUEUED
    assert rig.rows[job].attempts == 0
    spent = rig.rows[job].cost_usd
    assert spent > 0  # the request had left: whether it is charged is not known
    rig.tell(Resume)
    rig.wait_until(JobState.DONE, job)
    assert rig.rows[job].cost_usd > spent
    assert rig.status.spent_usd == pytest.approx(rig.rows[job].cost_usd)


def test_held_jobs_stay_until_they_are_released(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    first, second = rig.add(clips(2))
    rig.tell(HoldJobs, jobs=(first,))
    rig.wait_until(JobState.HELD, first)
    rig.tell(Resume)
    rig.wait_until(JobState.DONE, second)
    assert rig.wait_rest().code == "HELD"
    rig.tell(ReleaseJobs, jobs=(first,))
    rig.wait_until(JobState.DONE, first)


def test_a_job_cancelled_in_flight_is_broken_off_and_can_be_retried(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[HANG]))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    rig.tell(CancelJobs, jobs=(job,))
    rig.wait_until(JobState.CANCELLED, job)
    rig.wait_for(lambda: rig.status.in_flight == 0)
    rig.wait_for(lambda: isinstance(rig.tell(RetryJobs, jobs=(job,)), CommandDone))
    rig.wait_until(JobState.DONE, job)


def test_a_done_job_that_is_retried_asks_the_model_anew(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    rig.tell(RetryJobs, jobs=(job,))
    rig.wait_for(lambda: len(rig.generates(outcome="answered")) == 2)
    rig.wait_until(JobState.DONE, job)


def test_commands_about_jobs_that_cannot_take_them_are_refused_in_words(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    (job,) = rig.add(clips(1))
    for kind in (RetryJobs, CancelJobs, HoldJobs):
        answer = rig.tell(kind, jobs=("0000000000000",) if kind is not RetryJobs else (job,))
        assert isinstance(answer, CommandRefused)
        assert "none of these jobs" in answer.message


def test_the_number_of_workers_bounds_what_is_in_flight_and_changes_live(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.HANG, until_s=3.0)]))
    rig.open([account("p1")], workers=1)
    rig.add(clips(4))
    rig.wait_for(lambda: rig.status.in_flight == 1)
    rig.tell(SetWorkers, workers=3)
    rig.wait_for(lambda: rig.status.in_flight == 3)
    assert rig.status.workers == 3
    assert not rig.status.workers_auto


def test_an_urgent_job_goes_first(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([])
    jobs = rig.add(clips(4))
    rig.wait_for(lambda: all(row.step is Step.UPLOAD for row in rig.rows.values()))
    rig.close()
    rig.open([account("p1")], workers=1, start_paused=True)
    rig.tell(SetPriority, jobs=(jobs[3],), priority=Priority.HIGH)
    rig.tell(Resume)
    rig.wait_until(JobState.DONE)
    assert rig.uploads()[0].display_name == jobs[3]


@pytest.mark.parametrize("missing", ["nothing", "no-such-folder"])
def test_adding_what_is_not_there_is_refused_in_words(make_rig: MakeRig, tmp_path: Path, missing: str) -> None:
    from gsvr_tui.core.messages import AddJobs

    rig = make_rig()
    rig.open([account("p1")])
    (tmp_path / "nothing").mkdir()
    answer = rig.tell(AddJobs, paths=(str(tmp_path / missing),))
    assert isinstance(answer, CommandRefused)
    assert answer.message
    assert answer.advice


def test_a_batch_at_its_cap_stops_and_another_batch_goes_on(make_rig: MakeRig, clips: Clips, tmp_path: Path) -> None:
    rig = make_rig(world(project("p1")))
    rig.open([account("p1")], start_paused=True)
    folder = clips(4)
    capped = rig.add(folder / "clip0.mp4", folder / "clip1.mp4", folder / "clip2.mp4", max_cost_usd=0.000001)
    free = rig.add(folder / "clip3.mp4")
    rig.tell(Resume)
    rig.wait_until(JobState.DONE, *free)
    status = rig.wait_rest()
    assert (status.state, status.code) == (RunState.BLOCKED, "CAP")
    assert [rig.rows[job].state for job in capped] == [JobState.QUEUED] * 3
    assert len(rig.generates()) == 1
