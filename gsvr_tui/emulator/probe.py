"""What the emulator wants to know of an uploaded video; looked up by `gsvr_tui.media`, or by whatever is passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The real length of a video and whether it has sound."""

    duration_s: float
    has_audio: bool = True


Probe = Callable[[Path], VideoFacts | None]
"""The facts of a file, or None when it is no video. Runs in a worker thread."""


def media_probe(path: Path) -> VideoFacts | None:
    """Opens the file with `gsvr_tui.media`."""
    # Imported late: an emulator with its own probe needs no video library.
    from gsvr_tui.media.probe import probe_file
    from gsvr_tui.media.problem import MediaProblem

    try:
        facts = probe_file(path)
    except MediaProblem:
        return None
    return VideoFacts(facts.duration_s, facts.has_audio) if facts.duration_s > 0 else None
