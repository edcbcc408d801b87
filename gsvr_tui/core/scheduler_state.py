"""What the scheduler's three parts share: ledger, money, pool, board, breakers and what is in flight."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

from gsvr_tui.core.accounts import MultiAccountManager
from gsvr_tui.core.balancer import LoadBalancer
from gsvr_tui.core.board import Board, Entry, Flight
from gsvr_tui.core.breaker import Breaker
from gsvr_tui.core.fairness import FairShare
from gsvr_tui.core.ids import IdMaker
from gsvr_tui.core.ledger import Ledger
from gsvr_tui.core.models import Now, Step
from gsvr_tui.core.money import Caps, MoneyBook
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduling import Action, ForgetAnswers, SegmentNeed

AUTO_WORKERS_A_PROJECT = 16
AUTO_WORKERS_UNKNOWN = 8
"""On a project whose limit is not known."""
AUTO_WORKERS_MOST = 64
FEWEST_UPLOADS = 4
MOST_UPLOADS = 8


class SchedulerState:
    """The parts, and the few operations that keep them in step with each other."""

    def __init__(self, random: Random, caps: Caps | None, workers: int, fallback_after_s: float | None = None) -> None:
        self.random = random
        self.ids = IdMaker(random)
        self.ledger = Ledger()
        self.money = MoneyBook(caps)
        self.pool = MultiAccountManager()
        self.balancer = LoadBalancer(self.ledger)
        self.board = Board()
        self.models: dict[str, Breaker] = {}
        self.network = Breaker(first_s=2.0, longest_s=60.0)
        self.dead_models: dict[str, str] = {}  # model → why
        self.flights: dict[str, Flight] = {}
        self.out_on: Counter[str] = Counter()  # paid requests in flight by project
        self.fair = FairShare()
        self.busy: dict[Step, int] = dict.fromkeys(Step, 0)
        self.paused = False
        self.halted = False  # start nothing at all, local work included: the process ends
        self.stalled = ""
        self.workers_set = workers
        self._fallback_after_s = fallback_after_s
        self._rate = 0  # requests a minute of all projects, as of the last look at `workers`
        self._models_before: set[str] = set()  # the primary models of the queue when it last had any
        self.extra: list[Action] = []
        self.waits: Counter[str] = Counter()  # which dimension held requests back, by seconds of waiting

    def breaker(self, model: str) -> Breaker:
        """The breaker of a model, over all projects."""
        return self.models.setdefault(model, Breaker())

    def workers(self, now: Now) -> int:
        """Paid requests in flight at most: the user's number, or as many as the known quota can feed.

        On average that is Little's law, rate × service time; but a minute opens all at once, and what is not sent then
        keeps its later place in every minute to come: so at least a minute's requests may be out together.
        """
        lanes = {*self.board.probe, *self.board.upload, *(lane for _, lane in self.board.generate)}
        models = {chain[0] for _, chain, _ in lanes} or self._models_before
        self._models_before = models
        wanted = 1
        for needed in self._rates(models, now).values():
            wanted += min(math.ceil(needed), AUTO_WORKERS_A_PROJECT)
        return self.workers_set or min(AUTO_WORKERS_MOST, wanted)

    def _rates(self, models: set[str], now: Now) -> dict[str, float]:
        """Project → requests that may be out on it together; keeps the rate of all, which uploads follow."""
        self._rate = 0
        out: dict[str, float] = {}
        for project in self.pool.projects():
            needed = 0.0
            for model in models:
                rpm = self.ledger.limits(project, model, now).rpm
                self._rate += rpm or AUTO_WORKERS_UNKNOWN
                needed += max(rpm, rpm * self.balancer.service_s(model) / 60.0) if rpm else AUTO_WORKERS_UNKNOWN
            out[project] = needed
        return out

    def uploads(self, size_bytes: int) -> int:
        """Uploads at the same time: enough to feed the rate of all projects, within what a line bears."""
        needed = math.ceil(self._rate / 60.0 * self.balancer.upload_s(size_bytes)) + 1
        most = min(MOST_UPLOADS, self.workers_set) if self.workers_set else MOST_UPLOADS
        return max(min(FEWEST_UPLOADS, most), min(most, needed))

    def patience_s(self, now: Now) -> float:
        """How long a job waits for its primary model before a fallback takes it: the user's bound, else today."""
        return next_midnight(now.wall) - now.wall if self._fallback_after_s is None else self._fallback_after_s

    def ceiling(self) -> int:
        """Paid requests in flight at most on one project."""
        return max(AUTO_WORKERS_A_PROJECT, self.workers_set)

    @property
    def workers_auto(self) -> bool:
        """True when the number of workers is computed."""
        return self.workers_set <= 0

    @property
    def in_flight(self) -> int:
        """Paid requests and local or upload steps that are out."""
        return len(self.flights) + sum(self.busy.values())

    @property
    def pending(self) -> int:
        """Jobs on the board: not finished, or cancelled with something still in flight."""
        return len(self.board.entries)

    def is_free(self, project: str) -> bool:
        """True when the project's requests cost nothing (free tier)."""
        account = self.pool.account_for(project)
        return account is not None and account.tier == "free"

    def ended(self, job: str, step: Step) -> Entry | None:
        """A local or upload step came back; the entry, unless the job is finished meanwhile."""
        entry = self.board.entries.get(job)
        if entry is None or entry.busy is None:
            return None
        self.busy[step] -= 1
        entry.busy = None
        if entry.state.final:
            self.board.touch(entry)
            return None
        return entry

    def landed(self, request: str) -> Flight | None:
        """A paid request came back."""
        flight = self.flights.pop(request, None)
        if flight is None:
            return None
        self.pool.ended(flight.account)
        self.out_on[flight.project] -= 1
        entry = self.board.entries.get(flight.job)
        if entry is not None and entry.flights.get(flight.segment) == request:
            del entry.flights[flight.segment]
            if entry.state.final:
                self.board.touch(entry)
        return flight

    def forget_probe(self, key: str, model: str = "") -> None:
        """A request (or the upload of a job) ended without saying anything about the line or the model."""
        self.network.forget(key)
        if model:
            self.breaker(model).forget(key)

    def forget_answers(self, entry: Entry) -> None:
        """Ask the model again for all segments of a job."""
        entry.segments = tuple(SegmentNeed(n.index, n.tokens, n.usd) for n in entry.segments)
        entry.step = Step.GENERATE if entry.project else Step.UPLOAD
        self.extra.append(ForgetAnswers(entry.job))
