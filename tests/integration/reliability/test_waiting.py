"""Videos that are gone, growing or deadly, and output folders that can't be written: the job waits and goes on."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gsvr_tui.core.messages import CommandDone, Resume, RetryJobs
from gsvr_tui.core.models import JobState, Step
from gsvr_tui.media.child import MediaChildren
from gsvr_tui.media.remux import remux_to_mp4
from gsvr_tui.media.samples import ClipSpec, make_clip
from gsvr_tui.service import waiting
from gsvr_tui.service.assembly import Session
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account

Clips = Callable[[int], Path]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come sooner than for people."""
    monkeypatch.setattr(waiting, "FIRST_S", 0.3)


def waits_for(rig: Rig, job: str, code: str, words: str) -> None:
    rig.wait_for(lambda: rig.rows[job].state is JobState.WAITING)
    assert words in rig.rows[job].note
    assert rig.rows[job].advice
    assert rig.session is not None
    reason = rig.session.parts.store.job(job).reason
    assert reason is not None
    assert reason.code == code


# ---------------------------------------------------------------- videos


def test_a_video_that_is_gone_waits_and_goes_on_by_itself_when_it_is_back(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    folder = clips(2)
    jobs = rig.add(folder)
    (folder / "clip0.mp4").rename(folder / "elsewhere")
    rig.tell(Resume)
    waits_for(rig, jobs[0], "SOURCE_MISSING", "the file is not there")
    rig.wait_until(JobState.DONE, jobs[1])
    (folder / "elsewhere").rename(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, jobs[0])
    assert {rig.rows[job].attempts for job in jobs} == {0}


def test_a_drive_that_is_gone_is_told_once_and_its_videos_wait(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    folder = clips(5)
    jobs = rig.add(folder)
    folder.rename(folder.with_name("unplugged"))
    rig.tell(Resume)
    for job in jobs:
        waits_for(rig, job, "SOURCE_MISSING", f"the folder {folder} is not there")
    told = [line.message for line in rig.logs if line.level == "warning"]
    assert told == [f"the folder {folder} is not there: its videos wait until it is back"]
    assert not rig.uploads()
    folder.with_name("unplugged").rename(folder)
    rig.wait_until(JobState.DONE, *jobs)


def test_a_drive_that_goes_before_the_upload_leaves_the_job_waiting_over_a_restart(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig()
    rig.open([])
    folder = clips(1)
    (job,) = rig.add(folder)
    rig.wait_for(lambda: rig.rows[job].step is Step.UPLOAD)
    rig.close()
    folder.rename(folder.with_name("unplugged"))
    rig.open([account("p1")])
    waits_for(rig, job, "SOURCE_MISSING", "is not there")
    rig.close()
    folder.with_name("unplugged").rename(folder)
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1


def test_looks_grow_apart_and_a_retry_looks_at_once(
    make_rig: MakeRig, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "FIRST_S", 1_000.0)
    monkeypatch.setattr(waiting, "LONGEST_S", 2_000.0)
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    folder = clips(1)
    (job,) = rig.add(folder)
    (folder / "clip0.mp4").rename(folder / "elsewhere")
    rig.tell(Resume)
    waits_for(rig, job, "SOURCE_MISSING", "is not there")
    (folder / "elsewhere").rename(folder / "clip0.mp4")
    answer = rig.tell(RetryJobs, jobs=(job,))
    assert isinstance(answer, CommandDone)
    rig.wait_until(JobState.DONE, job)


def test_the_distances_double_up_to_five_minutes() -> None:
    patience = waiting.Patience()
    seconds = [patience.wait("j", "X", "m", "a").retry_after_s or 0.0 for _ in range(14)]
    assert seconds[1] == 2 * seconds[0]
    assert seconds == sorted(seconds)
    assert seconds[-1] == waiting.LONGEST_S
    patience.forget("j")
    assert patience.wait("j", "X", "m", "a").retry_after_s == seconds[0]


@pytest.mark.parametrize("kind", ["cut", "appended"])
def test_a_video_that_is_still_being_written_is_waited_for(
    make_rig: MakeRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """`cut`: a copy whose end is missing. `appended`: a recording that could be read at any moment."""
    monkeypatch.setattr(waiting, "STILL_S", 1.0)
    folder = tmp_path / "videos"
    folder.mkdir()
    whole = make_clip(tmp_path / ("whole.mp4" if kind == "cut" else "whole.mkv"), ClipSpec(6, 64, 48, 4))
    data = whole.read_bytes()
    target = folder / f"recording{whole.suffix}"
    target.write_bytes(data[: len(data) * 2 // 3])
    stop = threading.Event()
    looked = threading.Event()

    def write_on() -> None:
        """Touched again and again; the rest comes once the service has looked."""
        while not stop.wait(0.1):
            os.utime(target)
            if looked.is_set():
                target.write_bytes(data)
                return

    writer = threading.Thread(target=write_on)
    writer.start()
    rig = make_rig()
    try:
        rig.open([account("p1")])
        (job,) = rig.add(target)
        waits_for(rig, job, "SOURCE_GROWING", "still being written")
        assert not rig.uploads()
    finally:
        looked.set()
        writer.join(10)
        stop.set()
    rig.wait_until(JobState.DONE, job)
    assert rig.session is not None
    found = rig.session.parts.store.job(job)
    assert found.size_bytes == len(data)
    assert len(rig.uploads()) == 1


def test_a_cut_video_that_nobody_touches_fails_with_its_reason(make_rig: MakeRig, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", ClipSpec(6, 64, 48, 4))
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    os.utime(cut, (1.7e9, 1.7e9))
    rig = make_rig()
    rig.open([account("p1")])
    (job,) = rig.add(cut)
    rig.wait_until(JobState.FAILED, job)
    assert "end" in rig.rows[job].note


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_video_that_crashes_the_decoder_fails_alone(make_rig: MakeRig, clips: Clips) -> None:
    program = (
        "import os, signal\nfrom gsvr_tui.media import child, probe\ntrue = probe.probe_file\n"
        "def look(path):\n    if path.name == 'clip1.mp4':\n        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return true(path)\nprobe.probe_file = look\nchild.main()\n"
    )

    def frail(session: Session) -> None:
        session.service._engine.context.media = MediaChildren(program=(sys.executable, "-c", program))

    rig = make_rig()
    rig.open([account("p1")], before_start=frail)
    jobs = rig.add(clips(4))
    rig.wait_until(JobState.FAILED, jobs[1])
    rig.wait_until(JobState.DONE, jobs[0], jobs[2], jobs[3])
    assert "decoder crashed" in rig.rows[jobs[1]].note
    assert rig.rows[jobs[1]].advice


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_helper_that_was_killed_in_mid_run_is_replaced(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")])
    folder = clips(3)
    (first,) = rig.add(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, first)
    assert rig.session is not None
    for pid in rig.session.service._engine.context.media.pids():
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    jobs = rig.add(folder)
    rig.wait_until(JobState.DONE, *jobs)


def test_streams_copied_into_mp4_still_get_there(make_rig: MakeRig, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", ClipSpec(3, 64, 48, 2))
    os.utime(source, (1.7e9, 1.7e9))
    rig = make_rig()
    rig.open([account("p1")])
    (job,) = rig.add(source)
    rig.wait_until(JobState.DONE, job)
    assert remux_to_mp4(source, tmp_path / "b.mp4") == ()
    assert list((rig.places.state / "scratch").iterdir()) == []


# ---------------------------------------------------------------- output folders


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_output_folder_keeps_the_answer_and_is_tried_again(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    (job,) = rig.add(clips(1))
    reports = rig.home / "reports"
    reports.chmod(0o500)
    rig.tell(Resume)
    waits_for(rig, job, "OUTPUT_DENIED", "report not written")
    reports.chmod(0o700)
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1


def test_an_output_folder_that_is_gone_keeps_the_answer_over_a_restart_and_asks_nothing_again(
    make_rig: MakeRig, clips: Clips
) -> None:
    rig = make_rig()
    rig.open([account("p1")], start_paused=True)
    jobs = rig.add(clips(2))
    reports = rig.home / "reports"
    shutil.rmtree(reports)
    rig.tell(Resume)
    for job in jobs:
        waits_for(rig, job, "OUTPUT_GONE", "report not written: the output folder is gone")
    assert not reports.exists()
    rig.close()
    rig.open([account("p1")])
    waits_for(rig, jobs[0], "OUTPUT_GONE", "report not written")
    reports.mkdir()
    rig.wait_until(JobState.DONE, *jobs)
    assert len(rig.generates()) == 2
    assert len(rig.uploads()) == 2
    assert len(list(reports.glob("*.md"))) == 2
    assert {rig.rows[job].attempts for job in jobs} == {0}


def test_a_full_output_disk_waits_for_room(make_rig: MakeRig, clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    from gsvr_tui.report import output

    full = threading.Event()
    full.set()
    write = output._replace

    def no_room(path: Path, data: bytes) -> None:
        if full.is_set():
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(output, "_replace", no_room)
    rig = make_rig()
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    waits_for(rig, job, "OUTPUT_FULL", "report not written")
    full.clear()
    rig.wait_until(JobState.DONE, job)
    assert len(rig.generates()) == 1
