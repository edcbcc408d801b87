"""Stopping, starting again, and work that was paid for once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from gsvr_tui.core.messages import CommandRefused, Resume, RunState, SetWorkers, Stop
from gsvr_tui.core.models import JobState, RequestState, Step
from gsvr_tui.emulator import Action, Rule
from gsvr_tui.store import FileSystem, Store
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import account, world

Clips = Callable[[int], Path]


def answered_twice(rig: object) -> int:
    return int(rig.server.stats()["answered_more_than_once"])  # type: ignore[attr-defined]


def test_a_stop_lets_what_is_in_flight_finish_and_the_next_run_asks_only_for_the_rest(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig(world(rules=[Rule(Action.SLOW, seconds=0.8)]))
    rig.open([account("p1")], workers=1)
    jobs = rig.add(clips(3))
    rig.wait_for(lambda: rig.met() == 1)
    rig.close(drain=True)
    assert len(rig.generates(outcome="answered")) == 1
    assert rig.stopped is not None
    assert rig.stopped.resumable == 2
    assert not [r for r in rig.rows.values() if r.state is JobState.RUNNING]
    rig.open([account("p1")], workers=1)
    assert rig.states().count(JobState.DONE) == 1
    rig.wait_until(JobState.DONE, *jobs)
    assert len(rig.generates(outcome="answered")) == 3
    assert answered_twice(rig) == 0


def test_a_stop_now_cuts_what_is_in_flight_and_counts_it_as_spent(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.HANG, count=1)]))
    rig.open([account("p1")], workers=1)
    jobs = rig.add(clips(2))
    rig.wait_for(lambda: rig.met() == 1)
    assert rig.session is not None
    store = rig.session.parts.store
    rig.close(drain=False)
    out = [s for job in jobs for s in store.segments(job) if s.request_state is RequestState.UNKNOWN]
    assert len(out) == 1
    assert out[0].cost_usd == out[0].reserved_usd > 0
    assert rig.states() == [JobState.QUEUED] * 2
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, *jobs)
    assert {rig.rows[job].attempts for job in jobs} == {0}
    assert rig.rows[out[0].job_id].cost_usd > out[0].cost_usd


def test_a_stop_that_drains_ends_at_its_limit_and_then_cuts(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.HANG, count=1)]))
    rig.open([account("p1")], workers=1, drain_s=0.5)
    rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    rig.close(drain=True)
    assert rig.stopped is not None
    assert rig.stopped.resumable == 1


def test_what_was_uploaded_is_used_by_the_next_run(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.HANG, count=1)]))
    rig.open([account("p1")], workers=1)
    (job,) = rig.add(clips(1))
    rig.wait_for(lambda: rig.met() == 1)
    rig.close(drain=False)
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, job)
    assert len(rig.uploads()) == 1


def test_the_same_content_under_two_names_is_uploaded_and_paid_once(make_rig: MakeRig, clips: Clips) -> None:
    folder = clips(1)
    shutil.copyfile(folder / "clip0.mp4", folder / "copy" if False else folder / "clip0 again.mp4")
    (folder / "sub").mkdir()
    shutil.copyfile(folder / "clip0.mp4", folder / "sub" / "clip0.mp4")
    rig = make_rig()
    rig.open([account("p1")])
    jobs = rig.add(folder / "clip0.mp4", folder / "sub")
    rig.wait_until(JobState.DONE, *jobs)
    assert len(rig.uploads()) == 1
    assert len(rig.generates()) == 1
    assert sorted(rig.rows[job].cost_usd > 0 for job in jobs) == [False, True]


def test_a_done_video_added_again_elsewhere_is_served_from_its_answer(
    make_rig: MakeRig, clips: Clips, tmp_path: Path
) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    (first,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, first)
    rig.close()
    rig.open([account("p1")])
    (second,) = rig.add(clips(1), output_dir=str(tmp_path / "elsewhere"))
    rig.wait_until(JobState.DONE, second)
    assert len(rig.generates()) == 1
    assert len(rig.uploads()) == 1
    assert rig.rows[second].cost_usd == 0
    assert list((tmp_path / "elsewhere").rglob("*.md"))


def test_a_rejected_answer_shared_by_two_jobs_is_asked_anew_by_either(make_rig: MakeRig, clips: Clips) -> None:
    """An answer given up by one job is not handed back to it by the other."""
    from gsvr_tui.core.messages import RetryJobs

    folder = clips(1)
    (folder / "sub").mkdir()
    shutil.copyfile(folder / "clip0.mp4", folder / "sub" / "clip0.mp4")
    rig = make_rig()
    rig.open([account("p1")])
    jobs = rig.add(folder / "clip0.mp4", folder / "sub")
    rig.wait_until(JobState.DONE, *jobs)
    rig.tell(RetryJobs, jobs=(jobs[0],))
    rig.wait_for(lambda: len(rig.generates(outcome="answered")) == 2)
    rig.wait_until(JobState.DONE, *jobs)


def test_a_video_deleted_before_it_was_looked_into_says_so(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    folder = clips(2)
    jobs = rig.add(folder)
    (folder / "clip0.mp4").unlink()
    rig.tell(Resume)
    rig.wait_for(lambda: rig.rows[jobs[1]].state is JobState.DONE)
    rig.wait_for(lambda: rig.rows[jobs[0]].state in (JobState.FAILED, JobState.WAITING))
    assert rig.rows[jobs[0]].note
    assert rig.rows[jobs[0]].advice
    assert len(rig.uploads()) == 1


def test_a_video_changed_after_it_was_looked_into_is_not_uploaded(make_rig: MakeRig, clips: Clips) -> None:
    from gsvr_tui.core.messages import RetryJobs

    rig = make_rig()
    rig.open([])
    folder = clips(1)
    (job,) = rig.add(folder)
    rig.wait_for(lambda: rig.rows[job].step is Step.UPLOAD)
    rig.close()
    with (folder / "clip0.mp4").open("ab") as file:
        file.write(b"\0" * 100)
    rig.open([account("p1")])
    rig.wait_until(JobState.FAILED, job)
    assert "changed" in rig.rows[job].note
    assert not rig.uploads()
    rig.tell(RetryJobs, jobs=(job,))
    rig.wait_until(JobState.DONE, job)


def test_reports_are_written_where_they_were_asked_for(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    jobs = rig.add(clips(2))
    rig.wait_until(JobState.DONE, *jobs)
    assert len(list((rig.home / "reports").rglob("*.md"))) == 2
    assert len(list((rig.home / "reports").rglob("*.json"))) == 2


class FullDisk(FileSystem):
    """Takes nothing while `full` is set."""

    def __init__(self) -> None:
        self.full = threading.Event()

    def write(self, fd: int, data: bytes | memoryview) -> int:
        if self.full.is_set():
            raise OSError(28, "No space left on device")
        return super().write(fd, data)


def test_a_full_disk_starts_no_paid_request_and_goes_on_when_there_is_room(
    make_rig: MakeRig, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk()
    monkeypatch.setattr(Store, "open", partial(Store.open, filesystem=disk))
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    jobs = rig.add(clips(3))
    disk.full.set()
    rig.tell(Resume)
    rig.wait_for(lambda: rig.status.state is RunState.STALLED)
    rig.tell(SetWorkers, workers=2)
    assert not rig.generates()
    assert rig.status.reason
    disk.full.clear()
    rig.wait_until(JobState.DONE, *jobs)
    assert len(rig.generates()) == 3


def test_commands_after_a_stop_are_refused(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(world(rules=[Rule(Action.SLOW, seconds=0.8)]))
    rig.open([account("p1")], workers=1)
    rig.add(clips(2))
    rig.wait_for(lambda: rig.met() == 1)
    rig.send(Stop)
    answer = rig.tell(Resume)
    assert isinstance(answer, CommandRefused)
    rig.close()
    assert len(rig.generates()) == 1
