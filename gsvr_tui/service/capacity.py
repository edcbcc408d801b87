"""How long projects need for very many equal requests: by their rates and their days, without playing each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gsvr_tui.core.models import Limits
from gsvr_tui.core.money import SPEND_SPAN_S
from gsvr_tui.core.pacific import next_midnight
from gsvr_tui.core.scheduler_state import AUTO_WORKERS_A_PROJECT

LONGEST_DAYS = 3_650
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Room:
    """Requests a project × model can take: a second, in the rest of today, in a whole day."""

    rate: float
    left: float
    day: float


@dataclass(frozen=True, slots=True)
class Rooms:
    """The models of a project in the order in which they are used."""

    models: tuple[Room, ...]

    def can(self, seconds: float, *, first: bool) -> float:
        """Requests in the first seconds of a day; `first`: of today, with what is used of it."""
        done, left_s = 0.0, seconds
        for room in self.models:
            count = min(room.left if first else room.day, room.rate * left_s)
            done += count
            left_s -= count / room.rate if room.rate > 0 else 0.0
        return done


@dataclass(frozen=True, slots=True)
class Usual:
    """A request of middling size: input tokens, seconds, dollars."""

    tokens: float
    service_s: float
    usd: float


def room(limits: Limits, used: int, usual: Usual, spend_usd: float | None) -> Room:
    """The room of a project × model. `used`: requests of today; `spend_usd`: what may be spent in ten minutes."""
    rates = [AUTO_WORKERS_A_PROJECT / max(0.1, usual.service_s)]
    if limits.rpm is not None:
        rates.append(limits.rpm / 60.0)
    if limits.tpm is not None and usual.tokens > 0:
        rates.append(limits.tpm / usual.tokens / 60.0)
    if spend_usd is not None:
        rates.append(spend_usd / usual.usd / SPEND_SPAN_S)
    day = math.inf if limits.rpd is None else float(limits.rpd)
    if limits.tpd is not None and usual.tokens > 0:
        day = min(day, limits.tpd / usual.tokens)
    return Room(min(rates), max(0.0, day - used), day)


def seconds_for(rooms: Sequence[Rooms], requests: float, wall: float) -> float:
    """Seconds that the projects together need for so many equal requests, day by day."""
    seconds, left, first = 0.0, requests, True
    for _ in range(LONGEST_DAYS):
        span = next_midnight(wall) - wall
        can = math.fsum(room.can(span, first=first) for room in rooms)
        if can >= left or (can <= 0 and not first):
            break
        left, wall, seconds, first = left - can, next_midnight(wall), seconds + span, False
    low, high = 0.0, DAY_S + 3_600.0
    for _ in range(40):  # the moment in the last day at which the rest is done
        middle = (low + high) / 2
        done = math.fsum(room.can(middle, first=first) for room in rooms)
        low, high = (low, middle) if done >= left else (middle, high)
    return seconds + high
