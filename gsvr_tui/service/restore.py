"""What an earlier run left: jobs go on where they were, answers that came are taken, what is unknown stays spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gsvr_tui.core.messages import JobRow
from gsvr_tui.core.models import Job, JobState, Limits, Now, Reason, RequestState, Segment, Usage
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import Event, JobArrived
from gsvr_tui.gemini.answers import answer_failure, answer_from_raw
from gsvr_tui.service.context import Context
from gsvr_tui.service.probe_step import needs_of
from gsvr_tui.service.rows import job_row
from gsvr_tui.store.errors import StoreError
from gsvr_tui.store.status import Durability

MOST_CRASHES = 3
"""A job in flight at so many crashes in a row may be what kills us: it is set aside."""
RECENT_S = 120.0
HOUR_S = 3600.0
LIMITS_KEY = "learned_limits"
FIRST_ROWS = 200
"""Rows shown before the rest is read."""
MORE_ROWS = 2_000
GIVE_WAY_S = 0.01
GIVE_WAY_FIRST_S = 0.5


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found. `unknown` requests were in flight when we died; their price may have been charged."""

    jobs: int = 0
    pending: int = 0
    adopted: int = 0
    unknown: int = 0
    unknown_usd: float = 0.0
    set_aside: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What the walk over the jobs collects."""

    jobs: int = 0
    pending: int = 0
    batch_costs: dict[str, float] = field(default_factory=dict)
    sends: list[Segment] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)


class Restorer:
    """Feeds the scheduler with what the store holds."""

    def __init__(self, context: Context, state: SchedulerState, feed: Callable[[Event], None]) -> None:
        self._context = context
        self._state = state
        self._feed = feed
        self._set_aside: list[str] = []

    async def run(self, only_batches: frozenset[str] | None, show: Callable[[list[JobRow]], None]) -> Restored:
        """Everything, once, before the first action. `show` gets the rows piece by piece, the first few soon."""
        now = self._context.clock.now()
        adopted, unknown, usd = self._requests(now)
        self._quota(now)
        desk = self._context.desk
        found = _Found()
        rows: list[JobRow] = []
        piece = FIRST_ROWS
        for job_id in desk.store.job_ids():
            job = self._settled(desk.store.job(job_id))
            desk.count(job)
            self._look_at(job, found, now)
            rows.append(job_row(job))
            if not job.state.final and (only_batches is None or job.batch_id in only_batches):
                found.pending += 1
                self._feed(self.arrival(job))
            if len(rows) >= piece:
                show(rows)
                first = piece == FIRST_ROWS
                rows, piece = [], MORE_ROWS
                # the screen's thread paints what it has; decoding would hold it up
                await asyncio.sleep(GIVE_WAY_FIRST_S if first else GIVE_WAY_S)
        show(rows)
        desk.finished.extend(sorted(found.finished))
        self._money(found.batch_costs)
        self._sends(found.sends, now)
        return Restored(found.jobs, found.pending, adopted, unknown, usd, tuple(self._set_aside))

    def _look_at(self, job: Job, found: _Found, now: Now) -> None:
        found.jobs += 1
        found.batch_costs[job.batch_id] = found.batch_costs.get(job.batch_id, 0.0) + job.cost_usd
        if job.started_at is None:
            return
        if job.finished_at is None or job.finished_at > now.wall - RECENT_S:
            segments = self._context.desk.store.segments(job.id)
            found.sends += [s for s in segments if s.sent_at and s.sent_at > now.wall - RECENT_S]
        if job.state is JobState.DONE and job.finished_at is not None and job.finished_at > now.wall - HOUR_S:
            found.finished.append(job.finished_at)

    def arrival(self, job: Job, *, announce: bool = False) -> JobArrived:
        """A job as the scheduler takes it."""
        context = self._context
        batch = context.desk.batch_of(job)
        segments = context.desk.store.segments(job.id) if job.probe is not None else ()
        return JobArrived(
            job=job.id,
            batch=job.batch_id,
            models=(batch.model, *(m for m in batch.fallback_models if m != batch.model)),
            state=JobState.QUEUED if job.state.final else job.state,
            priority=job.priority,
            attempts=job.attempts,
            not_before=job.not_before,
            size_bytes=job.size_bytes,
            segments=needs_of(context, job, segments),
            file_projects=context.files.projects(job.content_hash) if job.content_hash else frozenset(),
            reason=job.reason,
            announce=announce,
        )

    def _requests(self, now: Now) -> tuple[int, int, float]:
        """Intents without an outcome: adopt the answer if its file is there, else keep them as spent."""
        store = self._context.desk.store
        adopted = unknown = 0
        usd = 0.0
        for segment in store.open_requests():
            job = store.job(segment.job_id)
            transaction = store.begin()
            usage = self._answer_usage(segment.request_id)
            tokens_in = tokens_out = 0
            if usage is not None:
                adopted += 1
                tokens_in, tokens_out = usage.total_in, usage.total_out
                cost, state = self._cost(segment, tokens_in, tokens_out, now), RequestState.ANSWERED
            else:
                unknown += 1
                cost, state = segment.reserved_usd, RequestState.UNKNOWN
                usd += cost
            transaction.put_segment(replace(segment, request_state=state, usage=usage, cost_usd=cost))
            transaction.put_job(
                replace(
                    job,
                    cost_usd=job.cost_usd + cost,
                    tokens_in=job.tokens_in + tokens_in,
                    tokens_out=job.tokens_out + tokens_out,
                )
            )
            moment = Now(now.mono, segment.sent_at or now.wall)
            transaction.put_usage(
                self._context.usage.add(
                    segment.project,
                    segment.model,
                    moment,
                    account=segment.account,
                    tokens_in=tokens_in,
                    tokens_out=tokens_out,
                    cost_usd=cost,
                    answered=int(usage is not None),
                    failed=int(usage is None),
                )
            )
            transaction.commit(Durability.DURABLE)
        return adopted, unknown, usd

    def _answer_usage(self, request_id: str) -> Usage | None:
        """Usage of the answer on disk, None when there is none that can be used."""
        try:
            answer = answer_from_raw(self._context.desk.store.answers.read(request_id).text)
        except (KeyError, ValueError, StoreError):
            return None
        return answer.usage if answer_failure(answer) is None else None

    def _cost(self, segment: Segment, tokens_in: int, tokens_out: int, now: Now) -> float:
        if segment.reserved_usd == 0.0:
            return 0.0
        return self._context.catalogue.cost_usd(
            segment.model, tokens_in=tokens_in, tokens_out=tokens_out, wall=segment.sent_at or now.wall
        )

    def _settled(self, job: Job) -> Job:
        """A job that was in flight when we died is queued again, or set aside when that happens every time."""
        if job.state is not JobState.RUNNING:
            return job
        crashes = job.crashes + 1
        after = replace(job, state=JobState.QUEUED, crashes=crashes)
        if crashes >= MOST_CRASHES:
            reason = Reason(
                "SUSPECT",
                f"was in flight at {crashes} crashes in a row and is set aside",
                "h releases it; if it crashes again, please report it",
            )
            after = replace(after, state=JobState.HELD, reason=reason, crashes=0)
            self._set_aside.append(job.id)
        transaction = self._context.desk.store.begin()
        transaction.put_job(after)
        transaction.commit(Durability.SOON)
        return after

    def _quota(self, now: Now) -> None:
        ledger = self._state.ledger
        for row in self._context.usage.rows():
            ledger.restore_day(row.project, row.model, row.day, row.requests - row.rejected, now, row.tokens_in)
        learned = self._context.desk.store.meta(LIMITS_KEY) or {}
        for project, models in learned.items():
            for model, values in models.items():
                limits = Limits(
                    values.get("rpm"),
                    values.get("tpm"),
                    values.get("rpd"),
                    values.get("source", "429"),
                    values.get("tpd"),
                    bool(values.get("paced", False)),
                    values.get("learned_at"),
                )
                ledger.restore_learned(project, model, limits, now)

    def _money(self, batch_costs: dict[str, float]) -> None:
        money = self._state.money
        for row in self._context.usage.rows():
            money.restore(f"day {row.day}", row.cost_usd)
            money.restore(f"month {row.day[:7]}", row.cost_usd)
            money.restore(f"project {row.project} {row.day[:7]}", row.cost_usd)
        for batch, usd in batch_costs.items():
            money.restore(f"batch {batch}", usd)
        for item in self._context.desk.store.batches():
            if item.max_cost_usd is not None:
                money.caps.batches[item.id] = item.max_cost_usd

    def _sends(self, segments: list[Segment], now: Now) -> None:
        for segment in sorted(segments, key=lambda s: s.sent_at or 0.0):
            tokens = segment.usage.total_in if segment.usage else 0
            self._state.ledger.restore_send(segment.project, segment.model, segment.sent_at or 0.0, tokens, now)
