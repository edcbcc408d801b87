"""How quota, accounts and money stand at a moment, as plain values: what a forecast starts from.

Taken from the scheduler at work, or, where none is at work, from one that is given what store and config know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.ledger import QuotaView
from gsvr_tui.core.models import Account, Limits, Now
from gsvr_tui.core.money import Caps, MoneyBook
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.scheduler import Scheduler
from gsvr_tui.core.scheduler_state import SchedulerState
from gsvr_tui.core.scheduling import AccountPut
from gsvr_tui.service.history import days_back
from gsvr_tui.service.restore import LIMITS_KEY
from gsvr_tui.service.service_times import HISTORY_DAYS, ServiceTimes
from gsvr_tui.service.usage import UsageBook
from gsvr_tui.store.codec import UsageDay
from gsvr_tui.store.repository import Store

MINUTE_S = 60.0
A_MEGABYTE = 1_000_000
TierLimits = Mapping[str, Limits]


def tier_limits(account: Account, catalogue: Catalogue) -> dict[str, Limits]:
    """Limits people met on an account's tier, by model; empty for a tier that is not stated."""
    infos = [catalogue.find(name) for name in catalogue.ids()]
    if account.tier == "free":
        return {info.id: info.free_limits for info in infos if info.free_limits is not None}
    return {info.id: info.tier_limits[account.tier] for info in infos if account.tier in info.tier_limits}


@dataclass(frozen=True, slots=True)
class Standing:
    """Usable accounts with their quota as it stands, caps with what is spent, workers, and the line's speed."""

    accounts: tuple[Account, ...]
    tier_limits: Mapping[str, TierLimits]  # by account
    views: tuple[QuotaView, ...]
    caps: Caps
    spent: Mapping[str, float]  # by scope of the money book
    workers: int
    bytes_per_s: float
    service_s: Mapping[str, float] = field(default_factory=dict)  # by model, where it is learned

    def scheduler(self, now: Now, guesses: Mapping[str, TierLimits] | None = None) -> Scheduler:
        """A scheduler that stands so, with no jobs. `guesses`: account → limits to take where none is known."""
        caps = replace(self.caps, batches=dict(self.caps.batches), projects=dict(self.caps.projects), spend={})
        scheduler = Scheduler(random=Random(0), caps=caps, workers=self.workers)  # noqa: S311 - jitter, not secrets
        for account in self.accounts:
            limits = {**(guesses or {}).get(account.name, {}), **self.tier_limits.get(account.name, {})}
            scheduler.feed(AccountPut(account, limits), now)
        for view in self.views:
            _seed(scheduler.state, view, now)
        for scope, usd in self.spent.items():
            scheduler.state.money.restore(scope, usd)
        for model, seconds in self.service_s.items():
            scheduler.state.balancer.learn_service(model, seconds)
        return scheduler

    def known(self, account: Account, model: str) -> Limits | None:
        """The limits an account's project is known to have for a model; None when nothing is known."""
        for view in self.views:
            if (view.project, view.model) == (account.project, model):
                return None if view.limits == Limits() else view.limits
        return account.limits.get(model) or self.tier_limits.get(account.name, {}).get(model)


def _seed(state: SchedulerState, view: QuotaView, now: Now) -> None:
    """One project × model as it stands: limits, day, minute, rest."""
    ledger, name = state.ledger, (view.project, view.model)
    if view.no_access:
        ledger.deny(*name, now)
    if view.limits.source in ("429", "inferred"):
        ledger.restore_learned(*name, view.limits, now)
    ledger.restore_day(*name, pacific_day(now.wall), view.day_used, now, view.tokens_day)
    sends = view.minute_used + view.minute_reserved
    for number in range(sends):  # evenly over the last minute: when each left is not known here
        age = MINUTE_S * (sends - number - 0.5) / sends
        ledger.restore_send(*name, now.wall - age, view.tokens_used // sends, now)
    if view.resting_until is not None and view.resting_until > now.wall:
        ledger.rest(*name, view.resting_until - now.wall, view.note, now)


def standing_of(
    state: SchedulerState,
    usage: Iterable[UsageDay],
    limits: Mapping[str, TierLimits],
    now: Now,
    service_s: Mapping[str, float] | None = None,
) -> Standing:
    """How a scheduler at work stands. `limits` are those of each account's tier."""
    usable = tuple(account for account in state.pool.all() if state.pool.usable(account.name))
    return Standing(
        accounts=usable,
        tier_limits=limits,
        views=state.ledger.views(now),
        caps=state.money.caps,
        spent=spent_by_scope(usage, state.money, now),
        workers=state.workers_set,
        bytes_per_s=A_MEGABYTE / max(1e-6, state.balancer.upload_s(A_MEGABYTE)),
        service_s=dict(service_s or {}),
    )


def spent_by_scope(usage: Iterable[UsageDay], money: MoneyBook | None, now: Now) -> dict[str, float]:
    """What counts against the caps of run, day, month and projects."""
    today = pacific_day(now.wall)
    spent: dict[str, float] = {}
    for row in usage:
        scopes = [f"project {row.project} {row.day[:7]}", f"month {row.day[:7]}"] if row.day[:7] == today[:7] else []
        for scope in [*scopes, *([f"day {today}"] if row.day == today else [])]:
            spent[scope] = spent.get(scope, 0.0) + row.cost_usd
    if money is not None:
        spent["run"] = money.run_spent + money.run_reserved
    return spent


def offline_scheduler(
    store: Store, accounts: Sequence[Account], catalogue: Catalogue, caps: Caps, workers: int, now: Now
) -> Scheduler:
    """A scheduler that knows what store and config know: accounts, limits learned, today's counts. It has no jobs."""
    scheduler = Scheduler(random=Random(0), caps=caps, workers=workers)  # noqa: S311 - jitter, not secrets
    for account in accounts:
        scheduler.feed(AccountPut(account, tier_limits(account, catalogue)), now)
    ledger = scheduler.state.ledger
    for row in UsageBook(store).rows():
        ledger.restore_day(row.project, row.model, row.day, row.requests - row.rejected, now, row.tokens_in)
    for project, models in (store.meta(LIMITS_KEY) or {}).items():
        for model, values in models.items():
            ledger.restore_learned(project, model, learned_limits(values), now)
    return scheduler


def offline_standing(
    store: Store, accounts: Sequence[Account], catalogue: Catalogue, caps: Caps, workers: int, now: Now
) -> tuple[Standing, ServiceTimes]:
    """How things stand by store and config, and how long answers have taken."""
    book = UsageBook(store)
    scheduler = offline_scheduler(store, accounts, catalogue, caps, workers, now)
    times = ServiceTimes(book.history(), catalogue, days_back(HISTORY_DAYS, now.wall))
    limits = {account.name: tier_limits(account, catalogue) for account in accounts}
    return standing_of(scheduler.state, book.rows(), limits, now, times.means()), times


def learned_limits(values: Mapping[str, object]) -> Limits:
    """Limits as the store keeps them; what is missing or strange counts as not known."""

    def number(name: str) -> int | None:
        value = values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    at = values.get("learned_at")
    return Limits(
        rpm=number("rpm"),
        tpm=number("tpm"),
        rpd=number("rpd"),
        source=str(values.get("source", "429")),
        tpd=number("tpd"),
        paced=values.get("paced") is True,
        learned_at=float(at) if isinstance(at, int | float) else None,
    )
