"""Identifiers that are unique without a counter, sort by time and fit TinyDB's integer document ids.

63 bits: 41 bits of milliseconds since 2026-01-01 UTC, 22 bits of randomness; written as 13 lower-case Crockford
base-32 digits. One maker never gives the same or a smaller id twice, also when the wall clock is set back.
"""

from __future__ import annotations

from random import Random

EPOCH_MS = 1_767_225_600_000
_RANDOM_BITS = 22
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
ID_LENGTH = 13
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]  # two digits at a time: stores decode many ids


def id_text(number: int) -> str:
    """The 13-character form of a 63-bit id."""
    if not 0 <= number < 1 << 63:
        raise ValueError(f"not a 63-bit id: {number}")
    pairs = _PAIRS
    return (
        _ALPHABET[number >> 60]
        + pairs[number >> 50 & 1023]
        + pairs[number >> 40 & 1023]
        + pairs[number >> 30 & 1023]
        + pairs[number >> 20 & 1023]
        + pairs[number >> 10 & 1023]
        + pairs[number & 1023]
    )


def id_number(text: str) -> int:
    """The integer behind an id's text. Raises ValueError for anything that is not an id."""
    if len(text) != ID_LENGTH:
        raise ValueError(f"not an id: {text!r}")
    number = 0
    for char in text.lower():
        value = _VALUES.get(char)
        if value is None:
            raise ValueError(f"not an id: {text!r}")
        number = number * 32 + value
    if number >= 1 << 63:
        raise ValueError(f"not an id: {text!r}")
    return number


def created_at(text: str) -> float:
    """Unix seconds an id was made at, to the millisecond. Raises ValueError for anything that is not an id."""
    return ((id_number(text) >> _RANDOM_BITS) + EPOCH_MS) / 1000.0


class IdMaker:
    """Makes ids; strictly increasing within one maker."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._last = -1

    def next(self, wall: float) -> str:
        """A new id at `wall` (Unix seconds)."""
        milliseconds = max(0, int(wall * 1000) - EPOCH_MS)
        number = (milliseconds << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
        if number <= self._last:
            number = self._last + 1 + self._random.getrandbits(4)
        self._last = number
        return id_text(number)
