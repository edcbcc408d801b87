"""The ways to do some work, compared: now, with one account more, with the fallback model, on the paid tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.models import Account, KeyRef, Limits
from gsvr_tui.core.views import PlanOption
from gsvr_tui.service.forecasting import Foresight, Outlook, Work
from gsvr_tui.service.planning import Estimate, replan, works_of
from gsvr_tui.service.standing import TierLimits, tier_limits


class Comparison:
    """The same videos as things are, with one account more, with the fallback model, on the paid tier."""

    def __init__(
        self, found: Estimate, foresight: Foresight, catalogue: Catalogue, wall: float, *, ahead: Sequence[Work] = ()
    ) -> None:
        """`ahead`: work that is in the queue already; it counts in the time, not in requests and price."""
        self._found = found
        self._foresight = foresight
        self._catalogue = catalogue
        self._wall = wall
        self._ahead = tuple(ahead)

    def options(self, fallbacks: Sequence[str]) -> tuple[PlanOption, ...]:
        """The ways that make sense, first how things are now. Slow: for a thread."""
        models = (self._found.model, *(model for model in fallbacks if model != self._found.model))
        standing = self._foresight.standing
        now = self._option("now", self._found, models, self._foresight, ranged=True)
        options = [now]
        if standing.accounts:
            options.append(self._one_more(models, now))
        if standing.accounts and len(models) > 1 and self._catalogue.get(models[1]) is not None:
            other = replan(self._found, models[1], self._catalogue, self._wall)
            options.append(
                self._option("fallback model", other, models[1:2], self._foresight, like=now, note=models[1])
            )
        if any(account.tier == "free" for account in standing.accounts):
            options.append(self._paid(models, now))
        return tuple(options)

    def _one_more(self, models: tuple[str, ...], now: PlanOption) -> PlanOption:
        """One more account like the first, with a project of its own that is not used yet."""
        standing = self._foresight.standing
        first = standing.accounts[0]
        known = {model: found for model in models if (found := standing.known(first, model)) is not None}
        more = replace(
            first, name="one more", project="one more", key=KeyRef("memory", "one more"), limits=known, enabled=True
        )
        limits: Mapping[str, TierLimits] = {**standing.tier_limits, more.name: standing.tier_limits.get(first.name, {})}
        wider = replace(standing, accounts=(*standing.accounts, more), tier_limits=limits)
        note = f"another owner's or purpose's project, like {first.name}"
        return self._option("one more account", self._found, models, self._foresight.on(wider), like=now, note=note)

    def _paid(self, models: tuple[str, ...], now: PlanOption) -> PlanOption:
        standing = self._foresight.standing
        accounts = tuple(replace(a, tier="tier1", limits={}) if a.tier == "free" else a for a in standing.accounts)
        raised = {a.project for a in standing.accounts if a.tier == "free"}
        limits = {
            a.name: tier_limits(a, self._catalogue) if a.project in raised else standing.tier_limits.get(a.name, {})
            for a in accounts
        }
        views = tuple(
            replace(v, limits=Limits(), no_access=False, resting_until=None) if v.project in raised else v
            for v in standing.views
        )
        paid = replace(standing, accounts=accounts, tier_limits=limits, views=views)
        found = replace(self._found, free=False)
        return self._option("paid tier", found, models, self._foresight.on(paid), like=now, note="billing switched on")

    def _option(
        self,
        name: str,
        found: Estimate,
        models: tuple[str, ...],
        foresight: Foresight,
        *,
        ranged: bool = False,
        like: PlanOption | None = None,
        note: str = "",
    ) -> PlanOption:
        works = works_of(found, models, foresight.times)
        played = [*self._ahead, *works]
        seen = foresight.outlook(played, ranged=ranged)
        requests = round(found.total(lambda v: len(v.needs)))
        usual, least, most = found.usd(seen.paid_share)
        low, high = (seen.ends_low, seen.ends_high) if like is None else self._range_like(like, seen.ends_at)
        return PlanOption(
            name=name,
            ends_at=seen.ends_at,
            ends_low=low,
            ends_high=high,
            cost_usd=usual,
            cost_low_usd=least,
            cost_high_usd=most,
            requests=requests,
            tokens_in=round(found.total(lambda v: v.tokens_in)),
            limited_by=seen.limited_by,
            note="; ".join(text for text in (note, seen.stopped) if text),
            by_account=_by_account(seen, foresight.standing.accounts, requests),
        )

    def _range_like(self, now: PlanOption, ends_at: float | None) -> tuple[float | None, float | None]:
        """The range of another way: as wide, in proportion, as it is now."""
        if ends_at is None or now.ends_at is None or now.ends_low is None or now.ends_high is None:
            return ends_at, ends_at
        usual = max(1.0, now.ends_at - self._wall)
        seconds = ends_at - self._wall
        low, high = (seconds * (end - self._wall) / usual for end in (now.ends_low, now.ends_high))
        return self._wall + low, self._wall + high


def _by_account(seen: Outlook, accounts: Sequence[Account], requests: int) -> tuple[tuple[str, int], ...]:
    """Requests by account: a project's first one stands for its project. Shares are of what is played."""
    played = sum(seen.by_project.values())
    names: dict[str, str] = {}
    for account in accounts:
        names.setdefault(account.project, account.name)
    if not played:
        return ()
    return tuple((names.get(p, p), round(count * requests / played)) for p, count in sorted(seen.by_project.items()))
