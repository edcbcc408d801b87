"""What if: the same work as things are, with one account more, with the fallback model, with the paid tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from gsvr_tui.core.forecast import Forecast, ForecastJob, forecast
from gsvr_tui.core.models import Account, KeyRef, Limits, Now
from gsvr_tui.core.money import Caps
from gsvr_tui.core.scheduling import SegmentNeed


@dataclass(frozen=True, slots=True)
class Option:
    """One way to do the work. `low` and `high` are the forecasts with quick and with slow answers."""

    name: str
    usual: Forecast
    low: Forecast
    high: Forecast
    note: str = ""


class Pricing(Protocol):
    """How the caller prices requests: needs of a job for a model, free or not."""

    def needs(self, job: ForecastJob, model: str, *, free: bool) -> tuple[SegmentNeed, ...]:
        """The job's requests with another model."""


@dataclass(frozen=True, slots=True)
class World:
    """What all options have in common."""

    accounts: tuple[Account, ...]
    tier_limits: Mapping[str, Mapping[str, Limits]]
    caps: Caps | None
    workers: int
    bytes_per_s: float
    spread: float  # relative: answers take (1 ± spread) of the usual time


def what_if(
    jobs: Sequence[ForecastJob],
    world: World,
    now: Now,
    *,
    pricing: Pricing | None = None,
    paid_limits: Mapping[str, Limits] | None = None,
) -> tuple[Option, ...]:
    """The options that make sense. `paid_limits` are those of the first paid tier by model; empty: not known."""
    options = [_option("now", jobs, world, now)]
    if world.accounts:
        options.append(_one_more(jobs, world, now))
    fallback = next((job.models[1] for job in jobs if len(job.models) > 1), "")
    if fallback and pricing is not None:
        other = [replace(job, models=(fallback,), needs=pricing.needs(job, fallback, free=False)) for job in jobs]
        options.append(_option("fallback model", other, world, now, note=fallback))
    if pricing is not None and paid_limits and any(account.tier == "free" for account in world.accounts):
        paid = [replace(job, needs=pricing.needs(job, job.models[0], free=False)) for job in jobs]
        accounts = tuple(replace(a, tier="tier1", limits={}) if a.tier == "free" else a for a in world.accounts)
        limits = {a.name: paid_limits if a.tier == "tier1" else world.tier_limits.get(a.name, {}) for a in accounts}
        options.append(_option("paid tier", paid, replace(world, accounts=accounts, tier_limits=limits), now))
    return tuple(options)


def _one_more(jobs: Sequence[ForecastJob], world: World, now: Now) -> Option:
    """One more account like the first, with a project of its own."""
    first = world.accounts[0]
    more = replace(first, name="one more", project="one more", key=KeyRef("memory", "one more"), enabled=True)
    limits = {**world.tier_limits, more.name: world.tier_limits.get(first.name, {})}
    wider = replace(world, accounts=(*world.accounts, more), tier_limits=limits)
    return _option("one more account", jobs, wider, now, note=f"like {first.name}, of another owner or purpose")


def _option(name: str, jobs: Sequence[ForecastJob], world: World, now: Now, note: str = "") -> Option:
    return Option(
        name,
        _play(jobs, world, now, 1.0),
        _play(jobs, world, now, 1.0 - world.spread),
        _play(jobs, world, now, 1.0 + world.spread),
        note,
    )


def _play(jobs: Sequence[ForecastJob], world: World, now: Now, factor: float) -> Forecast:
    timed = [replace(job, service_s=job.service_s * factor) for job in jobs] if factor != 1.0 else jobs
    return forecast(
        timed,
        world.accounts,
        now,
        tier_limits=world.tier_limits,
        caps=world.caps,
        workers=world.workers,
        bytes_per_s=world.bytes_per_s,
    )
