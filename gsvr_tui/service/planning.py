"""What work would take, before anything is sent: every video is looked into, priced, and the ways to do it compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.failure import Failure
from gsvr_tui.core.forecast import ForecastJob
from gsvr_tui.core.models import Account, ProbeFacts
from gsvr_tui.core.planner import plan_job
from gsvr_tui.core.scheduling import SegmentNeed
from gsvr_tui.media.child import MediaChildren
from gsvr_tui.media.files import FoundVideo
from gsvr_tui.media.probe import probe_file
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.service.forecasting import Work
from gsvr_tui.service.service_times import ServiceTimes
from gsvr_tui.service.standing import tier_limits

THREADS = 4
LEAST_OUTPUT, MOST_OUTPUT = 0.5, 2.0
"""Reports are half to twice as long as expected, thinking included: the range of the price."""
MOST_LOOKED_INTO = 2_000
"""Of more videos an even sample is looked into; the others are taken to be like them, by size."""
MOST_PLAYED = 1_500
"""Jobs that are played in virtual time; of more the rest follows from what the projects can do in a day."""
BATCH = "plan"


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """One video, at paid prices. `problem` says why nothing can be sent for it; its figures are 0 then."""

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
    """All videos and what they take together. `free`: every account is on the free tier, so nothing is paid."""

    model: str
    videos: tuple[VideoPlan, ...]
    looked_into: int  # of how many videos; the sums are scaled up when not all were
    free: bool

    @property
    def good(self) -> tuple[VideoPlan, ...]:
        """Those that can be sent."""
        return tuple(video for video in self.videos if not video.problem)

    @property
    def sampled(self) -> bool:
        """True when not all were looked into."""
        return self.looked_into < len(self.videos)

    def total(self, figure: Callable[[VideoPlan], float]) -> float:
        """The sum of a figure over all videos."""
        scale = len(self.videos) / self.looked_into if self.looked_into else 1.0
        return math.fsum(map(figure, self.good)) * scale

    def usd(self, share: float = 1.0) -> tuple[float, float, float]:
        """What it costs when `share` of it is paid for: usual, least, most. Nothing where all accounts are free."""
        share = 0.0 if self.free else share
        figures = (lambda v: v.usd, lambda v: v.usd_low, lambda v: v.usd_high)
        usual, least, most = (self.total(figure) * share for figure in figures)
        return usual, least, most


def estimate_videos(
    videos: Sequence[FoundVideo],
    model: str,
    catalogue: Catalogue,
    accounts: Sequence[Account],
    wall: float,
    *,
    sample: int | None = None,
    tokens_per_minute: int | None = None,
    media: MediaChildren | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Estimate:
    """Look into the videos (`sample` of them at most, evenly spread) and price them. Raises UnknownModel.

    `tokens_per_minute`: the largest limit among the projects; None: as stated or usual for the accounts' tiers.
    `media`: helpers that look into videos, which may be meant to do harm; None: some of its own.
    """
    info = catalogue.resolve(model, wall)
    free = bool(accounts) and all(account.tier == "free" for account in accounts)
    per_minute = tokens_per_minute or _tokens_per_minute(info.id, accounts, catalogue)
    chosen = list(videos)
    if sample is not None and len(chosen) > sample:
        chosen = [chosen[index * len(chosen) // sample] for index in range(sample)]

    def one(video: FoundVideo) -> VideoPlan | None:
        return None if cancelled() else plan_video(video, info.id, catalogue, wall, per_minute, helpers.probe)

    helpers = media or MediaChildren()
    try:
        with ThreadPoolExecutor(THREADS, thread_name_prefix="gsvr-plan") as pool:
            plans = [plan for plan in pool.map(one, chosen) if plan is not None]
    finally:
        if media is None:
            helpers.close()
    by_path = {plan.video.path: plan for plan in plans}
    everything = tuple(by_path.get(video.path, VideoPlan(video)) for video in videos)
    return Estimate(info.id, everything, len(plans), free)


def plan_video(
    video: FoundVideo,
    model: str,
    catalogue: Catalogue,
    wall: float,
    per_minute: int | None = None,
    probe: Callable[[Path], ProbeFacts] = probe_file,
) -> VideoPlan:
    """Look into one video and plan its requests: what can't be done is known before any upload."""
    try:
        facts = probe(video.path)
    except MediaProblem as error:
        return VideoPlan(video, problem=error.message, advice=error.advice)
    planned = plan_job(facts, model, catalogue, wall, tokens_per_minute=per_minute)
    if isinstance(planned, Failure):
        return VideoPlan(video, facts, problem=planned.message, advice=planned.advice)

    def priced(share: float) -> float:
        return math.fsum(
            catalogue.cost_usd(model, tokens_in=item.tokens_in, tokens_out=round(item.tokens_out * share), wall=wall)
            for item in planned.ranges
        )

    return VideoPlan(
        video,
        facts,
        tuple(SegmentNeed(item.index, item.tokens_in, item.usd) for item in planned.ranges),
        sum(item.tokens_out for item in planned.ranges),
        planned.usd,
        priced(LEAST_OUTPUT),
        priced(MOST_OUTPUT),
    )


def _tokens_per_minute(model: str, accounts: Sequence[Account], catalogue: Catalogue) -> int | None:
    """The largest limit among the projects; None when one of them is not known."""
    known = []
    for account in accounts:
        limits = account.limits.get(model) or tier_limits(account, catalogue).get(model)
        if limits is None or limits.tpm is None:
            return None
        known.append(limits.tpm)
    return max(known, default=None)


def replan(found: Estimate, model: str, catalogue: Catalogue, wall: float) -> Estimate:
    """The same videos with another model; nothing is looked into again."""
    videos = []
    for video in found.videos:
        if video.facts is None or video.problem:
            videos.append(video)
            continue
        planned = plan_job(video.facts, model, catalogue, wall)
        if isinstance(planned, Failure):
            videos.append(replace(video, problem=planned.message, advice=planned.advice))
            continue
        share = planned.usd / video.usd if video.usd else 1.0
        videos.append(
            replace(
                video,
                needs=tuple(SegmentNeed(item.index, item.tokens_in, item.usd) for item in planned.ranges),
                usd=planned.usd,
                usd_low=video.usd_low * share,
                usd_high=video.usd_high * share,
            )
        )
    return Estimate(model, tuple(videos), found.looked_into, found.free)


def works_of(found: Estimate, models: tuple[str, ...], times: ServiceTimes) -> list[Work]:
    """The videos as work to forecast; those not looked into are like the others of their size."""
    looked = [video for video in found.good if video.needs]
    if not looked:
        return []
    size = sum(video.video.size_bytes for video in looked) or 1
    tokens_a_byte = sum(video.tokens_in for video in looked) / size
    usd_a_byte = math.fsum(video.usd for video in looked) / size
    works = []
    for index, video in enumerate(found.good):
        needs = video.needs
        if not needs:
            weight = video.video.size_bytes
            needs = (SegmentNeed(0, round(tokens_a_byte * weight), usd_a_byte * weight),)
        tokens = sum(need.tokens for need in needs) // len(needs)
        job = ForecastJob(
            job=f"7{index:012d}",  # after every job of the queue
            batch=BATCH,
            models=models,
            needs=needs,
            size_bytes=video.video.size_bytes,
            service_s=times.seconds(models[0], tokens),
        )
        works.append(Work(job))
    return works
