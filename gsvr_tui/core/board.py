"""The board of jobs: where each stands, and queues that give the next one for a step without looking at all of them.

Queues are heaps with lazy deletion: every change of a job gives it a new stamp, and heap items of older stamps are
skipped. There is a queue for each batch, chain of models and class, in the order of ids, which is the order the jobs
were added in; whose turn it is between queues is `fairness`' to say.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from gsvr_tui.core.models import JobState, Priority, Reason, Step, Verdict, check_path
from gsvr_tui.core.scheduling import MoveJob, SegmentNeed

Chain = tuple[str, ...]
"""A job's models: the primary, then its fallbacks."""
Lane = tuple[str, Chain, Priority]
"""Batch, models and class: jobs of one lane wait for the same things, so that one that can't go on blocks no other."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A paid request that is out."""

    request: str
    job: str
    segment: int
    project: str
    account: str
    model: str


class Entry:
    """What the scheduler knows of a job that is not finished for good."""

    __slots__ = (
        "account",
        "alone",
        "attempts",
        "batch",
        "busy",
        "counted_ahead",
        "counted_on",
        "file_projects",
        "final",
        "flights",
        "held",
        "job",
        "model",
        "models",
        "priority",
        "project",
        "reason",
        "replans",
        "reuploads",
        "segments",
        "size_bytes",
        "stamp",
        "state",
        "step",
        "successes_seen",
        "trouble",
        "unknown_outcomes",
        "uploader",
        "verdict",
        "wait_until",
        "wait_until_wall",
    )

    def __init__(self, job: str, batch: str, models: Chain) -> None:
        self.job = job
        self.batch = batch
        self.models = models
        self.state = JobState.QUEUED
        self.final = False  # of its state; asked for at every turn
        self.step = Step.PROBE
        self.priority = Priority.NORMAL
        self.attempts = 0
        self.busy: Step | None = None  # PROBE, UPLOAD or CHECK in flight
        self.flights: dict[int, str] = {}  # segment → request
        self.segments: tuple[SegmentNeed, ...] = ()
        self.size_bytes = 0
        self.project = ""
        self.account = ""  # of its last request
        self.uploader = ""  # account of the upload under way
        self.model = ""
        self.file_projects: frozenset[str] = frozenset()
        self.reason: Reason | None = None
        self.verdict: Verdict | None = None
        self.held = False
        self.wait_until = -math.inf  # monotonic
        self.wait_until_wall: float | None = None
        self.reuploads = 0
        self.replans = 0
        self.unknown_outcomes = 0
        self.trouble = 0  # server errors in a row
        self.alone = 0  # those of them that came while others went through
        self.successes_seen = 0
        self.stamp = 0
        self.counted_on = ""
        self.counted_ahead: Lane | None = None

    @property
    def lane(self) -> Lane:
        """The queue it stands in."""
        return self.batch, self.models, self.priority

    @property
    def in_flight(self) -> bool:
        """True while a step of this job is out."""
        return self.busy is not None or bool(self.flights)

    def unsent(self) -> SegmentNeed | None:
        """The next segment that is neither answered nor out."""
        for need in self.segments:
            if not need.answered and need.index not in self.flights:
                return need
        return None

    @property
    def all_answered(self) -> bool:
        """True when every planned segment has its answer."""
        return bool(self.segments) and all(need.answered for need in self.segments)


HeapItem = tuple[int, str, int]


