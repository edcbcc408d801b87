"""What the store tells about itself: how it stands, what opening found, how sure a change has to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Durability(StrEnum):
    """When a change has to be on disk."""

    DURABLE = "durable"  # at once: jobs, intents, answers, money, acts of the user
    SOON = "soon"  # within a second: learned limits, settings
    LOSSY = "lossy"  # within five seconds, merged per document; may be lost: progress


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store stands. While `stalled`, changes are kept in memory and tried again by themselves."""

    stalled: bool = False
    reason: str = ""  # one line for people
    advice: str = ""
    pending: int = 0  # records not on disk


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found."""

    fresh: bool = False  # there was nothing
    generation: int = 0
    replayed: int = 0  # journal records after the snapshot
    torn_bytes: int = 0  # unfinished tail that was cut
    torn_file: Path | None = None  # where that tail is kept
    migrated_from: int | None = None  # schema before
    notes: tuple[str, ...] = ()  # anything else the user should be told

    @property
    def clean(self) -> bool:
        """True when there is nothing to tell."""
        return not (self.torn_bytes or self.notes or self.migrated_from is not None)
