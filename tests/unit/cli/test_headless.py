"""The driver of headless runs: when a run is over and with which exit code, over a service made of plain events."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.headless import Headless
from gsvr_tui.commands.run_facts import Finished, Summary
from gsvr_tui.core.messages import (
    AddJobs,
    Command,
    CommandDone,
    CommandRefused,
    Event,
    JobRow,
    JobsChanged,
    Resume,
    RunState,
    ServiceStopped,
    Snapshot,
    Status,
    StatusChanged,
    Stop,
)
from gsvr_tui.core.models import Job, JobState, Reason, Step

BATCH = "0000000000001"


def job(number: int, state: JobState = JobState.QUEUED, **more: Any) -> Job:
    """A job of the batch."""
    return Job(f"{number:013d}", BATCH, f"/v/{number}.mp4", 0.0, name=f"{number}.mp4", state=state, **more)


def row(of: Job) -> JobRow:
    """Its row."""
    return JobRow(of.id, of.batch_id, of.name, of.state, of.step)


@dataclass
class FakeStore:
    """Jobs by id."""

    kept: dict[str, Job] = field(default_factory=dict)

    def job(self, job_id: str) -> Job:
        return self.kept[job_id]

    def jobs_of(self, batch_id: str) -> list[Job]:
        return list(self.kept.values())


class FakeService:
    """Answers commands with the events a test wants."""

    def __init__(self, store: FakeStore) -> None:
        self.store = store
        self.sent: list[Command] = []
        self.running = False
        self.answer: Callable[[Command], list[Event]] = lambda command: []
        self._events: list[Event] = []
        self._wake: Callable[[], None] | None = None
        self.stops = True

    def start(self) -> None:
        self.running = True
        self.tell(Snapshot(Status(RunState.IDLE), (), tuple(map(row, self.store.kept.values())), (), ()))

    def send(self, command: Command) -> None:
        self.sent.append(command)
        if isinstance(command, Stop) and self.stops:
            self.tell(ServiceStopped())
        self.tell(*self.answer(command))

    def tell(self, *events: Event) -> None:
        self._events += events
        if self._wake is not None and events:
            self._wake()

    def take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def set_wake(self, callback: Callable[[], None] | None) -> None:
        self._wake = callback

    def join(self, timeout_s: float) -> bool:
        return True


class Recorder:
    """A show that remembers."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.summary: Summary | None = None
        self.hung_up = False

    def begin(self, total: int) -> None:
        self.lines.append(f"begin {total}")

    def changed(self, row: JobRow) -> None:
        pass

    def finished(self, job: Finished) -> None:
        self.lines.append(f"{job.number}/{job.total} {job.row.name} {job.row.state}")

    def status(self, status: Status, done: int, total: int) -> None:
        pass

    def note(self, text: str, level: str = "info") -> None:
        self.lines.append(text)

    def end(self, summary: Summary) -> None:
        self.summary = summary

    def hang_up(self) -> None:
        self.hung_up = True


@dataclass
class Parts:
    store: FakeStore


@dataclass
class FakeSession:
    service: FakeService
    parts: Parts


ADD = AddJobs("add", ("/v",))


class Run:
    """A run of `jobs` that a test plays the service of."""

    def __init__(self, *jobs: Job, **options: Any) -> None:
        self.store = FakeStore({item.id: item for item in jobs})
        self.service = FakeService(self.store)
        self.show = Recorder()
        commands = () if options.get("take_all") else (ADD,)
        session: Any = FakeSession(self.service, Parts(self.store))
        self.driver = Headless(session, self.show, commands=commands, **options)
        self.after_adding: list[Event] = []
        self.service.answer = self._answer

    def _answer(self, command: Command) -> list[Event]:
        if command is ADD:
            return [CommandDone("add", "", len(self.store.kept), BATCH), *self.after_adding]
        return []

    def now(self, *jobs: Job) -> JobsChanged:
        """These jobs changed so."""
        self.store.kept |= {item.id: item for item in jobs}
        return JobsChanged(tuple(map(row, jobs)))

    def go(self) -> Summary:
        """To the end."""
        return self.driver.run()


IDLE = StatusChanged(Status(RunState.IDLE))


