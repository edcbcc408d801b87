"""The engine: asks the scheduler what to do, does it in tasks, and tells the scheduler what came of it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.messages import (
    Command,
    CommandRefused,
    ServiceStopped,
    Stop,
)
from gsvr_tui.core.models import Account, Batch, JobState, Limits, RequestState, Step
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import (
    AccountPut,
    Action,
    Event,
    FinishJob,
    ForgetAnswers,
    ForgetFile,
    Interrupted,
    MoveJob,
    PauseSet,
    ProbeJob,
    SendRequest,
    StallSet,
    StepFailed,
    StopWork,
    UploadFile,
)
from gsvr_tui.core.text import clean_text, format_duration
from gsvr_tui.gemini.errors import GeminiFailure
from gsvr_tui.report.output import OutputProblem
from gsvr_tui.service.batch_files import BatchFiles, batch_formats
from gsvr_tui.service.commands import CommandDesk
from gsvr_tui.service.context import Context
from gsvr_tui.service.detail import DetailDesk
from gsvr_tui.service.files import RemoteFiles
from gsvr_tui.service.finish_step import FinishStep
from gsvr_tui.service.gateways import Gateways
from gsvr_tui.service.generate_step import GenerateStep
from gsvr_tui.service.jobs import JobDesk
from gsvr_tui.service.live_outlook import LiveOutlook
from gsvr_tui.service.outbox import Outbox
from gsvr_tui.service.probe_step import ProbeStep
from gsvr_tui.service.restore import LIMITS_KEY, Restored, Restorer
from gsvr_tui.service.settings import Parts, ServiceSettings
from gsvr_tui.service.sharing import SharedProjects
from gsvr_tui.service.sleep_watch import LOOK_S, SleepWatch
from gsvr_tui.service.spare_answers import give_up
from gsvr_tui.service.standing import tier_limits
from gsvr_tui.service.telling import Teller
from gsvr_tui.service.upload_step import UploadStep
from gsvr_tui.service.usage import UsageBook
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.status import Durability, StoreStatus

log = logging.getLogger("gsvr_tui.service")

THREADS = 4
STOPPING = "the service is stopping"
PUBLISH_S = 0.5
"""While something is in flight, status and quota are looked at this often (real time); never when all rests."""


class Engine:
    """Runs in the service's own event loop; `send` is the only method for other threads."""

    def __init__(self, settings: ServiceSettings, parts: Parts, outbox: Outbox) -> None:
        self.settings = settings
        self.parts = parts
        self.outbox = outbox
        self.clock = parts.clock
        self.scheduler = Scheduler(
            random=parts.random,
            caps=settings.caps,
            workers=settings.workers,
            fallback_after_s=settings.fallback_after_s,
        )
        self.state = self.scheduler.state
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="gsvr-work")
        self.desk = JobDesk(parts.store, outbox, parts.clock)
        self.gateways = Gateways(parts, settings, self._executor, parts.clock.server_said)
        self.context = Context(
            desk=self.desk,
            gateways=self.gateways,
            usage=UsageBook(parts.store),
            catalogue=parts.catalogue,
            templates=parts.templates,
            clock=parts.clock,
            executor=self._executor,
            scratch=parts.places.state / "scratch",
            files=RemoteFiles(parts.store, parts.clock),
            on_text=lambda job, piece: self.detail.text(job, piece),
            feed=self.feed,
            on_upload=lambda account, file: self._sharing.uploaded(account, file),
            tokens_per_minute=self._tokens_per_minute,
            on_refusal=self.state.ledger.note_round_trip,
        )
        self._probe = ProbeStep(self.context)
        self._upload = UploadStep(self.context)
        self._generate = GenerateStep(self.context)
        self._finish = FinishStep(self.context)
        self._batch_files = BatchFiles(self.context, self._finish)
        self.restorer = Restorer(self.context, self.state, self.feed)
        self.detail = DetailDesk(self.context, outbox)
        self.outlook = LiveOutlook(self)
        self._teller = Teller(self)
        self._sharing = SharedProjects(self, self._teller.monitor.shared.__setitem__)
        self._commands = CommandDesk(self)
        self._sleep_watch = SleepWatch()
        self._mailbox: list[Command] = []
        self._kick = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: dict[asyncio.Task[None], str] = {}  # → job
        self._errands: set[asyncio.Task[None]] = set()  # checks, adding: not part of a job
        self._stop_at = math.inf
        self._draining = False
        self.restored = Restored()

    # ---------------------------------------------------------------- from other threads

    def send(self, command: Command) -> None:
        """Put a command into the mailbox."""
        self._mailbox.append(command)  # list.append is atomic
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._kick.set)
            except RuntimeError:
                return  # the loop has ended: ServiceStopped has been or is being told

    def store_status(self, status: StoreStatus) -> None:
        """The store stalls or goes on (called from its writer thread)."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self.feed, StallSet(status.reason if status.stalled else ""))
            except RuntimeError:
                return

    # ---------------------------------------------------------------- in the loop

    def feed(self, event: Event) -> None:
        """Tell the scheduler what happened; the loop looks at it at once."""
        self.scheduler.feed(event, self.clock.now())
        self._kick.set()

    def look_again(self) -> None:
        """Something that the scheduler need not know has changed: tell it."""
        self._kick.set()

    async def run(self) -> None:
        """Until Stop."""
        self._loop = asyncio.get_running_loop()
        self._teller.follow_logs()
        self.context.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        for account in self.settings.accounts:
            self.put_account(account)
        self.restored = await self.restorer.run(self.settings.only_batches, self._teller.rows)
        if self.settings.start_paused:
            self.feed(PauseSet(True))
        self._teller.restored()
        try:
            await self._cycle()
        finally:
            await self._close()
        self.outbox.put(ServiceStopped(resumable=self.desk_pending()))

    async def _cycle(self) -> None:
        while True:
            self._kick.clear()
            self._take_commands()
            self._look_at_clocks()
            plan = self.scheduler.next_actions(self.clock.now())
            self._carry_out(plan.actions)
            self._teller.publish(plan, busy=bool(self._tasks), stopping=self._draining)
            if self._draining and self._ended():
                return
            await self._sleep(plan.wake_at)

    def _look_at_clocks(self) -> None:
        ahead = self._sleep_watch.jumped(self.clock.now(), self.clock.correction)
        if not ahead:
            return
        if ahead > 0:
            log.info("this computer slept for %s (or its clock was set): new connections", format_duration(ahead))
        else:
            log.warning("the clock of this computer was set back by %s", format_duration(-ahead))
        self.errand(self.gateways.renew())

    def _ended(self) -> bool:
        if not self._tasks:
            return True
        if self.clock.now().mono < self._stop_at:
            return False
        self.cut_requests()
        self._stop_at = math.inf  # they end in the next rounds
        return False

    async def _sleep(self, wake_at: float) -> None:
        now = self.clock.now().mono
        wait_s = self.clock.real_seconds(min(wake_at, self._stop_at) - now)
        if self._tasks or now < self._teller.active_until:
            wait_s = min(wait_s, PUBLISH_S)
        if math.isinf(wait_s):
            await self._kick.wait()
            return
        wait_s = min(wait_s, LOOK_S)  # a wait that began before a sleep may be over
        try:
            async with asyncio.timeout(max(0.0, wait_s)):
                await self._kick.wait()
        except TimeoutError:
            return

    def _take_commands(self) -> None:
        while self._mailbox:
            command = self._mailbox.pop(0)
            if isinstance(command, Stop):
                self._begin_stop(command)
            else:
                self._commands.handle(command)

    def _begin_stop(self, command: Stop) -> None:
        self._draining = True
        self.state.paused = True
        for errand in self._errands:
            errand.cancel()
        deadline = self.clock.now().mono + (self.settings.drain_s if command.drain else 0.0)
        self._stop_at = min(self._stop_at, deadline)

    # ---------------------------------------------------------------- actions

    def _carry_out(self, actions: tuple[Action, ...]) -> None:
        moves = [action for action in actions if isinstance(action, MoveJob)]
        self.desk.move(moves)
        for move in moves:
            if move.state in (JobState.DONE, JobState.PARTIAL):
                self._tidy(move.job)
        for batch in self._batches_ended(moves):
            task = asyncio.create_task(self._write_batch(batch), name=f"files of {batch.id}")
            self._tasks[task] = ""  # of no job; the run does not end before it
            task.add_done_callback(self._task_ended)
        for action in actions:
            self._start(action)

    def _batches_ended(self, moves: list[MoveJob]) -> list[Batch]:
        """Batches with files of their own whose last job has just ended."""
        jobs = [self.desk.store.job(move.job) for move in moves if move.state.final]
        batches = {job.batch_id: self.desk.batch_of(job) for job in jobs}
        open_jobs = self.state.board.entries.values()
        return [
            batch
            for batch in batches.values()
            if batch_formats(batch.formats)
            and not any(entry.batch == batch.id and not entry.state.final for entry in open_jobs)
        ]

    async def _write_batch(self, batch: Batch) -> None:
        name = clean_text(batch.name)
        try:
            written = await self.context.in_thread(self._batch_files.write, batch, create_root=False)
            for file in written:
                if file.note:
                    log.warning("batch %s: %s", name, file.note)
            log.info("batch %s: %s", name, ", ".join(file.path.name for file in written))
        except (OutputProblem, StoreError) as problem:
            log.warning("the files over batch %s were not written: %s; gsvr-tui render writes them", name, problem)
        except Exception:  # the boundary of a batch's files: a fault of ours here leaves every report as it is
            log.exception("the files over batch %s were not written", name)

    def _start(self, action: Action) -> None:
        match action:
            case ProbeJob(job):
                self._spawn(job, Step.PROBE, self._probe.run(job))
            case UploadFile(job, _, name):
                self._spawn(job, Step.UPLOAD, self._upload.run(job, self._account(name)))
            case SendRequest(request, job, _, _, name):
                self._spawn(job, Step.GENERATE, self._generate.run(action, self._account(name)), request)
            case FinishJob(job):
                self._spawn(job, Step.CHECK, self._finish.run(job))
            case StopWork(job):
                self._cut([task for task, owner in self._tasks.items() if owner == job])
            case ForgetFile(job, project):
                self.context.files.forget(project, self.desk.store.job(job).content_hash)
            case ForgetAnswers(job):
                self.forget_answers(job)

    @property
    def stopping(self) -> bool:
        """True after a Stop."""
        return self._draining

    def cut_requests(self) -> None:
        """Break off all that is in flight; it is done again later."""
        self._cut(list(self._tasks))

    @staticmethod
    def _cut(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()

    def is_ending(self, job_id: str) -> bool:
        """True while a step of the job is still being broken off."""
        return job_id in self._tasks.values()

    def _account(self, name: str) -> Account:
        account = self.state.pool.get(name)
        if account is None:
            raise AssertionError(f"work for an account that is gone: {name}")
        return account

    def _tidy(self, job_id: str) -> None:
        """A finished job's video need not lie at the service for two days; other jobs may still want it."""
        digest = self.desk.store.job(job_id).content_hash
        if digest and not self.desk.is_wanted(digest) and not self._draining:
            self.errand(self._delete_copies(digest))

    async def _delete_copies(self, digest: str) -> None:
        for project in self.context.files.all_projects(digest):
            file = self.desk.store.remote_file(project, digest)
            account = self.state.pool.account_for(project)
            if file is None or account is None or self.desk.is_wanted(digest):
                continue
            self.context.files.forget(project, digest)
            try:
                gateway = await self.gateways.get(account)
                await gateway.delete_file(file.name)
            except GeminiFailure as problem:
                log.debug("a remote copy was not deleted, it expires by itself: %s", problem.failure.message)

    def forget_answers(self, job_id: str) -> None:
        """The next requests of a job ask the model again. The answer files stay: they were paid for."""
        store = self.desk.store
        forgotten = store.segments(job_id)
        transaction = store.begin()
        for segment in forgotten:
            transaction.put_segment(replace(segment, request_state=RequestState.FAILED, work_key=""))
            give_up(transaction, segment.request_id)
        transaction.commit(Durability.SOON)
        for segment in forgotten:
            while (same := store.segment_by_work_key(segment.work_key)) is not None:
                transaction = store.begin()  # its job keeps the answer, but it is handed to nobody any more
                transaction.put_segment(replace(same, work_key=""))
                give_up(transaction, same.request_id)
                transaction.commit(Durability.SOON)

    def _spawn(self, job: str, step: Step, work: Coroutine[Any, Any, Event], request: str = "") -> None:
        task = asyncio.create_task(self._guarded(job, step, work, request), name=f"{step} {job}")
        self._tasks[task] = job
        task.add_done_callback(self._task_ended)
        task.add_done_callback(lambda _: work.close())

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._kick.set()

    async def _guarded(self, job: str, step: Step, work: Coroutine[Any, Any, Event], request: str) -> None:
        try:
            event = await work
        except asyncio.CancelledError:
            event = Interrupted(job, step, request)
        except Exception:  # the boundary of a job: a fault of ours fails this job, the others go on
            log.exception("step %s of job %s failed", step, job)
            event = StepFailed(
                job,
                step,
                Failure(
                    FailureKind.ITEM,
                    Scope.ITEM,
                    "INTERNAL",
                    "a fault inside gsvr-tui",
                    "the log has the details; r tries again",
                ),
                request,
                cost_usd=None,
            )
        if isinstance(event, StepFailed) and event.failure.violations:
            self.feed(event)
            self._keep_limits()
        else:
            self.feed(event)
        if step is Step.GENERATE:
            self.detail.text_ended(job)

    def errand(self, work: Coroutine[Any, Any, None], command_id: str = "") -> None:
        """Run something that belongs to no job; for a command, which is answered whatever happens."""
        task = asyncio.create_task(self._on_errand(work, command_id))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before it began, nobody else would

    async def _on_errand(self, work: Coroutine[Any, Any, None], command_id: str) -> None:
        try:
            await work
        except asyncio.CancelledError:
            if command_id:
                self.outbox.put(CommandRefused(command_id, STOPPING))
            raise
        except Exception:  # the boundary of an errand: a fault of ours must not leave a command without its answer
            log.exception("an errand failed")
            if command_id:
                self.outbox.put(CommandRefused(command_id, "a fault inside gsvr-tui", "the log has the details"))

    # ---------------------------------------------------------------- quota and accounts

    def put_account(self, account: Account) -> None:
        """Use an account, with what is known of its tier."""
        self.feed(AccountPut(account, dict(self.tier_limits(account))))

    def tier_limits(self, account: Account) -> dict[str, Limits]:
        """Limits people met on an account's tier, by model; empty for a tier that is not stated."""
        return tier_limits(account, self.parts.catalogue)

    def _keep_limits(self) -> None:
        learned: dict[str, dict[str, Any]] = {}
        for (project, model), limits in self.state.ledger.learned().items():
            learned.setdefault(project, {})[model] = asdict(limits)
        transaction = self.desk.store.begin()
        transaction.put_meta(LIMITS_KEY, learned)
        transaction.commit(Durability.SOON)

    def _tokens_per_minute(self, model: str) -> int | None:
        now = self.clock.now()
        known = [self.state.ledger.limits(project, model, now).tpm for project in self.state.pool.projects()]
        numbers = [tpm for tpm in known if tpm is not None]
        return max(numbers) if numbers and len(numbers) == len(known) else None

    # ---------------------------------------------------------------- the end

    def desk_pending(self) -> int:
        """Jobs that go on at the next start."""
        return sum(count for state, count in self.desk.counts.items() if not JobState(state).final)

    async def _close(self) -> None:
        for task in [*self._tasks, *self._errands]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._errands, return_exceptions=True)
        try:
            self.state.halted = True
            last = self.scheduler.next_actions(self.clock.now())
            self.desk.move([action for action in last.actions if isinstance(action, MoveJob)])
        finally:  # also when it is the scheduler that broke: no process and no connection is left behind
            self.context.media.close()
            self._executor.shutdown(wait=False, cancel_futures=True)
            self.context.recorder.shutdown(wait=False)
            self._teller.unfollow_logs()
            await self.gateways.close()
