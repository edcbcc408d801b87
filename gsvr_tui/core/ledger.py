"""The quota ledger: what each project may still ask of each model, and when.

Quota belongs to the Google Cloud *project* and the *model*, not to the key. Every request is reserved in all dimensions
at once before it is sent and settled with the real usage afterwards; what became of a request that broke off stays
counted. A request never starts beyond a known limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from gsvr_tui.core.failure import QuotaViolation
from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.pacific import day_start, next_midnight, pacific_day
from gsvr_tui.core.window import SlidingWindow

DAY_SPREAD_S = 60.0
"""In the first minute after midnight a day that was used up still counts: the service's clock and ours may differ."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When a request can start on a project × model: `at` (monotonic, `inf` = never as things are) and what limits it.

    `why` is one of "", "rpm", "tpm", "rpd", "resting", "no_access", "too_big".
    """

    at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class QuotaView:
    """The ledger's line of one project × model, for screens and forecasts. Times are wall time."""

    project: str
    model: str
    limits: Limits
    minute_used: int
    minute_reserved: int
    tokens_used: int
    day_used: int
    day_resets_at: float
    resting_until: float | None
    note: str
    no_access: bool


class _Book:
    """One project × model."""

    __slots__ = (
        "day",
        "day_ends",
        "day_used",
        "day_used_before",
        "learned",
        "limits",
        "no_access",
        "rest_note",
        "rest_until_mono",
        "rest_until_wall",
        "stated",
        "window",
    )

    def __init__(self, day: str, day_ends: float) -> None:
        self.window = SlidingWindow()
        self.stated = Limits()
        self.learned = Limits()
        self.limits = Limits()  # what holds now, of the two
        self.day = day
        self.day_ends = day_ends  # wall
        self.day_used = 0
        self.day_used_before = 0  # the day before
        self.no_access = False
        self.rest_until_mono = -math.inf
        self.rest_until_wall: float | None = None
        self.rest_note = ""

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
        )


def _none_at_all(limits: Limits) -> bool:
    return 0 in (limits.rpm, limits.tpm, limits.rpd)


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None else min(one, other)