def blocked(code: str, reason: str = "why", advice: str = "what") -> StatusChanged:
    """A status that needs the user."""
    return StatusChanged(Status(RunState.BLOCKED, reason, advice, code))


def test_all_done_is_exit_0() -> None:
    run = Run(job(1), job(2))
    run.after_adding = [run.now(job(1, JobState.DONE), job(2, JobState.DONE)), IDLE]
    summary = run.go()
    assert (summary.code, summary.counts) == (Exit.DONE, {JobState.DONE: 2})
    assert run.show.lines == ["begin 2", "1/2 1.mp4 done", "2/2 2.mp4 done"]
    assert isinstance(run.service.sent[-1], Stop)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.PARTIAL, JobState.CANCELLED])
def test_a_job_that_is_not_done_is_exit_1(state: JobState) -> None:
    run = Run(job(1), job(2))
    bad = job(2, state, reason=Reason("X", "broken", "mend it"))
    run.after_adding = [run.now(job(1, JobState.DONE), bad), IDLE]
    assert run.go().code == Exit.SOME_FAILED


def test_files_left_out_are_exit_1() -> None:
    run = Run(job(1), left_out=1)
    run.after_adding = [run.now(job(1, JobState.DONE)), IDLE]
    assert run.go().code == Exit.SOME_FAILED


def test_an_idle_status_from_before_the_jobs_were_added_ends_nothing() -> None:
    run = Run(job(1))
    run.after_adding = [IDLE]  # stale: the job is queued
    threading.Timer(0.1, lambda: run.service.tell(run.now(job(1, JobState.DONE)), IDLE)).start()
    assert run.go().counts == {JobState.DONE: 1}


def test_a_refused_command_is_exit_2_with_its_words() -> None:
    run = Run()
    run.service.answer = lambda command: [CommandRefused("add", "no room", "make some")] if command is ADD else []
    summary = run.go()
    assert (summary.code, summary.reason, summary.advice) == (Exit.USAGE, "no room", "make some")


@pytest.mark.parametrize("code", ["NO_ACCOUNT", "KEYS_DEAD", "NO_MODEL"])
def test_what_only_the_user_can_put_right_is_exit_2(code: str) -> None:
    run = Run(job(1))
    run.after_adding = [blocked(code)]
    summary = run.go()
    assert (summary.code, summary.left, summary.reason, summary.advice) == (Exit.USAGE, 1, "why", "what")


def test_the_cap_of_a_run_ends_it_whether_or_not_it_would_wait() -> None:
    for no_wait in (False, True):
        run = Run(job(1), no_wait=no_wait)
        run.after_adding = [blocked("CAP", "the cap for this batch is $1.00")]
        summary = run.go()
        assert summary.code == Exit.STOPPED
        assert "--max-cost" in summary.advice


def test_the_cap_of_a_day_ends_a_run_that_does_not_wait_and_else_holds_it_until_midnight() -> None:
    reason = "the cap for today is $1.00"
    run = Run(job(1), no_wait=True)
    run.after_adding = [blocked("CAP", reason)]
    assert run.go().code == Exit.STOPPED

    midnight = 1_795_593_600.0  # of 2026-11-25 in Los Angeles
    waiting = Run(job(1), wall=lambda: midnight - 0.5)
    waiting.after_adding = [blocked("CAP", reason)]

    def answer(command: Command) -> list[Event]:
        if isinstance(command, Resume):
            return [waiting.now(job(1, JobState.DONE)), IDLE]
        return Run._answer(waiting, command)

    waiting.service.answer = answer
    assert waiting.go().code == Exit.DONE


def test_only_a_long_rest_ends_a_run_that_does_not_wait() -> None:
    run = Run(job(1), no_wait=True)
    minute = StatusChanged(Status(RunState.RESTING, "requests per minute are used up", until=time.time() + 55))
    day = StatusChanged(Status(RunState.RESTING, "today's requests are used up", until=time.time() + 9_000))
    run.after_adding = [minute]
    threading.Timer(0.1, lambda: run.service.tell(day)).start()
    summary = run.go()
    assert summary.code == Exit.STOPPED
    assert summary.reason.startswith("today's requests are used up (until ")
    assert "gsvr-tui resume" in summary.advice


