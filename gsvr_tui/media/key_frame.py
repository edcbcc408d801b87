"""A picture taken from a video; apart from how it is taken, which needs the decoder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A picture taken at `at_s` seconds of the video, as a JPEG file. `asked_s` is the time it was wanted for."""

    asked_s: float
    at_s: float
    data: bytes
    width: int
    height: int
