"""Drives the service with no screen: commands in, events out, signals, and the decision that a run is over."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.run_facts import Finished, Show, Summary
from gsvr_tui.core.messages import (
    CommandDone,
    CommandRefused,
    JobRow,
    JobsChanged,
    LogLine,
    Resume,
    RunState,
    ServiceStopped,
    Snapshot,
    Status,
    StatusChanged,
    Stop,
)
from gsvr_tui.core.models import Job, JobState, Step
from gsvr_tui.core.pacific import next_midnight

if TYPE_CHECKING:
    from gsvr_tui.core.messages import Command, Event
    from gsvr_tui.service.assembly import Session

LONG_REST_S = 90.0
"""A minute's window is not "no quota": only longer rests end a run that was told not to wait."""
NO_PROGRESS_S = 600.0
"""A run that was told not to wait also ends when short rests lead to nothing for so long: no network, an outage."""
HOLDS_UNTIL_MIDNIGHT = ("the cap for today", "the cap for this month")
_ENDING = (RunState.STOPPING, RunState.STOPPED)
_ORDER = {step: number for number, step in enumerate(Step)}
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_QUIET_SOURCES = ("gsvr_tui.service.adding",)
"""What is left out was told before the run began."""


class Headless:
    """One run. `commands` are sent at the start; the run is over when nothing of it is left.

    `resume`: the jobs of the service's snapshot are part of the run, else only those that `commands` add.
    """

    def __init__(
        self,
        session: Session,
        show: Show,
        *,
        commands: Sequence[Command] = (),
        resume: frozenset[str] | None = None,
        take_all: bool = False,
        no_wait: bool = False,
        left_out: int = 0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._service = session.service
        self._show = show
        self._commands = commands
        self._batches = set(resume or ())
        self._take_all = take_all
        self._no_wait = no_wait
        self._left_out = left_out
        self._wall = wall
        # a SimpleQueue may be put to from a signal handler while the same thread waits in it; an Event may not
        self._wakes: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._rows: dict[str, JobRow] = {}
        self._ended: set[str] = set()  # jobs told as finished, or finished before this run
        self._unanswered = {command.id for command in commands}
        self._status = Status(RunState.STARTING)
        self._signals: list[int] = []
        self._hung_up = False
        self._stopping = False
        self._code: Exit | None = None
        self._reason = ""
        self._advice = ""
        self._stopped: ServiceStopped | None = None
        self._begun = False
        self._furthest: dict[str, int] = {}  # step each job has reached
        self._progress_at = wall()

    # ---------------------------------------------------------------- the loop

    def run(self) -> Summary:
        """Until everything is done, can't go on, or was interrupted. The service has ended then."""
        started = time.monotonic()
        with self._handlers():
            self._service.set_wake(lambda: self._wakes.put(0))
            if not self._service.running:
                self._service.start()
            for command in self._commands:
                self._service.send(command)
            while self._stopped is None:
                self._wait()
                for event in self._service.take_events():
                    self._take(event)
                self._decide()
            self._service.set_wake(None)
            self._service.join(5.0)
        summary = self._summary(time.monotonic() - started)
        if not self._hung_up:
            self._show.end(summary)
        return summary

    def _wait(self) -> None:
        """Until the service or a signal wakes us. A cap that ends at midnight is the one thing nobody wakes for."""
        timeout = None
        if self._status.state is RunState.BLOCKED and self._status.code == "CAP" and not self._stopping:
            timeout = max(1.0, next_midnight(self._wall()) - self._wall() + 1.0)
        try:
            number = self._wakes.get(timeout=timeout)
        except queue.Empty:
            self._service.send(Resume("midnight"))  # makes the service look again
            return
        if number:
            self._signalled(number)

    # ---------------------------------------------------------------- signals

    @contextmanager
    def _handlers(self) -> Iterator[None]:
        before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for name in _SIGNALS:
                number = getattr(signal, name, None)
                # one that is ignored (nohup, a job in the background) stays ignored
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, lambda number, frame: self._wakes.put(number))
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _signalled(self, number: int) -> None:
        self._signals.append(number)
        if number == getattr(signal, "SIGHUP", 0):
            self._hung_up = True
            self._show.hang_up()
        if self._stopped is not None:
            return
        first = len(self._signals) == 1
        if not self._hung_up:
            if first:
                self._show.note("stopping: what is in flight finishes first; once more stops at once", "warning")
            else:
                self._show.note("stopping at once; what is in flight is sent again next time", "warning")
        self._stopping = True
        self._service.send(Stop(f"stop-{len(self._signals)}", drain=first))

    # ---------------------------------------------------------------- events

    def _take(self, event: Event) -> None:
        match event:
            case Snapshot():
                self._status = event.status
                if self._take_all:
                    self._adopt(row for row in event.jobs if not self._batches or row.batch_id in self._batches)
            case JobsChanged():
                for row in event.rows:
                    self._row(row)
            case StatusChanged():
                self._status = event.status
            case CommandDone():
                self._answered(event)
            case CommandRefused():
                if event.command_id in self._unanswered:
                    self._end(Exit.USAGE, event.message, event.advice)
            case LogLine():
                if event.level in ("warning", "error") and event.source not in _QUIET_SOURCES:
                    self._show.note(event.message, event.level)
            case ServiceStopped():
                self._stopped = event
            case _:
                pass

    def _adopt(self, rows: Iterator[JobRow]) -> None:
        """Jobs of an earlier run. Those that had ended then are not part of this one."""
        for row in rows:
            if not row.state.final:
                self._rows[row.id] = row
        self._begin()

    def _answered(self, event: CommandDone) -> None:
        if event.command_id not in self._unanswered:
            return
        self._unanswered.discard(event.command_id)
        store = self._session.parts.store
        from gsvr_tui.service.rows import job_row

        for batch in filter(None, event.batch_id.split(",")):
            self._batches.add(batch)
            for job in store.jobs_of(batch):
                self._rows.setdefault(job.id, job_row(job))
                if job.state.final and event.count == 0:
                    self._ended.add(job.id)  # from an earlier run
        if event.count == 0 and event.message:
            self._show.note(event.message)
        if not self._unanswered:
            self._begin()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._show.begin(len(self._rows) - len(self._ended))
            for row in list(self._rows.values()):  # some may have ended before we were told that they were added
                self._row(row)

    def _row(self, row: JobRow) -> None:
        self._rows[row.id] = row
        reached = _ORDER[row.step]
        if reached > self._furthest.get(row.id, -1):
            self._furthest[row.id] = reached
            self._progress_at = self._wall()
        if not self._begun:
            return
        self._show.changed(row)
        if not row.state.final:
            self._ended.discard(row.id)
        elif row.id not in self._ended:
            self._ended.add(row.id)
            job = self._job(row.id)
            outputs = job.outputs if job is not None else ()
            self._show.finished(Finished(row, outputs, len(self._ended), len(self._rows)))

    def _job(self, job_id: str) -> Job | None:
        try:
            return self._session.parts.store.job(job_id)
        except KeyError:
            return None

    # ---------------------------------------------------------------- is it over

    def _decide(self) -> None:
        if self._stopped is not None or self._stopping or self._unanswered or not self._begun:
            return
        status = self._status
        self._show.status(status, len(self._ended), len(self._rows))
        if status.state in _ENDING:
            return
        if len(self._ended) == len(self._rows) and status.state is RunState.IDLE:
            self._end(None)
        elif status.state is RunState.BLOCKED:
            self._blocked(status)
        elif status.state is RunState.PAUSED and status.code == "HELD":
            self._end(Exit.SOME_FAILED, "what is left is held", "release it with: gsvr-tui resume --held")
        elif status.state is RunState.RESTING and self._no_wait and status.until is not None:
            now = self._wall()
            if status.until - now > LONG_REST_S:
                until = time.strftime("%a %H:%M", time.localtime(status.until))
                self._end(Exit.STOPPED, f"{status.reason} (until {until})", "go on then with: gsvr-tui resume")
            elif now - self._progress_at > NO_PROGRESS_S:
                self._end(Exit.STOPPED, f"no progress for a while: {status.reason}", "go on with: gsvr-tui resume")

    def _blocked(self, status: Status) -> None:
        if status.code != "CAP":
            self._end(Exit.USAGE, status.reason, status.advice)
        elif self._no_wait or not status.reason.startswith(HOLDS_UNTIL_MIDNIGHT):
            # nothing but another call can raise the cap of a run or a batch: waiting would be for ever
            self._end(Exit.STOPPED, status.reason, "raise the cap to go on: gsvr-tui resume --max-cost USD")

    def _end(self, code: Exit | None, reason: str = "", advice: str = "") -> None:
        if self._stopping:
            return
        self._stopping = True
        self._code, self._reason, self._advice = code, reason, advice
        self._unanswered.clear()
        self._service.send(Stop("end", drain=True))

    # ---------------------------------------------------------------- the end

    def _summary(self, seconds: float) -> Summary:
        counts: Counter[JobState] = Counter()
        outputs: list[str] = []
        failures = []
        tokens_in = tokens_out = 0
        for job_id in self._rows:
            job = self._job(job_id)
            if job is None:
                continue
            counts[job.state] += 1
            tokens_in += job.tokens_in
            tokens_out += job.tokens_out
            outputs += job.outputs
            if job.state in (JobState.FAILED, JobState.PARTIAL) and job.reason is not None:
                failures.append((job.name, job.reason.message, job.reason.advice))
        left = sum(count for state, count in counts.items() if not state.final)
        code, reason, advice = self._verdict(counts, left)
        return Summary(
            code=code,
            counts=dict(counts),
            left=left,
            left_out=self._left_out,
            seconds=seconds,
            spent_usd=self._status.spent_usd,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            outputs=tuple(outputs),
            batches=tuple(sorted(self._batches)),
            reason=reason,
            advice=advice,
            failures=tuple(failures),
        )

    def _verdict(self, counts: Counter[JobState], left: int) -> tuple[Exit, str, str]:
        if self._stopped is not None and self._stopped.error:
            return Exit.FAULT, f"the service ended: {self._stopped.error}", "the log has details; see gsvr-tui doctor"
        if self._signals and (left or not self._begun):
            return Exit.INTERRUPTED, "interrupted; what is finished is saved", "go on with: gsvr-tui resume"
        if self._code is not None:
            return self._code, self._reason, self._advice
        if counts[JobState.FAILED] or counts[JobState.PARTIAL]:
            return Exit.SOME_FAILED, "", "try those that failed again with: gsvr-tui retry --failed"
        if counts.total() != counts[JobState.DONE] or self._left_out:
            return Exit.SOME_FAILED, "", ""
        return Exit.DONE, "", ""
