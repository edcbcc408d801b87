"""One project × model in the ledger: its window, its day, its limits, and when one more request may go."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gsvr_tui.core.failure import QuotaViolation
from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.pacific import day_start, next_midnight, pacific_day
from gsvr_tui.core.window import SlidingWindow

FEEL_S = 0.5
"""Between two requests where no limit is known: by then a refusal of the first would be here."""
TRIAL_AFTER_S = 300.0
"""After a rest this long one request goes first."""
MOST_PATIENCE = 64
"""Full windows answered, at most, before one request more is tried where limits are not named."""
OTHERS_WINDOWS = 5
"""So many full windows answered before a place left to another program is tried again."""
DAY_SPREAD_S = 60.0
"""In the first minute after midnight a day that was used up still counts: the service's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When a request can start on a project × model: `at` (monotonic, `inf` = never as things are) and what limits it.

    `why` is one of "", "rpm", "tpm", "rpd", "tpd", "paced", "feeling" (the limit is not known and is felt for, one
    request at a time), "trial" (one request goes first after a long rest), "resting", "no_access", "too_big".
    """

    at: float
    why: str = ""


class Book:
    """One project × model."""

    __slots__ = (
        "day",
        "day_ends",
        "day_used",
        "day_used_before",
        "feels",
        "in_flight",
        "inferred",
        "last_reserved",
        "learned",
        "limits",
        "no_access",
        "others",
        "patience",
        "raised_on",
        "rest_note",
        "rest_until_mono",
        "rest_until_wall",
        "rpm_now",
        "stated",
        "tokens_day",
        "trial",
        "window",
    )

    def __init__(self, day: str, day_ends: float) -> None:
        self.window = SlidingWindow()
        self.stated = Limits()
        self.learned = Limits()
        self.limits = Limits()  # what holds now, of the two
        self.feels = True  # a limit of the minute is not known; what the user stated is taken for the whole truth
        self.day = day
        self.day_ends = day_ends  # wall
        self.day_used = 0
        self.day_used_before = 0  # the day before
        self.no_access = False
        self.rest_until_mono = -math.inf
        self.rest_until_wall: float | None = None
        self.rest_note = ""
        self.tokens_day = 0
        self.in_flight = 0
        self.last_reserved = -math.inf  # monotonic
        self.trial = False  # after a long rest one request goes first
        self.raised_on = day  # the last day on which one request above a learned limit was allowed
        self.others = 0  # requests a minute that another program on the project seems to take
        self.rpm_now: int | None = None  # the limit less those
        self.patience = 1  # full windows answered before an inferred limit is raised by one
        self.inferred = 0  # answered since a limit was inferred: it is raised step by step

    def take_limits(self, *, stated: Limits | None = None, learned: Limits | None = None) -> None:
        """What holds from now on: of the user's (or the tier's) number and the service's own the smaller."""
        self.stated = stated or self.stated
        self.learned = learned or self.learned
        source = self.learned.source if self.learned.source != "unknown" else self.stated.source
        self.limits = Limits(
            rpm=_smaller(self.stated.rpm, self.learned.rpm),
            tpm=_smaller(self.stated.tpm, self.learned.tpm),
            rpd=_smaller(self.stated.rpd, self.learned.rpd),
            source=source,
            tpd=_smaller(self.stated.tpd, self.learned.tpd),
            paced=self.learned.paced,
            learned_at=self.learned.learned_at,
        )
        self._leave_to_others(self.others)
        whole_truth = self.stated.source == "user" and bool(self.stated.rpm or self.stated.tpm)
        self.feels = not whole_truth and (self.limits.rpm is None or self.limits.tpm is None)

    def roll(self, now: Now) -> None:
        """Begin a new Pacific day when it is time. Never back: a clock set back does not give quota."""
        if now.wall < self.day_ends:
            return
        self.day_used_before = self.day_used
        self.day, self.day_ends = pacific_day(now.wall), next_midnight(now.wall)
        self.day_used = self.tokens_day = 0

    # ---------------------------------------------------------------- learning

    def learn(self, violations: Iterable[QuotaViolation], now: Now) -> bool:
        """Take what a 429 says; True when that changed anything.

        A named limit holds at once. One that is not named is inferred from what was answered in the last minute. A
        refusal within the named limit means that the service refills evenly: from then on requests are paced.
        """
        before = learned = self.learned
        for violation in violations:
            if violation.limit == 0:
                self.no_access = True
            elif violation.dimension == "rpm":
                learned = self._learn_rpm(learned, violation.limit, now)
            elif violation.limit is not None and violation.dimension in ("tpm", "rpd", "tpd"):
                learned = _named(learned, violation.dimension, violation.limit, now)
                if violation.dimension == "rpd":
                    self.day_used = max(self.day_used, violation.limit)  # others may use the project too
                elif violation.dimension == "tpd":
                    self.tokens_day = max(self.tokens_day, violation.limit)
        self.take_limits(learned=learned)
        return learned != before

    def _learn_rpm(self, learned: Limits, limit: int | None, now: Now) -> Limits:
        left, unsent, _ = self.window.used(now.mono)
        answered = max(1, left + unsent - 1)  # the refused one is in the log too
        known = self.limits.rpm
        if limit is not None:
            within = known == limit and answered < limit
            if within and self.window.was_early(now.mono, limit):
                self.window.widen(now.mono)
                within = False
            if within and learned.paced:  # not the service's way of refilling then: somebody else is on the project
                self._leave_to_others(min(limit - 1, max(self.others + 1, limit - answered)))
                self.inferred = 0
            return replace(_named(learned, "rpm", limit, now), paced=learned.paced or within)
        self.inferred = 0
        if known is not None and learned.source == "inferred":  # back to what was answered, and try more seldom
            answered = max(1, known - 1)
            self.patience = min(MOST_PATIENCE, self.patience * 4)
        return replace(learned, rpm=answered, source="inferred", learned_at=now.wall)

    def _recover(self) -> None:
        """What was only concluded is taken back step by step while requests are answered.

        A limit that was inferred grows by one with every full window; a place left to somebody else is tried again
        after some.
        """
        self.inferred += 1
        if self.others and self.inferred >= OTHERS_WINDOWS * (self.rpm_now or 1):
            self.inferred = 0
            self._leave_to_others(self.others - 1)
        elif self.learned.source == "inferred" and self.learned.rpm is not None:
            if self.inferred < self.patience * self.learned.rpm:
                return
            self.inferred = 0
            self.take_limits(learned=replace(self.learned, rpm=self.learned.rpm + 1))

    def _leave_to_others(self, count: int) -> None:
        """So many requests a minute seem to be taken by another program on the project."""
        self.others = count
        rpm = self.limits.rpm
        self.rpm_now = None if rpm is None else max(min(1, rpm), rpm - count)

    # ---------------------------------------------------------------- rests

    def rest(self, seconds: float, note: str, now: Now) -> None:
        """No request before `seconds` from now; a longer rest stays. After a long one a single request goes first."""
        until = now.mono + seconds
        self.trial = self.trial or seconds >= TRIAL_AFTER_S
        if until > self.rest_until_mono:
            self.rest_until_mono, self.rest_until_wall, self.rest_note = until, now.wall + seconds, note

    def end_rest(self) -> None:
        """Forget rests and refusals: the user replaced or rechecked a key."""
        self.rest_until_mono, self.rest_until_wall, self.rest_note = -math.inf, None, ""
        self.no_access = none_at_all(self.stated)

    # ---------------------------------------------------------------- asking

    def earliest(self, tokens: int, round_trip_s: float, now: Now) -> Slot:
        """When one more request of `tokens` input tokens may be sent."""
        if self.no_access:
            return Slot(math.inf, "no_access")
        limits = self.limits
        if limits.tpm is not None and tokens > limits.tpm:
            return Slot(math.inf, "too_big")
        slot = Slot(now.mono)
        if self.rest_until_mono > now.mono:
            slot = Slot(self.rest_until_mono, "resting")
        elif self.trial and self.in_flight:
            slot = Slot(now.mono + self.window.span_s, "trial")
        if limits.rpd is not None or limits.tpd is not None:
            slot = self._in_the_day(tokens, slot, now)
        if limits.paced or self.feels:
            slot = self._spaced(round_trip_s, slot)
        at = self.window.earliest(now.mono, tokens, self.rpm_now, limits.tpm)
        if at > slot.at:
            by_requests = self.window.earliest(now.mono, 0, self.rpm_now, None)
            why = "rpm" if by_requests >= at else "tpm"
            if not self._may_raise(why):
                slot = Slot(at, why)
        return slot

    def _in_the_day(self, tokens: int, slot: Slot, now: Now) -> Slot:
        limits = self.limits
        if limits.rpd is not None:
            to_midnight = self._day_full_for(limits.rpd, now)
            if now.mono + to_midnight > slot.at:
                slot = Slot(now.mono + to_midnight, "rpd")
        if limits.tpd is not None and self.tokens_day + tokens > limits.tpd:
            at = now.mono + next_midnight(now.wall) - now.wall + DAY_SPREAD_S
            slot = Slot(at, "tpd") if at > slot.at else slot
        return slot

    def _spaced(self, round_trip_s: float, slot: Slot) -> Slot:
        """Evenly spaced where the service refills so; one at a time where a limit is not known.

        A refusal comes back within about a round trip, an answer takes seconds: silence is acceptance.
        """
        gap, why = 0.0, ""
        if self.limits.paced and self.rpm_now:
            gap, why = self.window.span_s / self.rpm_now, "paced"
        else:
            gap, why = max(FEEL_S, 3 * round_trip_s), "feeling"
        at = self.last_reserved + gap
        return Slot(at, why) if gap and at > slot.at else slot

    def _may_raise(self, why: str) -> bool:
        """Once a Pacific day one request above a limit the service named on an earlier day: it may have grown."""
        return self.raised_on < self.day and self.in_flight == 0 and self._holds_learned(why)

    def _holds_learned(self, why: str) -> bool:
        """True when it is a learned limit, not one of the user's, that holds."""
        return why in ("rpm", "tpm") and getattr(self.learned, why) is not None and getattr(self.stated, why) is None

    def _day_full_for(self, rpd: int, now: Now) -> float:
        """Seconds until the day has room again."""
        if self.day_used >= rpd:
            return next_midnight(now.wall) - now.wall + DAY_SPREAD_S
        if self.day_used + self.day_used_before < rpd:
            return 0.0
        return max(0.0, DAY_SPREAD_S - (now.wall - day_start(now.wall)))

    # ---------------------------------------------------------------- reserving and settling

    def reserve(self, key: str, tokens: int, now: Now) -> bool:
        """Take a request; True when it goes beyond a learned limit, to see whether that has grown."""
        above = self.window.earliest(now.mono, tokens, self.rpm_now, self.limits.tpm) > now.mono
        if above:
            self.raised_on = self.day
        self.window.reserve(key, tokens)
        self.day_used += 1
        self.tokens_day += tokens
        self.in_flight += 1
        self.last_reserved = now.mono
        return above

    def settle(self, key: str, held: Reservation, tokens: int, now: Now) -> None:
        """An answer came, of `tokens` input tokens."""
        self.window.settle(key, tokens, now.mono)
        if self.day == held.day:
            self.tokens_day = max(0, self.tokens_day + tokens - held.tokens)
        self.trial = False
        self._recover()
        if held.above:  # answered above what was learned: that is not known any more
            self.take_limits(learned=replace(self.learned, rpm=None, tpm=None))

    def give_back_day(self, held: Reservation) -> None:
        """The request does not count against the day."""
        if self.day == held.day:
            self.day_used = max(0, self.day_used - 1)
            self.tokens_day = max(0, self.tokens_day - held.tokens)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A request that is out. `above`: it goes beyond a learned limit."""

    project: str
    model: str
    day: str
    tokens: int
    above: bool


def _named(limits: Limits, dimension: str, limit: int, now: Now) -> Limits:
    known = replace(limits, source="429", learned_at=now.wall)
    match dimension:
        case "rpm":
            return replace(known, rpm=limit)
        case "tpm":
            return replace(known, tpm=limit)
        case "rpd":
            return replace(known, rpd=limit)
        case _:
            return replace(known, tpd=limit)


def none_at_all(limits: Limits) -> bool:
    """True when limits say that there is no access."""
    return 0 in (limits.rpm, limits.tpm, limits.rpd, limits.tpd)


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None else min(one, other)
