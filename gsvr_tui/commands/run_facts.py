"""What the shows of a run are told: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gsvr_tui.core.messages import JobRow, Status
from gsvr_tui.core.models import JobState


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that has ended in this run. `number` of `total` are done with."""

    row: JobRow
    outputs: tuple[str, ...]
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended. `left`: jobs that go on with `resume`; `counts` are of this run's jobs."""

    code: int
    counts: Mapping[JobState, int]
    left: int
    left_out: int
    seconds: float
    spent_usd: float
    tokens_in: int
    tokens_out: int
    outputs: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    reason: str = ""
    advice: str = ""
    failures: tuple[tuple[str, str, str], ...] = field(default=())  # name, what happened, what to do


class Show(Protocol):
    """How a run is shown: on a terminal, in a pipe, as JSON Lines."""

    def begin(self, total: int) -> None:
        """Work starts on so many jobs."""

    def changed(self, row: JobRow) -> None:
        """A job moved."""

    def finished(self, job: Finished) -> None:
        """A job ended."""

    def status(self, status: Status, done: int, total: int) -> None:
        """The service's status changed; `done` of `total` jobs of this run have ended."""

    def note(self, text: str, level: str = "info") -> None:
        """Something to be told: a warning from the log, a wait, a signal taken."""

    def end(self, summary: Summary) -> None:
        """The last thing said."""

    def hang_up(self) -> None:
        """The terminal is gone: write nothing more to it."""
