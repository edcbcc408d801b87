"""JobDesk: jobs between the store and the screens. Every change of a job goes through here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gsvr_tui.core.messages import TimelineEntry
from gsvr_tui.core.models import Batch, Job, JobState, check_path
from gsvr_tui.core.scheduling import MoveJob
from gsvr_tui.service.outbox import Outbox
from gsvr_tui.service.rows import job_row
from gsvr_tui.service.settings import Clock
from gsvr_tui.store.repository import Store, Transaction
from gsvr_tui.store.status import Durability

MOST_TIMELINE = 60
MOST_TIMELINES = 2_000
PROGRESS_STEP = 0.01


class JobDesk:
    """Reads jobs from the store, writes their changes, tells the outbox, counts states."""

    def __init__(self, store: Store, outbox: Outbox, clock: Clock) -> None:
        self.store = store
        self._outbox = outbox
        self._clock = clock
        self.counts: dict[JobState, int] = dict.fromkeys(JobState, 0)
        self.tokens_in = 0
        self.tokens_out = 0
        self.cost_usd = 0.0
        self.finished: deque[float] = deque()  # wall times of the last hour
        self._batches: dict[str, Batch] = {}
        self._progress: dict[str, float] = {}
        self._timelines: dict[str, deque[TimelineEntry]] = {}
        self._users: dict[str, set[str]] = {}  # content hash → unfinished jobs that need the file
        self.changed: set[str] = set()  # since the last look of whoever watches one job

    def batch_of(self, job: Job) -> Batch:
        """The batch of a job."""
        batch = self._batches.get(job.batch_id)
        if batch is None:
            batch = self._batches[job.batch_id] = self.store.batch(job.batch_id)
        return batch

    def count(self, job: Job, sign: int = 1) -> None:
        """Take a job into the totals, or out of them."""
        self.counts[job.state] += sign
        self.tokens_in += sign * job.tokens_in
        self.tokens_out += sign * job.tokens_out
        self.cost_usd += sign * job.cost_usd
        if sign > 0 and job.content_hash:
            users = self._users.setdefault(job.content_hash, set())
            if job.state.final:
                users.discard(job.id)
            else:
                users.add(job.id)
            if not users:
                del self._users[job.content_hash]

    def is_wanted(self, content_hash: str) -> bool:
        """True while an unfinished job needs this file."""
        return content_hash in self._users

    # ---------------------------------------------------------------- changes

    def move(self, moves: Iterable[MoveJob]) -> None:
        """Store and show the scheduler's decisions; final ones are durable before anything depends on them."""
        moves = list(moves)
        if not moves:
            return
        transaction = self.store.begin()
        rows = []
        final = False
        now = self._clock.now()
        for move in moves:
            before = self.store.job(move.job)
            after = self._moved(before, move, now.wall)
            if after == before:
                continue
            check_path(before.state, after.state)
            final = final or after.state.final
            self._record(before, after, transaction)
            rows.append(job_row(after, self._progress.get(after.id, -1.0)))
        transaction.commit(Durability.DURABLE if final else Durability.SOON)
        self._outbox.put_rows(rows)

    def _moved(self, before: Job, move: MoveJob, wall: float) -> Job:
        if move.step is not before.step:
            self._progress.pop(before.id, None)
        after = replace(
            before,
            state=move.state,
            step=move.step,
            attempts=move.attempts,
            priority=move.priority,
            reason=move.reason,
            not_before=move.not_before,
            project=move.project,
            account=move.account,
            model=move.model,
            verdict=move.verdict,
            started_at=before.started_at if before.started_at or move.state is not JobState.RUNNING else wall,
        )
        if move.state.final and not before.state.final:
            after = replace(after, finished_at=wall, crashes=0)
            self._progress.pop(before.id, None)
            if move.state in (JobState.DONE, JobState.PARTIAL):
                self.finished.append(wall)
        elif not move.state.final and before.state.final:
            after = replace(after, finished_at=None)
        if move.state is not before.state and (move.state.final or move.reason is not None):
            text = str(move.state) + (f": {move.reason.message}" if move.reason else "")
            self.note(before.id, text, "error" if move.state is JobState.FAILED else "info")
        return after

    def patch(self, job_id: str, transaction: Transaction | None = None, **fields: Any) -> Job:
        """Change fields of a job other than its state. With no transaction given it is written soon."""
        before = self.store.job(job_id)
        after = replace(before, **fields)
        own = transaction or self.store.begin()
        self._record(before, after, own)
        if transaction is None:
            own.commit(Durability.SOON)
        self._outbox.put_rows([job_row(after, self._progress.get(job_id, -1.0))])
        return after

    def _record(self, before: Job, after: Job, transaction: Transaction) -> None:
        self.count(before, -1)
        self.count(after)
        transaction.put_job(after)
        self.changed.add(after.id)

    def progress(self, job_id: str, share: float) -> None:
        """Show how far a step is; never stored."""
        last = self._progress.get(job_id, -1.0)
        if share < 1.0 and 0.0 <= share - last < PROGRESS_STEP:
            return
        self._progress[job_id] = share
        self.changed.add(job_id)
        self._outbox.put_rows([job_row(self.store.job(job_id), share)])

    def progress_of(self, job_id: str) -> float:
        """Last progress of a job's step, below 0 when not known."""
        return self._progress.get(job_id, -1.0)

    # ---------------------------------------------------------------- history

    def note(self, job_id: str, text: str, level: str = "info") -> None:
        """Add a line to a job's history of this run."""
        timeline = self._timelines.get(job_id)
        if timeline is None:
            if len(self._timelines) >= MOST_TIMELINES:
                self._timelines.pop(next(iter(self._timelines)))
            timeline = self._timelines[job_id] = deque(maxlen=MOST_TIMELINE)
        timeline.append(TimelineEntry(self._clock.now().wall, text, level))
        self.changed.add(job_id)

    def timeline(self, job_id: str) -> tuple[TimelineEntry, ...]:
        """A job's history: what the store knows of earlier runs, then this run's lines."""
        job = self.store.job(job_id)
        entries = [TimelineEntry(job.created_at, "added")]
        own = self._timelines.get(job_id)
        if own is None and job.finished_at is not None:
            entries.append(TimelineEntry(job.finished_at, str(job.state)))
        return (*entries, *(own or ()))