class Ledger:
    """All books. `mono` times decide on minutes, `wall` times on Pacific days."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], _Book] = {}
        self._reserved: dict[str, tuple[str, str, str]] = {}  # reservation → project, model, day

    def _book(self, project: str, model: str, now: Now) -> _Book:
        book = self._books.get((project, model))
        if book is None:
            book = self._books[project, model] = _Book(pacific_day(now.wall), next_midnight(now.wall))
        elif now.wall >= book.day_ends:  # never back: a clock set back does not give quota
            book.day_used_before = book.day_used
            book.day, book.day_ends, book.day_used = pacific_day(now.wall), next_midnight(now.wall), 0
        return book

    # ---------------------------------------------------------------- limits

    def set_limits(self, project: str, model: str, limits: Limits, now: Now) -> None:
        """Take limits stated by the user or known of the tier."""
        book = self._book(project, model, now)
        book.take_limits(stated=limits)
        book.no_access = _none_at_all(limits)

    def limits(self, project: str, model: str, now: Now) -> Limits:
        """The limits that hold now."""
        return self._book(project, model, now).limits

    def learned(self) -> dict[tuple[str, str], Limits]:
        """Limits the service named, to be kept over a restart."""
        return {key: book.learned for key, book in self._books.items() if book.learned.source != "unknown"}

    def restore_learned(self, project: str, model: str, limits: Limits, now: Now) -> None:
        """Limits learned in an earlier run."""
        self._book(project, model, now).take_limits(learned=limits)

    def learn(self, project: str, model: str, violations: Iterable[QuotaViolation], now: Now) -> bool:
        """Take the limits a 429 named; True when that changed anything."""
        book = self._book(project, model, now)
        before = learned = book.learned
        for violation in violations:
            if violation.limit is None:
                continue
            if violation.limit == 0:
                book.no_access = True
            elif violation.dimension == "rpm":
                learned = replace(learned, rpm=violation.limit, source="429")
            elif violation.dimension == "tpm":
                learned = replace(learned, tpm=violation.limit, source="429")
            elif violation.dimension == "rpd":
                learned = replace(learned, rpd=violation.limit, source="429")
                book.day_used = max(book.day_used, violation.limit)  # others may use the project too
        book.take_limits(learned=learned)
        return learned != before

    # ---------------------------------------------------------------- rests

    def rest(self, project: str, model: str, seconds: float, note: str, now: Now) -> None:
        """No request before `seconds` from now; a longer rest stays."""
        book = self._book(project, model, now)
        until = now.mono + seconds
        if until > book.rest_until_mono:
            book.rest_until_mono, book.rest_until_wall, book.rest_note = until, now.wall + seconds, note

    def rest_until_midnight(self, project: str, model: str, spread_s: float, note: str, now: Now) -> None:
        """No request before the next Pacific midnight plus `spread_s`."""
        self.rest(project, model, next_midnight(now.wall) - now.wall + spread_s, note, now)

    def rest_project(self, project: str, seconds: float, note: str, now: Now) -> None:
        """Rest all models of a project that have a book."""
        for known, model in list(self._books):
            if known == project:
                self.rest(project, model, seconds, note, now)

    def end_rest(self, project: str, now: Now) -> None:
        """Forget rests of a project, after the user replaced or rechecked its key."""
        for (known, _), book in self._books.items():
            if known == project:
                book.rest_until_mono, book.rest_until_wall, book.rest_note = -math.inf, None, ""
                book.no_access = _none_at_all(book.stated)

    def deny(self, project: str, model: str, now: Now) -> None:
        """The project has no access to the model."""
        self._book(project, model, now).no_access = True

    # ---------------------------------------------------------------- asking

    def earliest(self, project: str, model: str, tokens: int, now: Now) -> Slot:
        """When one more request of `tokens` input tokens may be sent."""
        book = self._book(project, model, now)
        if book.no_access:
            return Slot(math.inf, "no_access")
        limits = book.limits
        if limits.tpm is not None and tokens > limits.tpm:
            return Slot(math.inf, "too_big")
        slot = Slot(now.mono)
        if book.rest_until_mono > now.mono:
            slot = Slot(book.rest_until_mono, "resting")
        if limits.rpd is not None:
            to_midnight = self._day_full_for(book, limits.rpd, now)
            if now.mono + to_midnight > slot.at:
                slot = Slot(now.mono + to_midnight, "rpd")
        at = book.window.earliest(now.mono, tokens, limits.rpm, limits.tpm)
        if at > slot.at:
            by_requests = book.window.earliest(now.mono, 0, limits.rpm, None)
            slot = Slot(at, "rpm" if by_requests >= at else "tpm")
        return slot

    @staticmethod
    def _day_full_for(book: _Book, rpd: int, now: Now) -> float:
        """Seconds until the day has room again."""
        if book.day_used >= rpd:
            return next_midnight(now.wall) - now.wall + DAY_SPREAD_S
        if book.day_used + book.day_used_before < rpd:
            return 0.0
        return max(0.0, DAY_SPREAD_S - (now.wall - day_start(now.wall)))

    def day_left(self, project: str, model: str, now: Now) -> float:
        """Share of today's requests that is left, 1.0 when the limit is not known."""
        book = self._book(project, model, now)
        limit = book.limits.rpd
        return 1.0 if not limit else max(0.0, 1 - book.day_used / limit)

    # ---------------------------------------------------------------- reserving and settling

    def reserve(self, key: str, project: str, model: str, tokens: int, now: Now) -> bool:
        """Take a request in all dimensions, or nothing. False when it may not start now."""
        if self.earliest(project, model, tokens, now).at > now.mono:
            return False
        book = self._book(project, model, now)
        book.window.reserve(key, tokens)
        book.day_used += 1
        self._reserved[key] = (project, model, book.day)
        return True

    def mark_sent(self, key: str, now: Now) -> None:
        """The request has left this machine."""
        held = self._reserved.get(key)
        if held is not None:
            self._books[held[0], held[1]].window.mark_sent(key, now.mono)

    def settle(self, key: str, tokens: int | None, now: Now) -> None:
        """The request ended. `tokens` as the service counted them; None: not known, the estimate stays."""
        held = self._reserved.pop(key, None)
        if held is None:
            return
        window = self._books[held[0], held[1]].window
        if tokens is None:
            window.mark_sent(key, now.mono)
            window.release(key)  # it left, so it stays counted
        else:
            window.settle(key, tokens, now.mono)

    def release(self, key: str, now: Now) -> None:
        """The request never left."""
        held = self._reserved.pop(key, None)
        if held is None:
            return
        book = self._book(held[0], held[1], now)
        book.window.release(key)
        if book.day == held[2]:
            book.day_used = max(0, book.day_used - 1)

    def refuse(self, key: str, now: Now) -> None:
        """The service turned the request away. It may count against the minute, so it stays there; not the day."""
        held = self._reserved.pop(key, None)
        if held is None:
            return
        book = self._book(held[0], held[1], now)
        book.window.settle(key, 0, now.mono)
        if book.day == held[2]:
            book.day_used = max(0, book.day_used - 1)

    # ---------------------------------------------------------------- over a restart, and for people

    def restore_day(self, project: str, model: str, day: str, requests: int, now: Now) -> None:
        """Take the count of a Pacific day from an earlier run; other days are of no interest."""
        book = self._book(project, model, now)
        if day == book.day:
            book.day_used = max(book.day_used, requests)

    def restore_send(self, project: str, model: str, sent_at: float, tokens: int, now: Now) -> None:
        """A request of an earlier run that left at wall time `sent_at`; call in order of time."""
        age = max(0.0, now.wall - sent_at)
        book = self._book(project, model, now)
        if age < book.window.span_s:
            book.window.remember(now.mono - age, tokens)

    def views(self, now: Now) -> tuple[QuotaView, ...]:
        """Every book, sorted by project and model."""
        result = []
        for project, model in sorted(self._books):
            book = self._book(project, model, now)
            left, reserved, tokens = book.window.used(now.mono)
            resting = book.rest_until_mono > now.mono
            result.append(
                QuotaView(
                    project=project,
                    model=model,
                    limits=book.limits,
                    minute_used=left,
                    minute_reserved=reserved,
                    tokens_used=tokens,
                    day_used=book.day_used,
                    day_resets_at=next_midnight(now.wall),
                    resting_until=book.rest_until_wall if resting else None,
                    note="no access to this model" if book.no_access else (book.rest_note if resting else ""),
                    no_access=book.no_access,
                )
            )
        return tuple(result)
