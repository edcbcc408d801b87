"""When work will be done: the scheduler itself plays it in virtual time, from quota and accounts as they stand.

A play takes about half a second for a thousand jobs, so of more jobs the first are played, and the rest follows from
what the projects can do in a day.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.forecast import Forecast, ForecastJob, VirtualRun
from gsvr_tui.core.models import Account, JobState, Limits, Now
from gsvr_tui.core.money import TIER_SPEND_USD
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduling import JobArrived
from gsvr_tui.service.capacity import Rooms, Usual, room, seconds_for
from gsvr_tui.service.service_times import ServiceTimes
from gsvr_tui.service.standing import Standing, TierLimits

MOST_BESIDE = 400
"""Jobs played for the ends of a range and for what is compared with how things are."""
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

        `ranged`: also how early and how late, by two further and shorter plays; else only the usual case, shortly.
        """
        if not works:
            return Outlook(self._now.wall, self._now.wall, self._now.wall, "", 0.0, {})
        total = max(total, len(works))
        model = works[0].job.models[0]
        guesses = self.guesses({model for work in works for model in work.job.models})
        most = self._most if ranged else min(self._most, MOST_BESIDE)
        spread = self.times.spread(model, sum(work.requests for work in works))
        usual, ends = self._see(works, most, total, 1.0, guesses)
        low = high = ends
        if ranged and ends is not None:
            beside = min(self._most, MOST_BESIDE)
            low = self._see(works, beside, total, 1.0 - spread, {})[1]
            high = self._see(works, beside, total, 1.0 + spread, guesses)[1]
            low, high = min(ends, low or ends), max(ends, high or ends)
        played = works[:most]
        price = math.fsum(need.usd for work in played for need in work.job.needs if not need.answered)
        return Outlook(
            ends_at=ends,
            ends_low=low,
            ends_high=high,
            limited_by=self._limits(usual, ends, model, guesses),
            paid_share=min(1.0, usual.cost_usd / price) if price > 0 else 0.0,
            by_project=_scaled(usual.by_project, sum(work.requests for work in works) * total / len(works)),
            stopped=self._stopped(usual, played, works, total),
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

    def _see(
        self, works: Sequence[Work], most: int, total: int, pace: float, guesses: Mapping[str, TierLimits]
    ) -> tuple[Forecast, float | None]:
        """The first of the jobs played, and when all will have ended."""
        played = works[:most]
        seen = self._play(played, pace, guesses)
        if seen.ends_at is None or self._stopped(seen, played, works, total):
            return seen, None
        return seen, seen.ends_at + self._rest(works, played, total, pace, guesses)

    def _stopped(self, seen: Forecast, played: Sequence[Work], works: Sequence[Work], total: int) -> str:
        """Why it does not come to its end; a cap also stops what is not played."""
        if seen.stopped is not None:
            return seen.stopped.message
        usd = seen.cost_usd * total / max(1, len(played))
        cap = self.standing.caps.run
        if cap is not None and len(played) < total and self.standing.spent.get("run", 0.0) + usd > cap:
            return f"the cap for this run is ${cap:.2f}; all of it needs about ${usd:.2f}"
        return ""

    def _rest(
        self,
        works: Sequence[Work],
        played: Sequence[Work],
        total: int,
        pace: float,
        guesses: Mapping[str, TierLimits],
    ) -> float:
        """Seconds that all work takes longer than what is played."""
        if total <= len(played):
            return 0.0
        requests = sum(work.requests for work in works) or 1
        usual = Usual(
            sum(work.tokens for work in works) / requests,
            math.fsum(work.job.service_s * work.requests for work in works) / requests * pace,
            math.fsum(need.usd for work in works for need in work.job.needs if not need.answered) / requests,
        )
        rooms = self._rooms(works[0].job.models, usual, guesses)
        first = seconds_for(rooms, sum(work.requests for work in played), self._now.wall)
        return seconds_for(rooms, requests * total / len(works), self._now.wall) - first

    def _rooms(self, models: Sequence[str], usual: Usual, guesses: Mapping[str, TierLimits]) -> list[Rooms]:
        """What each project can take: of the first model, then, when its day is used up, of the others."""
        used = {(view.project, view.model): view.day_used for view in self.standing.views}
        found = {}
        for account in self.standing.accounts:
            spend = TIER_SPEND_USD.get(account.tier) if usual.usd > 0 else None
            rooms = []
            for model in models:
                known = self.standing.known(account, model) or guesses.get(account.name, {}).get(model) or Limits()
                rooms.append(room(known, used.get((account.project, model), 0), usual, spend))
            found[account.project] = Rooms(tuple(rooms))
        return list(found.values()) or [Rooms((room(Limits(), 0, usual, None),))]

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


def _scaled(counts: Mapping[str, int], total: float) -> dict[str, int]:
    """The same shares of another sum."""
    played = sum(counts.values())
    return {name: round(count * total / played) for name, count in counts.items()} if played else {}
