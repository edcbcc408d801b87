"""A receipt for a change: wait for it to be on disk, from a thread or from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator

from gsvr_tui.store.errors import StoreClosed


class Progress:
    """How far the journal is on disk, and who waits for more. Safe from any thread."""

    def __init__(self, seq: int) -> None:
        self._lock = threading.Lock()
        self._durable = seq
        self._closed = False
        self._waiters: list[tuple[int, Callable[[], None]]] = []

    @property
    def durable(self) -> int:
        """Everything up to this sequence number is on disk."""
        return self._durable

    @property
    def closed(self) -> bool:
        """True when nothing more will be written."""
        return self._closed

    def reach(self, seq: int) -> None:
        """Everything up to `seq` is on disk now."""
        with self._lock:
            self._durable = seq
            due = [call for wanted, call in self._waiters if wanted <= seq]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > seq]
        for call in due:
            call()

    def close(self) -> None:
        """Nothing more will be written: wake everybody."""
        with self._lock:
            self._closed = True
            due, self._waiters = self._waiters, []
        for _, call in due:
            call()

    def when(self, seq: int, call: Callable[[], None]) -> None:
        """Run `call` (from any thread) once `seq` is on disk or never will be."""
        with self._lock:
            if self._durable < seq and not self._closed:
                self._waiters.append((seq, call))
                return
        call()


class Ticket:
    """`ticket.wait()` in a thread, `await ticket` in a coroutine. Both raise StoreClosed if it was given up."""

    __slots__ = ("_progress", "seq")

    def __init__(self, progress: Progress, seq: int) -> None:
        self._progress = progress
        self.seq = seq

    @property
    def done(self) -> bool:
        """True when the change is on disk."""
        return self._progress.durable >= self.seq

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the change is on disk; False when `timeout` seconds pass before that."""
        if not self.done:
            event = threading.Event()
            self._progress.when(self.seq, event.set)
            if not event.wait(timeout):
                return False
            self._check()
        return True

    def __await__(self) -> Generator[asyncio.Future[None], None, None]:
        if self.done:
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def finish() -> None:
            if not future.done():
                future.set_result(None)

        def wake() -> None:
            try:
                loop.call_soon_threadsafe(finish)
            except RuntimeError:
                return  # the loop is closed: nobody waits any more

        self._progress.when(self.seq, wake)
        yield from future
        self._check()

    def _check(self) -> None:
        if not self.done:
            raise StoreClosed("The store was closed before this change was on disk.")
