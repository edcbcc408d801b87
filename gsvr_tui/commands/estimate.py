"""What a run would take, before anything is sent: every video is looked into, the scheduler runs on virtual time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.failure import Failure
from gsvr_tui.core.forecast import Forecast, ForecastJob, forecast
from gsvr_tui.core.models import Account, Limits, Now, ProbeFacts
from gsvr_tui.core.money import Caps
from gsvr_tui.core.planner import plan_job
from gsvr_tui.core.scheduling import SegmentNeed

if TYPE_CHECKING:
    from gsvr_tui.media.files import FoundVideo

THREADS = 4
LEAST_OUTPUT, MOST_OUTPUT = 0.5, 2.0
"""Reports are half to twice as long as expected, thinking included: the range of the price."""
ANSWER_S = 15.0
ANSWER_S_PER_MINUTE = 2.0
"""How long an answer takes: a guess that errs upwards, for the finishing time only."""
UPLOAD_BYTES_PER_S = 2_000_000.0


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """One video. `problem` says why nothing can be sent for it; its figures are 0 then."""

    video: FoundVideo
    facts: ProbeFacts | None = None
    needs: tuple[SegmentNeed, ...] = ()
    tokens_out: int = 0
    usd: float = 0.0
    usd_low: float = 0.0
    usd_high: float = 0.0
    problem: str = ""
    advice: str = ""

    @property
    def tokens_in(self) -> int:
        """Estimated input tokens."""
        return sum(need.tokens for need in self.needs)


@dataclass(frozen=True, slots=True)
class Estimate:
    """All videos and what they take together. `free`: every account is on the free tier."""

    model: str
    videos: tuple[VideoPlan, ...]
    looked_into: int  # of how many videos; the sums are scaled up when not all were
    free: bool
    forecast: Forecast | None = None

    @property
    def good(self) -> tuple[VideoPlan, ...]:
        """Those that can be sent."""
        return tuple(video for video in self.videos if not video.problem)

    @property
    def scale(self) -> float:
        """Videos in all over videos looked into."""
        return len(self.videos) / self.looked_into if self.looked_into else 1.0

    def total(self, figure: Callable[[VideoPlan], float]) -> float:
        """The sum of a figure over all videos."""
        return math.fsum(map(figure, self.good)) * self.scale


def tier_limits(account: Account, catalogue: Catalogue) -> dict[str, Limits]:
    """Limits people met on an account's tier, by model."""
    infos = [catalogue.find(name) for name in catalogue.ids()]
    if account.tier == "free":
        return {info.id: info.free_limits for info in infos if info.free_limits is not None}
    return {info.id: info.tier_limits[account.tier] for info in infos if account.tier in info.tier_limits}


def estimate_videos(
    videos: Sequence[FoundVideo],
    model: str,
    catalogue: Catalogue,
    accounts: Sequence[Account],
    *,
    sample: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Estimate:
    """Look into the videos (`sample` of them at most, evenly spread) and price them. Raises UnknownModel."""
    wall = time.time()
    info = catalogue.resolve(model, wall)
    free = bool(accounts) and all(account.tier == "free" for account in accounts)
    per_minute = _tokens_per_minute(info.id, accounts, catalogue)
    chosen = list(videos)
    if sample is not None and len(chosen) > sample:
        chosen = [chosen[index * len(chosen) // sample] for index in range(sample)]

    def one(video: FoundVideo) -> VideoPlan:
        return _plan_one(video, info.id, catalogue, wall, per_minute, free)

    plans = []
    with ThreadPoolExecutor(THREADS, thread_name_prefix="gsvr-plan") as pool:
        for count, plan in enumerate(pool.map(one, chosen), 1):
            plans.append(plan)
            if progress is not None:
                progress(count, len(chosen))
    by_path = {plan.video.path: plan for plan in plans}
    everything = tuple(by_path.get(video.path, VideoPlan(video)) for video in videos)
    return Estimate(info.id, everything, len(plans), free)


def _plan_one(
    video: FoundVideo, model: str, catalogue: Catalogue, wall: float, per_minute: int | None, free: bool
) -> VideoPlan:
    from gsvr_tui.media.probe import probe_file
    from gsvr_tui.media.problem import MediaProblem

    try:
        facts = probe_file(video.path)
    except MediaProblem as error:
        return VideoPlan(video, problem=error.message, advice=error.advice)
    planned = plan_job(facts, model, catalogue, wall, tokens_per_minute=per_minute, free=free)
    if isinstance(planned, Failure):
        return VideoPlan(video, facts, problem=planned.message, advice=planned.advice)
    needs = tuple(SegmentNeed(item.index, item.tokens_in, item.usd) for item in planned.ranges)

    def priced(share: float) -> float:
        if free:
            return 0.0
        return math.fsum(
            catalogue.cost_usd(model, tokens_in=item.tokens_in, tokens_out=round(item.tokens_out * share), wall=wall)
            for item in planned.ranges
        )

    tokens_out = sum(item.tokens_out for item in planned.ranges)
    return VideoPlan(video, facts, needs, tokens_out, planned.usd, priced(LEAST_OUTPUT), priced(MOST_OUTPUT))


def _tokens_per_minute(model: str, accounts: Sequence[Account], catalogue: Catalogue) -> int | None:
    """The largest limit among the projects; None when one of them is not known."""
    known = []
    for account in accounts:
        limits = account.limits.get(model) or tier_limits(account, catalogue).get(model)
        if limits is None or limits.tpm is None:
            return None
        known.append(limits.tpm)
    return max(known, default=None)


def with_forecast(
    found: Estimate,
    catalogue: Catalogue,
    accounts: Sequence[Account],
    fallbacks: Sequence[str],
    *,
    caps: Caps,
    workers: int = 0,
) -> Estimate:
    """The same with the finishing time, by the scheduler itself over these accounts."""
    models = (found.model, *(model for model in fallbacks if model != found.model))
    jobs = [
        ForecastJob(
            job=f"{index:013d}",
            batch="plan",
            models=models,
            needs=plan.needs,
            size_bytes=plan.facts.size_bytes,
            service_s=ANSWER_S + ANSWER_S_PER_MINUTE * plan.facts.duration_s / 60.0,
        )
        for index, plan in enumerate(found.good)
        if plan.facts is not None
    ]
    limits = {account.name: tier_limits(account, catalogue) for account in accounts}
    told = forecast(
        jobs,
        accounts,
        Now(0.0, time.time()),
        tier_limits=limits,
        caps=caps,
        workers=workers,
        bytes_per_s=UPLOAD_BYTES_PER_S,
    )
    return Estimate(found.model, found.videos, found.looked_into, found.free, told)