def test_short_rests_that_lead_to_nothing_end_a_run_that_does_not_wait() -> None:
    moment = [1_000.0]
    run = Run(job(1), no_wait=True, wall=lambda: moment[0])

    def rest() -> StatusChanged:
        return StatusChanged(Status(RunState.RESTING, "no connection to the service", until=moment[0] + 30))

    def later(seconds: float) -> None:
        moment[0] += seconds
        run.service.tell(run.now(job(1, JobState.WAITING, step=Step.UPLOAD)), rest())

    run.after_adding = [rest()]
    for number, seconds in enumerate((500.0, 500.0, 110.0)):  # the second is progress no more: the step is the same
        threading.Timer(0.1 * (number + 1), later, (seconds,)).start()
    summary = run.go()
    assert summary.code == Exit.STOPPED
    assert summary.reason == "no progress for a while: no connection to the service"
    assert moment[0] == 2_110.0


def test_jobs_that_are_held_end_a_run_with_how_to_release_them() -> None:
    run = Run(job(1, JobState.HELD), take_all=True)
    threading.Timer(0.05, lambda: run.service.tell(StatusChanged(Status(RunState.PAUSED, "held", code="HELD")))).start()
    summary = run.go()
    assert (summary.code, summary.left) == (Exit.SOME_FAILED, 1)
    assert "--held" in summary.advice


def test_a_resumed_run_counts_what_was_unfinished_only() -> None:
    run = Run(job(1, JobState.DONE), job(2), job(3, JobState.FAILED), take_all=True)
    threading.Timer(0.05, lambda: run.service.tell(run.now(job(2, JobState.DONE)), IDLE)).start()
    summary = run.go()
    assert (summary.code, summary.counts) == (Exit.DONE, {JobState.DONE: 1})
    assert run.show.lines == ["begin 1", "1/1 2.mp4 done"]


def test_a_service_that_breaks_is_told_and_is_no_success() -> None:
    run = Run(job(1))
    run.after_adding = [ServiceStopped("ValueError: oh")]
    summary = run.go()
    assert summary.code == Exit.FAULT
    assert "ValueError: oh" in summary.reason


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_first_signal_drains_the_second_cuts_and_130_says_that_work_is_left() -> None:
    run = Run(job(1, step=Step.GENERATE))
    run.service.stops = False

    def answer(command: Command) -> list[Event]:
        if isinstance(command, Stop) and command.drain:
            signal.raise_signal(signal.SIGINT)
        elif isinstance(command, Stop):
            return [ServiceStopped(resumable=1)]
        return Run._answer(run, command)

    run.service.answer = answer
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    before = signal.getsignal(signal.SIGINT)
    summary = run.go()
    assert (summary.code, summary.left) == (Exit.INTERRUPTED, 1)
    assert [c.drain for c in run.service.sent if isinstance(c, Stop)] == [True, False]
    assert "gsvr-tui resume" in summary.advice
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_hang_up_writes_nothing_more_to_the_terminal() -> None:
    run = Run(job(1))
    threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGHUP)).start()
    assert run.go().code == Exit.INTERRUPTED
    assert run.show.hung_up
    assert run.show.summary is None
    assert run.show.lines == ["begin 1"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = Run(job(1))
        run.after_adding = [run.now(job(1, JobState.DONE)), IDLE]
        threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGHUP)).start()
        assert run.go().code == Exit.DONE
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_when_all_was_done_is_no_interruption() -> None:
    run = Run(job(1))
    run.service.stops = False

    def answer(command: Command) -> list[Event]:
        if isinstance(command, Stop):
            return [run.now(job(1, JobState.DONE)), ServiceStopped()]
        return Run._answer(run, command)

    run.service.answer = answer
    threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    assert run.go().code == Exit.DONE


def test_rows_are_told_once_also_when_they_come_again() -> None:
    run = Run(job(1), job(2))
    done = job(1, JobState.DONE)
    run.after_adding = [run.now(done), run.now(replace(done, cost_usd=1.0))]
    threading.Timer(0.05, lambda: run.service.tell(run.now(job(2, JobState.DONE)), IDLE)).start()
    run.go()
    assert run.show.lines.count("1/2 1.mp4 done") == 1
