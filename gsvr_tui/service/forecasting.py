"""When work will be done: the scheduler itself plays it in virtual time, from quota and accounts as they stand.

A play takes about half a second for a thousand jobs, so of more jobs the first are played, and the rest follows from
what the projects can do in a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.forecast import Forecast, ForecastJob
from gsvr_tui.core.forecast import _Run as VirtualRun  # plays a scheduler that has been given its standing
from gsvr_tui.core.models import Account, JobState, Limits, Now
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduler_state import AUTO_WORKERS_A_PROJECT
from gsvr_tui.core.scheduling import JobArrived
from gsvr_tui.service.service_times import ServiceTimes
from gsvr_tui.service.standing import Standing, TierLimits

LONGEST_DAYS = 3_650
DAY_S = 86_400.0
WIDE_SHARE, WIDE_S = 0.1, 120.0
"""A range narrower than this is shown as one moment."""
_HELD = {
    "rpm": "requests per minute",
    "tpm": "input tokens per minute",
    "rpd": "requests per day",
    "tpd": "input tokens per day",
    "paced": "evenly spaced requests",
    "feeling": "limits that are not known yet",
    "trial": "limits that are not known yet",
    "resting": "rests",
    "spend": "what may be spent in ten minutes",
}


@dataclass(frozen=True, slots=True)
class Work:
    """A job to forecast, the projects that have its file, and the wall time before which it waits."""

    job: ForecastJob
    file_projects: frozenset[str] = frozenset()
    not_before: float | None = None

    @property
    def requests(self) -> int:
        """Requests still to be sent."""
        return sum(not need.answered for need in self.job.needs)

    @property
    def tokens(self) -> int:
        """Input tokens of those."""
        return sum(need.tokens for need in self.job.needs if not need.answered)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is to be expected. `ends_at` None: it never ends as things are, `stopped` says why. Times are wall times."""

    ends_at: float | None
    ends_low: float | None
    ends_high: float | None
    limited_by: str  # in words
    paid_share: float  # of the requests' price, what is not on free accounts
    by_project: Mapping[str, int]
    stopped: str = ""

    def wide(self, wall: float) -> bool:
        """True when the range says more than one moment would."""
        if self.ends_at is None or self.ends_low is None or self.ends_high is None:
            return False
        return self.ends_high - self.ends_low > max(WIDE_S, WIDE_SHARE * (self.ends_at - wall))


