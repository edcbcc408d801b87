"""The quota ledger: what each project may still ask of each model, and when.

Quota belongs to the Google Cloud *project* and the *model*, not to the key. Every request is reserved in all dimensions
at once before it is sent and settled with the real usage afterwards; what became of a request that broke off stays
counted. A request never starts beyond a known limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gsvr_tui.core.book import Book, Reservation, Slot, none_at_all
from gsvr_tui.core.failure import QuotaViolation
from gsvr_tui.core.models import Limits, Now
from gsvr_tui.core.pacific import next_midnight, pacific_day

USUAL_ROUND_TRIP_S = 0.15

__all__ = ["Ledger", "QuotaView", "Slot"]


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
    tokens_day: int = 0


class Ledger:
    """All books. `mono` times decide on minutes, `wall` times on Pacific days."""

    def __init__(self) -> None:
        self._books: dict[tuple[str, str], Book] = {}
        self._reserved: dict[str, Reservation] = {}
        self.round_trip_s = USUAL_ROUND_TRIP_S

    def _book(self, project: str, model: str, now: Now) -> Book:
        book = self._books.get((project, model))
        if book is None:
            book = self._books[project, model] = Book(pacific_day(now.wall), next_midnight(now.wall))
        else:
            book.roll(now)
        return book

    # ---------------------------------------------------------------- limits

    def set_limits(self, project: str, model: str, limits: Limits, now: Now) -> None:
        """Take limits stated by the user or known of the tier."""
        book = self._book(project, model, now)
        book.take_limits(stated=limits)
        book.no_access = none_at_all(limits)

    def limits(self, project: str, model: str, now: Now) -> Limits:
        """The limits that hold now."""
        return self._book(project, model, now).limits

    def learned(self) -> dict[tuple[str, str], Limits]:
        """Limits the service named, to be kept over a restart."""
        return {key: book.learned for key, book in self._books.items() if book.learned.source != "unknown"}

    def restore_learned(self, project: str, model: str, limits: Limits, now: Now) -> None:
        """Limits learned in an earlier run. Those of an earlier Pacific day may have grown since."""
        book = self._book(project, model, now)
        book.take_limits(learned=limits)
        if limits.learned_at is not None:
            book.raised_on = min(book.raised_on, pacific_day(limits.learned_at))

    def learn(self, project: str, model: str, violations: Iterable[QuotaViolation], now: Now) -> bool:
        """Take what a 429 says (`Book.learn`); True when that changed anything."""
        return self._book(project, model, now).learn(violations, now)

    # ---------------------------------------------------------------- rests

    def rest(self, project: str, model: str, seconds: float, note: str, now: Now) -> None:
        """No request before `seconds` from now; a longer rest stays."""
        self._book(project, model, now).rest(seconds, note, now)

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
                book.end_rest()

    def deny(self, project: str, model: str, now: Now) -> None:
        """The project has no access to the model."""
        self._book(project, model, now).no_access = True

    # ---------------------------------------------------------------- asking

    def earliest(self, project: str, model: str, tokens: int, now: Now) -> Slot:
        """When one more request of `tokens` input tokens may be sent."""
        return self._book(project, model, now).earliest(tokens, self.round_trip_s, now)

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
        self._reserved[key] = Reservation(project, model, book.day, tokens, book.reserve(key, tokens, now))
        return True

    def mark_sent(self, key: str, now: Now) -> None:
        """The request has left this machine."""
        held = self._reserved.get(key)
        if held is not None:
            self._books[held.project, held.model].window.mark_sent(key, now.mono)

    def _end(self, key: str, now: Now) -> tuple[Reservation, Book] | None:
        held = self._reserved.pop(key, None)
        if held is None:
            return None
        book = self._book(held.project, held.model, now)
        book.in_flight = max(0, book.in_flight - 1)
        return held, book

    def settle(self, key: str, tokens: int | None, now: Now) -> None:
        """The request ended. `tokens` as the service counted them; None: not known, the estimate stays."""
        ended = self._end(key, now)
        if ended is None:
            return
        held, book = ended
        if tokens is None:
            book.window.mark_sent(key, now.mono)
            book.window.release(key)  # it left, so it stays counted
            return
        book.settle(key, held, tokens, now)

    def release(self, key: str, now: Now) -> None:
        """The request never left."""
        ended = self._end(key, now)
        if ended is not None:
            held, book = ended
            book.window.release(key)
            book.give_back_day(held)

    def refuse(self, key: str, now: Now) -> None:
        """The service turned the request away. It may count against the minute, so it stays there; not the day."""
        ended = self._end(key, now)
        if ended is not None:
            held, book = ended
            book.window.settle(key, 0, now.mono)
            book.give_back_day(held)

    # ---------------------------------------------------------------- over a restart, and for people

    def restore_day(self, project: str, model: str, day: str, requests: int, now: Now, tokens: int = 0) -> None:
        """Take the counts of a Pacific day from an earlier run; other days are of no interest."""
        book = self._book(project, model, now)
        if day == book.day:
            book.day_used = max(book.day_used, requests)
            book.tokens_day = max(book.tokens_day, tokens)

    def note_round_trip(self, seconds: float) -> None:
        """How long the service takes to say anything at all, smoothed."""
        self.round_trip_s += 0.2 * (seconds - self.round_trip_s)

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
                    tokens_day=book.tokens_day,
                )
            )
        return tuple(result)
