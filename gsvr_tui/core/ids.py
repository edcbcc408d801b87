"""Identifiers that are unique without a counter, sort by time and fit TinyDB's integer document ids.

63 bits: 41 bits of milliseconds since 2026-01-01 UTC, 22 bits of randomness; written as 13 lower-case Crockford
base-32 digits. One maker never gives the same or a smaller id twice, also when the wall clock is set back.
"""

from __future__ import annotations

from random import Random

EPOCH_MS = 1_767_225_600_000
_RANDOM_BITS = 22
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_BASE_32 = "0123456789abcdefghijklmnopqrstuv"  # as int() reads it
_OTHERS = "".join(chr(code) for code in range(128) if chr(code).lower() not in _ALPHABET)
_TO_BASE_32 = str.maketrans(_ALPHABET + _ALPHABET[10:].upper() + _OTHERS, _BASE_32 + _BASE_32[10:] + "!" * len(_OTHERS))
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
    if len(text) == ID_LENGTH and text.isascii():
        try:
            number = int(text.translate(_TO_BASE_32), 32)
        except ValueError:
            number = -1
        if 0 <= number < 1 << 63:
            return number
    raise ValueError(f"not an id: {text!r}")


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