class Foresight:
    """Plays work from one standing. Slow: for a thread. Plain values only, so that it may run beside the service."""

    def __init__(self, standing: Standing, times: ServiceTimes, catalogue: Catalogue, now: Now, *, most: int) -> None:
        """`most`: jobs that are played; of more the rest is worked out."""
        self.standing = standing
        self.times = times
        self._catalogue = catalogue
        self._now = now
        self._most = most

    def on(self, standing: Standing) -> Foresight:
        """The same with another standing."""
        return Foresight(standing, self.times, self._catalogue, self._now, most=self._most)

    def outlook(self, works: Sequence[Work], *, total: int = 0, ranged: bool = True) -> Outlook:
        """What is to be expected of these jobs, of which there are `total` (at least those given).

        `ranged`: also how early and how late, by two further plays; else only the usual case.
        """
        if not works:
            return Outlook(self._now.wall, self._now.wall, self._now.wall, "", 0.0, {})
        total = max(total, len(works))
        model = works[0].job.models[0]
        guesses = self.guesses({model for work in works for model in work.job.models})
        played = works[: self._most]
        factor = self._rest(works, played, total, guesses)
        usual = self._play(played, 1.0, guesses)
        spread = self.times.spread(model, sum(work.requests for work in works))
        ends = self._end(usual, factor)
        low = high = ends
        if ranged and ends is not None:
            low = self._end(self._play(played, 1.0 - spread, {}), factor)
            high = self._end(self._play(played, 1.0 + spread, guesses), factor)
            low, high = min(ends, low or ends), max(ends, high or ends)
        price = math.fsum(need.usd for work in played for need in work.job.needs if not need.answered)
        return Outlook(
            ends_at=ends,
            ends_low=low,
            ends_high=high,
            limited_by=self._limits(usual, ends, model, guesses),
            paid_share=min(1.0, usual.cost_usd / price) if price > 0 else 0.0,
            by_project=_scaled(usual.by_project, sum(work.requests for work in works) * total / len(works)),
            stopped=usual.stopped.message if usual.stopped is not None else "",
        )

    # ---------------------------------------------------------------- playing

    def _play(self, works: Sequence[Work], pace: float, guesses: Mapping[str, TierLimits]) -> Forecast:
        scheduler = self.standing.scheduler(self._now, guesses)
        scheduler.state.board.ends_only = True
        jobs = {}
        for work in works:
            job = work.job if pace == 1.0 else replace(work.job, service_s=work.job.service_s * pace)
            jobs[job.job] = job
            waits = work.not_before is not None and work.not_before > self._now.wall
            arrived = JobArrived(
                job=job.job,
                batch=job.batch,
                models=job.models,
                state=JobState.WAITING if waits else JobState.QUEUED,
                priority=job.priority,
                not_before=work.not_before,
                size_bytes=job.size_bytes,
                segments=job.needs,
                file_projects=work.file_projects,
            )
            scheduler.feed(arrived, self._now)
        return VirtualRun(scheduler, jobs, self._now, self.standing.bytes_per_s).play()

    def guesses(self, models: Iterable[str]) -> dict[str, dict[str, Limits]]:
        """Account → model → limits to reckon with where none is known: the free tier's, unless more went through."""
        found: dict[str, dict[str, Limits]] = {}
        for model in models:
            info = self._catalogue.get(model)
            if info is None or info.free_limits is None:
                continue
            for account in self.standing.accounts:
                if account.tier.startswith("tier"):
                    continue  # a paid one: whatever it may do, it is more
                if self.standing.known(account, model) is None and not self._exceeded(account, model, info.free_limits):
                    found.setdefault(account.name, {})[model] = info.free_limits
        return found

    def _exceeded(self, account: Account, model: str, limits: Limits) -> bool:
        for view in self.standing.views:
            if (view.project, view.model) == (account.project, model):
                minute = limits.rpm is not None and view.minute_used > limits.rpm
                return minute or (limits.rpd is not None and view.day_used > limits.rpd)
        return False

    # ---------------------------------------------------------------- more than is played

    def _end(self, played: Forecast, factor: float) -> float | None:
        return None if played.ends_at is None else self._now.wall + (played.ends_at - self._now.wall) * factor

    def _rest(
        self, works: Sequence[Work], played: Sequence[Work], total: int, guesses: Mapping[str, TierLimits]
    ) -> float:
        """How much longer all work takes than what is played."""
        if total <= len(played):
            return 1.0
        requests = sum(work.requests for work in works) or 1
        tokens = sum(work.tokens for work in works) / requests
        service_s = math.fsum(work.job.service_s * work.requests for work in works) / requests
        rooms = self._rooms(works[0].job.models, tokens, service_s, guesses)
        first = self._seconds(rooms, sum(work.requests for work in played))
        everything = self._seconds(rooms, requests * total / len(works))
        return everything / first if first > 0 else total / len(played)

    def _seconds(self, rooms: Sequence[_Room], requests: float) -> float:
        """Seconds that the projects together need for so many equal requests, day by day."""
        wall, seconds, left, first = self._now.wall, 0.0, requests, True
        for _ in range(LONGEST_DAYS):
            span = next_midnight(wall) - wall
            can = math.fsum(room.can(span, first=first) for room in rooms)
            if can >= left or (can <= 0 and not first):
                break
            left, wall, seconds, first = left - can, next_midnight(wall), seconds + span, False
        low, high = 0.0, DAY_S + 3_600.0
        for _ in range(40):  # the moment in the last day at which the rest is done
            middle = (low + high) / 2
            done = math.fsum(room.can(middle, first=first) for room in rooms)
            low, high = (low, middle) if done >= left else (middle, high)
        return seconds + high

    def _rooms(
        self, models: Sequence[str], tokens: float, service_s: float, guesses: Mapping[str, TierLimits]
    ) -> list[_Room]:
        used = {(view.project, view.model): view.day_used for view in self.standing.views}
        rooms = {}
        for account in self.standing.accounts:
            for model in models:
                known = self.standing.known(account, model) or guesses.get(account.name, {}).get(model) or Limits()
                day_used = used.get((account.project, model), 0)
                rooms[account.project, model] = _room(known, day_used, tokens, service_s)
        return list(rooms.values()) or [_room(Limits(), 0, tokens, service_s)]

    # ---------------------------------------------------------------- words

    def _limits(self, played: Forecast, ends: float | None, model: str, guesses: Mapping[str, TierLimits]) -> str:
        held = played.limited_by
        names = {account.project: account for account in self.standing.accounts}
        if ends is not None and ends > next_midnight(self._now.wall) and self._has_days(names.values(), model, guesses):
            held = "rpd"
        if held not in _HELD:
            return "the number of workers" if self.standing.workers else "how long answers take"
        whose = next(iter(names)) if len(names) == 1 else f"{len(names)} projects"
        return f"{_HELD[held]} of {whose}"

    def _has_days(self, accounts: Iterable[Account], model: str, guesses: Mapping[str, TierLimits]) -> bool:
        for account in accounts:
            limits = self.standing.known(account, model) or guesses.get(account.name, {}).get(model)
            if limits is None or limits.rpd is None:
                return False
        return True


@dataclass(frozen=True, slots=True)
class _Room:
    """Requests a project × model can take: a second, in the rest of today, in a whole day."""

    rate: float
    left: float
    day: float

    def can(self, seconds: float, *, first: bool) -> float:
        """Requests in the first seconds of a day; `first`: of today, with what is used of it."""
        return min(self.left if first else self.day, self.rate * seconds)


def _room(limits: Limits, used: int, tokens: float, service_s: float) -> _Room:
    rates = [AUTO_WORKERS_A_PROJECT / max(0.1, service_s)]
    if limits.rpm is not None:
        rates.append(limits.rpm / 60.0)
    if limits.tpm is not None and tokens > 0:
        rates.append(limits.tpm / tokens / 60.0)
    day = math.inf if limits.rpd is None else float(limits.rpd)
    if limits.tpd is not None and tokens > 0:
        day = min(day, limits.tpd / tokens)
    return _Room(min(rates), max(0.0, day - used), day)


def _scaled(counts: Mapping[str, int], total: float) -> dict[str, int]:
    """The same shares of another sum."""
    played = sum(counts.values())
    return {name: round(count * total / played) for name, count in counts.items()} if played else {}
