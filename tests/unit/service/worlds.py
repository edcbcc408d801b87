"""Standings, estimates and work made up for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.forecast import ForecastJob
from gsvr_tui.core.models import Account, KeyRef, Limits, Now, ProbeFacts
from gsvr_tui.core.money import Caps
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.planner import JobPlan, plan_job
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduling import AccountPut, SegmentNeed
from gsvr_tui.media.files import FoundVideo
from gsvr_tui.service.forecasting import Foresight, Work
from gsvr_tui.service.history import Latency
from gsvr_tui.service.planning import Estimate, VideoPlan
from gsvr_tui.service.service_times import ServiceTimes
from gsvr_tui.service.standing import Standing, standing_of, tier_limits
from gsvr_tui.store.codec import UsageDay

MODEL = "gemini-3.8-flash"
WALL = 1_795_536_000.0  # 2026-11-24, 05:20 in Los Angeles
NOW = Now(1_000.0, WALL)


def catalogue() -> Catalogue:
    """The shipped one."""
    return load_catalogue(Path("/nowhere/models.yaml"))


def account(name: str, *, tier: str = "unknown", **limits: Any) -> Account:
    """An account in a project of its own; limits as the user states them."""
    stated = {MODEL: Limits(source="user", **limits)} if limits else {}
    return Account(name, name, KeyRef("memory", name), tier=tier, limits=stated)


def standing(
    *accounts: Account, caps: Caps | None = None, workers: int = 0, used: Mapping[str, int] | None = None
) -> Standing:
    """How these accounts stand, with requests used today by project."""
    scheduler = Scheduler(random=Random(1), caps=caps, workers=workers)
    limits = {item.name: tier_limits(item, catalogue()) for item in accounts}
    for item in accounts:
        scheduler.feed(AccountPut(item, limits[item.name]), NOW)
    for project, requests in (used or {}).items():
        scheduler.state.ledger.restore_day(project, MODEL, pacific_day(WALL), requests, NOW)
    return standing_of(scheduler.state, (), limits, NOW)


def times(*seconds: float) -> ServiceTimes:
    """Learned from answers that took so long, of requests of 20,000 tokens."""
    latency = Latency()
    for value in seconds:
        latency.add(value)
    row = UsageDay(
        "p", MODEL, "2026-11-24", answered=len(seconds), tokens_in=20_000 * len(seconds), latency=latency.text()
    )
    return ServiceTimes([row] if seconds else [], catalogue())


def works(count: int, *, service_s: float = 10.0, usd: float = 0.01, models: tuple[str, ...] = (MODEL,)) -> list[Work]:
    """Jobs of one request each whose file takes no time to upload."""
    return [
        Work(ForecastJob(f"{n:013d}", "b", models, (SegmentNeed(0, 20_000, usd),), 1, service_s)) for n in range(count)
    ]


def foresight(stands: Standing, learned: ServiceTimes | None = None, *, most: int = 10_000) -> Foresight:
    """With well known service times, unless said otherwise."""
    return Foresight(stands, learned or times(*[10.0] * 50), catalogue(), NOW, most=most)


def estimate(count: int, *, minutes: float = 10.0, free: bool = False, model: str = MODEL) -> Estimate:
    """Videos of that length, looked into."""
    facts = ProbeFacts(minutes * 60, 1_000, "video/mp4", "mp4", "h264", "aac")
    planned = plan_job(facts, model, catalogue(), WALL)
    assert isinstance(planned, JobPlan)
    videos = []
    for number in range(count):
        needs = tuple(SegmentNeed(item.index, item.tokens_in, item.usd) for item in planned.ranges)
        found = FoundVideo(f"/v/{number}.mp4", Path("/v"), f"{number}.mp4", 1_000)
        out = sum(item.tokens_out for item in planned.ranges)
        videos.append(VideoPlan(found, facts, needs, out, planned.usd, planned.usd / 2, planned.usd * 2))
    return Estimate(model, tuple(videos), count, free)