class Board:
    """All entries and the queues over them."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.probe: dict[Lane, list[HeapItem]] = {}
        self.finish: list[HeapItem] = []
        self.upload: dict[Lane, list[HeapItem]] = {}
        self.generate: dict[tuple[str, Lane], list[HeapItem]] = {}
        self.waiting: list[tuple[float, str, int]] = []
        self.bound: Counter[tuple[str, Chain]] = Counter()  # jobs uploading to a project or ready there and not out yet
        self.ahead: Counter[Lane] = Counter()  # looked into, not bound to a project yet
        self.ends_only = False  # report no other moves: nobody looks on
        self._dirty: dict[str, None] = {}

    # ---------------------------------------------------------------- changing

    def add(self, entry: Entry, *, announce: bool) -> None:
        """Take a job onto the board. `announce`: report its standing as a change."""
        old = self.entries.get(entry.job)
        if old is not None:
            self._drop(old)
        self.entries[entry.job] = entry
        self._requeue(entry)
        if announce:
            self._dirty[entry.job] = None

    def touch(self, entry: Entry) -> None:
        """Call after every change: settles the state, requeues and marks the job as changed."""
        if not entry.final:
            self._set_state(entry, self._standing(entry))
        self._requeue(entry)
        self._dirty[entry.job] = None

    def end(self, entry: Entry, state: JobState, reason: Reason | None) -> None:
        """Bring a job to a final state."""
        entry.reason = reason
        entry.wait_until, entry.wait_until_wall = -math.inf, None
        entry.held = False
        self._set_state(entry, state)
        if state in (JobState.DONE, JobState.PARTIAL):
            entry.step = Step.END
        self.touch(entry)

    def _drop(self, entry: Entry) -> None:
        entry.stamp += 1
        self._count(entry, "", ahead=False)

    def wait(self, entry: Entry, until: float, until_wall: float, reason: Reason | None) -> None:
        """Do nothing for the job before `until` (monotonic)."""
        entry.wait_until, entry.wait_until_wall, entry.reason = until, until_wall, reason
        self.touch(entry)

    def release_waiting(self, mono: float) -> float:
        """Queue those whose wait is over; returns when the next wait ends."""
        while self.waiting:
            until, job, stamp = self.waiting[0]
            entry = self.entries.get(job)
            if entry is None or entry.stamp != stamp:
                heapq.heappop(self.waiting)
                continue
            if until > mono:
                return until
            heapq.heappop(self.waiting)
            entry.wait_until, entry.wait_until_wall, entry.reason = -math.inf, None, None
            self.touch(entry)
        return math.inf

    @staticmethod
    def _standing(entry: Entry) -> JobState:
        if entry.in_flight:
            return JobState.RUNNING
        if entry.held:
            return JobState.HELD
        return JobState.WAITING if entry.wait_until > -math.inf else JobState.QUEUED

    def _set_state(self, entry: Entry, state: JobState) -> None:
        if state is entry.state:
            return
        check_path(entry.state, state)
        entry.state = state
        entry.final = state.final

    # ---------------------------------------------------------------- queues

    def _requeue(self, entry: Entry) -> None:
        entry.stamp += 1
        self._recount(entry)
        if entry.final or entry.held or entry.busy is not None:
            return
        if entry.wait_until > -math.inf:
            heapq.heappush(self.waiting, (entry.wait_until, entry.job, entry.stamp))
            return
        item = (-int(entry.priority), entry.job, entry.stamp)
        if entry.step is Step.PROBE:
            heapq.heappush(self.probe.setdefault(entry.lane, []), item)
        elif entry.step is Step.UPLOAD:
            heapq.heappush(self.upload.setdefault(entry.lane, []), item)
        elif entry.step is Step.GENERATE and entry.unsent() is not None:
            heapq.heappush(self.generate.setdefault((entry.project, entry.lane), []), item)
        elif entry.step is Step.CHECK:
            heapq.heappush(self.finish, item)

    def _recount(self, entry: Entry) -> None:
        on = ""
        if entry.project and not entry.final and not entry.held:
            uploading = entry.step is Step.UPLOAD and entry.busy is not None
            ready = entry.step is Step.GENERATE and entry.unsent() is not None
            on = entry.project if uploading or ready else ""
        idle = entry.busy is None and not entry.held and not entry.final
        self._count(entry, on, ahead=idle and entry.step is Step.UPLOAD and not entry.project)

    def _count(self, entry: Entry, on: str, *, ahead: bool) -> None:
        if on != entry.counted_on:
            if entry.counted_on:
                self.bound[entry.counted_on, entry.models] -= 1
            if on:
                self.bound[on, entry.models] += 1
            entry.counted_on = on
        lane = entry.lane if ahead else None
        if lane != entry.counted_ahead:
            if entry.counted_ahead is not None:
                self.ahead[entry.counted_ahead] -= 1
            if lane is not None:
                self.ahead[lane] += 1
            entry.counted_ahead = lane

    def top(self, heap: list[HeapItem]) -> Entry | None:
        """The first entry of a queue that is still meant, left in place."""
        while heap:
            _, job, stamp = heap[0]
            entry = self.entries.get(job)
            if entry is not None and entry.stamp == stamp:
                return entry
            heapq.heappop(heap)
        return None

    def first(self, heap: list[HeapItem], most: int) -> Iterator[Entry]:
        """The first `most` entries of a queue in order. Entries changed meanwhile requeue themselves."""
        taken: list[HeapItem] = []
        try:
            while heap and len(taken) < most:
                item = heapq.heappop(heap)
                entry = self.entries.get(item[1])
                if entry is None or entry.stamp != item[2]:
                    continue
                taken.append(item)
                yield entry
        finally:
            for item in taken:
                entry = self.entries.get(item[1])
                if entry is not None and entry.stamp == item[2]:
                    heapq.heappush(heap, item)

    # ---------------------------------------------------------------- reporting

    def take_moves(self) -> list[MoveJob]:
        """The standing of every job changed since the last call. Finished jobs leave the board with it."""
        moves = []
        for job in self._dirty:
            entry = self.entries[job]
            if entry.state.final:
                if not entry.in_flight:
                    del self.entries[job]
            elif self.ends_only:
                continue
            moves.append(
                MoveJob(
                    job=job,
                    state=entry.state,
                    step=entry.busy or entry.step,
                    attempts=entry.attempts,
                    priority=entry.priority,
                    reason=entry.reason,
                    not_before=entry.wait_until_wall,
                    project=entry.project,
                    account=entry.account,
                    model=entry.model,
                    verdict=entry.verdict,
                )
            )
        self._dirty.clear()
        return moves
