"""What to do now: which steps start, where, and why nothing does when nothing does."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from typing import TypeVar

from gsvr_tui.core.balancer import Choice
from gsvr_tui.core.board import Chain, Entry, Flight, HeapItem
from gsvr_tui.core.failure_policy import FailurePolicy
from gsvr_tui.core.ledger import Slot
from gsvr_tui.core.models import Now, Step
from gsvr_tui.core.money import CapHit
from gsvr_tui.core.scheduler_state import AUTO_WORKERS_UNKNOWN, SchedulerState
from gsvr_tui.core.scheduling import (
    Action,
    FinishJob,
    Plan,
    ProbeJob,
    SegmentNeed,
    SendRequest,
    UploadFile,
)
from gsvr_tui.core.stillness import Look, explain, no_account, no_model, rest_words

MOST_PROBES = 2
MOST_FINISHES = 2
PROBE_AHEAD = 16
MOST_READY_PER_PROJECT = 16
LOOK_AHEAD = 32
MOVE_AFTER_S = 600.0
"""A job leaves the project that holds its file only if that rests for longer than this and another is sooner."""
MOVE_GAIN_S = 30.0
TAIL_MOVE_AFTER_S = 10.0
TAIL_MOVE_GAIN_S = 3.0
"""The same at the end of the queue, where a project that rests would hold up the whole run."""

K = TypeVar("K", bound=Hashable)


class Dispatcher:
    """See the module."""

    def __init__(self, state: SchedulerState, policy: FailurePolicy) -> None:
        self._state = state
        self._policy = policy

    def next_actions(self, now: Now) -> Plan:
        """What to do now. Carrying the actions out brings events; ask again after each and at `wake_at`."""
        actions, self._state.extra = self._state.extra, []
        look = Look(now)
        workers = self._state.workers(now)
        look.wake(self._state.board.release_waiting(now.mono))
        if not self._state.halted:
            self._start_finishes(actions)
        if not (self._state.paused or self._state.stalled or self._state.halted):
            self._start_requests(actions, look, workers)
            self._start_uploads(actions, look, workers)
            self._start_probes(actions, look)
        actions += self._state.extra
        self._state.extra = []
        actions += self._state.board.take_moves()
        stillness = None if self._state.in_flight else explain(self._state, look)
        return Plan(tuple(actions), look.wake_at, stillness)

    def _start_finishes(self, actions: list[Action]) -> None:
        while self._state.busy[Step.CHECK] < MOST_FINISHES:
            entry = self._state.board.top(self._state.board.finish)
            if entry is None:
                return
            self._begin(entry, Step.CHECK)
            actions.append(FinishJob(entry.job))

    def _start_probes(self, actions: list[Action], look: Look) -> None:
        board, busy = self._state.board, self._state.busy
        if busy[Step.PROBE] >= MOST_PROBES:
            return
        for lane in self._by_rank(board.probe, look.now):
            while busy[Step.PROBE] < MOST_PROBES and board.ahead[lane] + busy[Step.PROBE] < PROBE_AHEAD:
                entry = board.top(board.probe[lane])
                if entry is None:
                    break
                self._begin(entry, Step.PROBE)
                actions.append(ProbeJob(entry.job))

    def _begin(self, entry: Entry, step: Step) -> None:
        entry.busy = step
        self._state.busy[step] += 1
        self._state.board.touch(entry)

    # requests ------------------------------------------------------

    def _start_requests(self, actions: list[Action], look: Look, limit: int) -> None:
        progress = True
        while progress and len(self._state.flights) < limit:
            progress = False
            for key in self._by_rank(self._state.board.generate, look.now):
                if len(self._state.flights) >= limit:
                    return
                progress = self._start_on(key[0], self._state.board.generate[key], actions, look) or progress

    def _by_rank(self, heaps: dict[K, list[HeapItem]], now: Now) -> list[K]:
        """The queues in the order of whose turn it is."""
        tops = []
        for key, heap in list(heaps.items()):
            entry = self._state.board.top(heap)
            if entry is None:
                del heaps[key]
            else:
                tops.append((self._state.fair.rank(entry.batch, entry.priority, entry.job, now.wall), key))
        return [key for _, key in sorted(tops, key=lambda item: item[0])]

    def _start_on(self, project: str, heap: list[HeapItem], actions: list[Action], look: Look) -> bool:
        """Send the first request that can go on a project; True when one went or jobs were moved away."""
        if self._state.out_on[project] >= self._state.ceiling() or self._state.pool.all_full(project):
            return False
        for entry in self._in_order(project, heap, look.now):
            need = entry.unsent()
            if need is None:
                continue
            if not self._state.pool.project_usable(project):
                self._unbind(entry)
                return True
            picked = self._pick_model(entry.models, project, need.tokens, look.now)
            if picked is None:
                if self._no_model(entry, project, need, look):
                    return True
                continue
            model, slot = picked
            breaker, network = self._state.breaker(model), self._state.network
            at = max(slot.at, breaker.earliest(look.now.mono), network.earliest(look.now.mono))
            if at > look.now.mono:
                if slot.why:
                    self._state.waits[slot.why] += math.ceil(slot.at - look.now.mono)
                look.rest(at, rest_words(self._state, project, model, slot))
                if self._sooner_elsewhere(entry, need, model, slot, look.now):
                    self._unbind(entry)
                    return True
                if slot.why == "tpm":
                    continue  # a smaller one may fit
                return False
            usd = 0.0 if self._state.is_free(project) else need.usd
            hit = self._state.money.hit(entry.batch, usd, look.now, project)
            if hit is not None:
                return self._capped(entry, project, hit, look)
            actions.append(self._send(entry, need, project, model, usd, look.now))
            return True
        return False

    def _capped(self, entry: Entry, project: str, hit: CapHit, look: Look) -> bool:
        """A cap stands in the way of a request; True when its job was moved away."""
        look.capped(hit, self._state.money.lifts_at(hit, look.now, project))
        if hit.scope == "spend":
            self._state.waits["spend"] += 60
            return False
        self._unbind(entry)  # another project may be free, and others may have its place here
        return True

    def _in_order(self, project: str, heap: list[HeapItem], now: Now) -> Iterable[Entry]:
        """The first of a queue; where tokens run out before requests the largest first, small ones into the gaps."""
        first = self._state.board.first(heap, LOOK_AHEAD)
        top = self._state.board.top(heap)
        limits = self._state.ledger.limits(project, top.models[0], now) if top is not None else None
        if limits is None or limits.tpm is None:
            return first
        entries = list(first)
        sizes = {entry.job: need.tokens for entry in entries if (need := entry.unsent()) is not None}
        if not sizes or (limits.rpm is not None and limits.rpm * sum(sizes.values()) / len(sizes) <= limits.tpm):
            return entries
        return sorted(entries, key=lambda entry: -sizes.get(entry.job, 0))

    def _send(self, entry: Entry, need: SegmentNeed, project: str, model: str, usd: float, now: Now) -> SendRequest:
        account = self._state.pool.free_account(project, prefer=entry.account)
        if account is None:
            raise AssertionError("a project with no usable account was asked")
        request = self._state.ids.next(now.wall)
        if not self._state.ledger.reserve(request, project, model, need.tokens, now):
            raise AssertionError("a request started without room in the ledger")
        self._state.money.reserve(request, entry.batch, usd, now, project)
        self._state.fair.charge(entry.batch)
        self._state.out_on[project] += 1
        self._state.breaker(model).start(request)
        self._state.network.start(request)
        self._state.pool.started(account.name)
        self._state.flights[request] = Flight(request, entry.job, need.index, project, account.name, model)
        entry.flights[need.index] = request
        entry.account, entry.model = account.name, model
        self._state.board.touch(entry)
        return SendRequest(request, entry.job, need.index, project, account.name, model, usd)

    def _pick_model(self, models: Chain, project: str, tokens: int, now: Now) -> tuple[str, Slot] | None:
        """The first model of the chain the project can run today; if none can, the one that can soonest."""
        soon = now.mono + self._state.patience_s(now)
        best: tuple[str, Slot] | None = None
        for model in models:
            if model in self._state.dead_models:
                continue
            slot = self._state.ledger.earliest(project, model, tokens, now)
            if math.isinf(slot.at):
                continue
            if slot.at <= soon and not self._state.breaker(model).gave_way(now.mono):
                return model, slot
            if best is None or slot.at < best[1].at:
                best = model, slot
        return best

    def _no_model(self, entry: Entry, project: str, need: SegmentNeed, look: Look) -> bool:
        """No model of the chain will ever run this request on this project."""
        others = [p for p in self._state.pool.projects() if p != project]
        if any(self._pick_model(entry.models, other, need.tokens, look.now) for other in others):
            self._unbind(entry)
            return True
        if self._too_big(entry, need, [project], look.now):
            if entry.flights:
                return False  # planned anew when they have landed
            self._policy.too_big(entry)
            return True
        look.blocked = no_model(self._state, entry.models)
        return False

    def _too_big(self, entry: Entry, need: SegmentNeed, projects: Iterable[str], now: Now) -> bool:
        """True when a project's tokens a minute are what stands in the way for good."""
        earliest = self._state.ledger.earliest
        return any(earliest(p, m, need.tokens, now).why == "too_big" for p in projects for m in entry.models)

    def _sooner_elsewhere(self, entry: Entry, need: SegmentNeed, model: str, slot: Slot, now: Now) -> bool:
        """True when another project would answer clearly sooner than this one, which holds the file, can start."""
        wait = slot.at - now.mono
        tail = wait > TAIL_MOVE_AFTER_S and not entry.flights and self._in_the_tail(entry, now)
        if wait <= MOVE_AFTER_S and not tail:
            return False
        gain = TAIL_MOVE_GAIN_S if tail else MOVE_GAIN_S
        affordable, _ = self._affordable(entry, need, now)
        others = [project for project in self._roomy(affordable, entry, now) if project != entry.project]
        choice = self._choose(entry, need, others, now)
        if choice is None or entry.models.index(choice.model) > entry.models.index(model):
            return False  # a job does not move for a model that is only its fallback
        here = self._state.balancer.service_s(model)
        return choice.seconds + gain < wait + here

    def _in_the_tail(self, entry: Entry, now: Now) -> bool:
        """True when fewer jobs are left than one minute of all projects can take."""
        left = self._state.pending - len(self._state.flights)
        window = 0
        for project in self._state.pool.projects():
            window += self._state.ledger.limits(project, entry.models[0], now).rpm or AUTO_WORKERS_UNKNOWN
        return left <= window

    def _unbind(self, entry: Entry) -> None:
        entry.project, entry.step = "", Step.UPLOAD
        self._state.board.touch(entry)

    # uploads -------------------------------------------------------

    def _start_uploads(self, actions: list[Action], look: Look, workers: int) -> None:
        if not self._state.board.upload:
            return
        if not self._state.pool.projects():
            look.blocked = no_account(self._state)
            return
        for key in self._by_rank(self._state.board.upload, look.now):
            heap = self._state.board.upload[key]
            top = self._state.board.top(heap)
            most = self._state.uploads(top.size_bytes if top is not None else 0)
            for entry in self._state.board.first(heap, LOOK_AHEAD):
                if self._state.busy[Step.UPLOAD] >= most:
                    return
                if not self._bind(entry, actions, look):
                    break
                if entry.step is Step.GENERATE:  # its file was there already
                    self._start_requests(actions, look, workers)

    def _bind(self, entry: Entry, actions: list[Action], look: Look) -> bool:
        """Choose the project for a job and start its upload; False when this queue can't go on now."""
        need = entry.unsent()
        if need is None:
            raise AssertionError(f"nothing to send for {entry.job}")
        projects = self._state.pool.projects()
        affordable, hit = self._affordable(entry, need, look.now)
        choice = self._choose(entry, need, self._roomy(affordable, entry, look.now), look.now)
        if choice is None:
            return self._no_choice(entry, need, projects, hit, look)
        if choice.seconds > MOVE_AFTER_S:
            best = self._choose(entry, need, affordable, look.now)
            if best is not None and best.seconds + MOVE_GAIN_S < choice.seconds:
                return False  # it would only move there when that has room again
        account = self._state.pool.free_account(choice.project)
        if account is None:
            return False
        if choice.project in entry.file_projects:
            entry.project, entry.step = choice.project, Step.GENERATE
            self._state.board.touch(entry)
            return True
        at = self._state.network.earliest(look.now.mono)
        if at > look.now.mono:
            look.rest(at, self._state.network.reason)
            return False
        self._state.network.start(entry.job)
        entry.project, entry.uploader = choice.project, account.name
        self._state.pool.started(account.name)
        self._begin(entry, Step.UPLOAD)
        actions.append(UploadFile(entry.job, choice.project, account.name))
        return True

    def _affordable(self, entry: Entry, need: SegmentNeed, now: Now) -> tuple[list[str], tuple[str, CapHit] | None]:
        """The projects on which a job's next request passes no cap; of the others the last, and the cap."""
        found: list[str] = []
        hit: tuple[str, CapHit] | None = None
        if not self._state.money.caps.bind(entry.batch):
            return list(self._state.pool.projects()), None
        for project in self._state.pool.projects():
            usd = 0.0 if self._state.is_free(project) else need.usd
            over = self._state.money.hit(entry.batch, usd, now, project)
            if over is None or over.scope == "spend":  # that one is a matter of minutes
                found.append(project)
            else:
                hit = project, over
        return found, hit

    def _no_choice(
        self, entry: Entry, need: SegmentNeed, projects: Iterable[str], hit: tuple[str, CapHit] | None, look: Look
    ) -> bool:
        """No project takes the job now: say why. True when something was done about it."""
        if self._choose(entry, need, projects, look.now) is not None:
            if hit is not None:
                project, cap = hit
                look.capped(cap, self._state.money.lifts_at(cap, look.now, project))
            return False
        if self._too_big(entry, need, projects, look.now):
            if entry.flights:
                return False
            self._policy.too_big(entry)
            return True
        look.blocked = no_model(self._state, entry.models)
        return False

    def _choose(self, entry: Entry, need: SegmentNeed, projects: Iterable[str], now: Now) -> Choice | None:
        """The project with the earliest answer, by the first model of the chain that can answer today."""
        soon = now.mono + self._state.patience_s(now)
        bound = self._state.board.bound
        waiting = {project: bound[project, entry.models] for project in projects}
        best: Choice | None = None
        for model in entry.models:
            if model in self._state.dead_models:
                continue
            choice = self._state.balancer.choose(
                waiting, model, need.tokens, entry.size_bytes, now, entry.file_projects
            )
            if choice is None:
                continue
            slot = self._state.ledger.earliest(choice.project, model, need.tokens, now)
            if slot.at <= soon and not self._state.breaker(model).gave_way(now.mono):
                return choice
            if best is None or choice.seconds < best.seconds:
                best = choice
        return best

    def _roomy(self, projects: Iterable[str], entry: Entry, now: Now) -> list[str]:
        """Those of the projects that hold fewer ready files for the job's models than they need."""
        bound = self._state.board.bound
        return [p for p in projects if bound[p, entry.models] < self._ready_limit(p, entry.models, now)]

    def _ready_limit(self, project: str, models: Chain, now: Now) -> int:
        """Files kept ready on a project: enough for its rate, never the whole queue."""
        rpm = self._state.ledger.limits(project, models[0], now).rpm
        return max(2, min(MOST_READY_PER_PROJECT, rpm if rpm else MOST_READY_PER_PROJECT))
