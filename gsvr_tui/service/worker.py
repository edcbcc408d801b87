"""WorkerService: the service in a daemon thread of its own with its own event loop; the handle that the UI holds."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from gsvr_tui.core.messages import Command, Event, ServiceStopped
from gsvr_tui.service.engine import Engine
from gsvr_tui.service.outbox import Outbox
from gsvr_tui.service.settings import Parts, ServiceSettings
from gsvr_tui.store.status import StoreStatus

log = logging.getLogger("gsvr_tui.service")


class WorkerService:
    """Implements core.messages.ServiceHandle. The caller opens and closes the store and the other parts."""

    def __init__(self, settings: ServiceSettings, parts: Parts) -> None:
        self._outbox = Outbox()
        self._engine = Engine(settings, parts, self._outbox)
        self._redact = parts.redactor.redact
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._main, name="gsvr-service", daemon=True)

    def start(self) -> None:
        """Start the thread; the first event is a Snapshot."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """True from `start` until the service has ended."""
        return self._thread.is_alive()

    def send(self, command: Command) -> None:
        """See ServiceHandle."""
        self._engine.send(command)

    def take_events(self) -> list[Event]:
        """See ServiceHandle."""
        return self._outbox.take()

    def set_wake(self, callback: Callable[[], None] | None) -> None:
        """See ServiceHandle."""
        self._outbox.set_wake(callback)

    def join(self, timeout_s: float) -> bool:
        """See ServiceHandle."""
        return self._ended.wait(timeout_s)

    def store_status(self, status: StoreStatus) -> None:
        """To be given to Store.open as `on_status`."""
        self._engine.store_status(status)

    def _main(self) -> None:
        try:
            asyncio.run(self._engine.run())
        except BaseException as error:  # the boundary of the thread: nobody else would ever hear of it
            log.exception("the service ended by a fault")
            message = self._redact(f"{type(error).__name__}: {error}")
            self._outbox.put(ServiceStopped(message, self._engine.desk_pending()))
        finally:
            self._ended.set()
