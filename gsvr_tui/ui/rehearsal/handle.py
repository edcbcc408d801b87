"""FakeHandle: a ServiceHandle that records commands and emits the events it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from gsvr_tui.core.messages import Command, Event, JobRow, JobsChanged, RunState, Snapshot, Status

C = TypeVar("C")


class FakeHandle:
    """Thread-safe. `respond`, if given, is called with each command and returns the events that answer it."""

    def __init__(
        self, snapshot: Snapshot | None = None, *, respond: Callable[[Command], list[Event]] | None = None
    ) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = [snapshot or Snapshot(Status(RunState.STARTING), (), (), (), ())]
        self._changed: dict[str, JobRow] = {}
        self._wake: Callable[[], None] | None = None
        self._woken = False
        self.respond = respond
        self.commands: list[Command] = []
        self.ended = threading.Event()

    def send(self, command: Command) -> None:
        """Record, and emit what `respond` makes of it."""
        with self._lock:
            self.commands.append(command)
        if self.respond is not None:
            self.emit(*self.respond(command))

    def emit(self, *events: Event) -> None:
        """Queue events as the service would: changes of one job merged."""
        with self._lock:
            for event in events:
                if isinstance(event, JobsChanged):
                    for row in event.rows:
                        self._changed[row.id] = row
                else:
                    self._flush()
                    self._events.append(event)
            wake = self._wake if not self._woken and (self._events or self._changed) else None
            self._woken = self._woken or wake is not None
        if wake is not None:
            wake()

    def take_events(self) -> list[Event]:
        """What `emit` queued since the last call."""
        with self._lock:
            self._flush()
            events, self._events = self._events, []
            self._woken = False
            return events

    def set_wake(self, callback: Callable[[], None] | None) -> None:
        """Called at once when something waits already."""
        with self._lock:
            self._wake = callback
            self._woken = False
        self.emit()

    def join(self, timeout_s: float) -> bool:
        """True once `ended` is set."""
        return self.ended.wait(timeout_s)

    def sent(self, kind: type[C]) -> list[C]:
        """The recorded commands of one kind."""
        with self._lock:
            return [command for command in self.commands if isinstance(command, kind)]

    def _flush(self) -> None:
        if self._changed:
            self._events.append(JobsChanged(tuple(self._changed.values())))
            self._changed = {}
