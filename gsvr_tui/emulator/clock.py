"""The emulator's time: as fast as the scenario wants, or moved by hand in tests.

Everything in the emulator is told in *emulator seconds*: windows, file expiry, latencies, retry delays. Only `sleep`
knows what they are worth in real time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the emulator asks of time."""

    def wall(self) -> float:
        """Unix seconds of the emulator's world."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many emulator seconds."""
        ...


class ScaledClock:
    """Runs `factor` emulator seconds per real second, from `start` (Unix seconds; now when None)."""

    def __init__(self, factor: float = 1.0, start: float | None = None) -> None:
        if factor <= 0:
            raise ValueError("the time factor must be above 0")
        self.factor = factor
        self._start = time.time() if start is None else start
        self._origin = time.monotonic()

    def wall(self) -> float:
        """Unix seconds of the emulator's world."""
        return self._start + (time.monotonic() - self._origin) * self.factor

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds / factor` real seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.factor)


class ManualClock:
    """Stands still until `advance` moves it; sleepers wake when their moment has come. Safe across threads."""

    def __init__(self, start: float = 1_795_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()
        self._sleepers: list[tuple[float, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def wall(self) -> float:
        """Unix seconds of the emulator's world."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move on by `seconds` and wake whoever slept until then."""
        with self._lock:
            self._now += seconds
            due = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for _, loop, event in due:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the clock that far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        entry = (self._now + seconds, asyncio.get_running_loop(), event)
        with self._lock:
            self._sleepers.append(entry)
        try:
            await event.wait()
        finally:
            with self._lock:
                if entry in self._sleepers:
                    self._sleepers.remove(entry)


def timestamp(wall: float) -> str:
    """RFC 3339 with microseconds, as the API writes times."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
