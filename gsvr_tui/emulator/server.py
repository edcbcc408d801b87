"""Runs the emulator on loopback in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from gsvr_tui.emulator.api import Emulator
from gsvr_tui.emulator.clock import Clock, ScaledClock
from gsvr_tui.emulator.log import LogEntry
from gsvr_tui.emulator.probe import Probe, media_probe
from gsvr_tui.emulator.scenario import Rule, Scenario

_START_S = 20.0
_STOP_S = 10.0


class _Announcing(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then tell."""
        await super().startup(sockets)
        self._ready.set()


class EmulatorServer:
    """A Gemini API on `http://host:port`. Usable as a context manager.

    `clock` replaces the scenario's own time; `probe` the look into uploaded videos; uploads live in `folder` (a
    temporary one when None) until they have been looked at; every request goes to `log` and, as JSON lines, to
    `log_path`.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log_path: Path | None = None,
        folder: Path | None = None,
        probe: Probe | None = None,
        clock: Clock | None = None,
        seed: int = 0,
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the emulator serves loopback only, not {host}")
        self.scenario = scenario
        self.clock: Clock = clock or ScaledClock(scenario.time_factor, scenario.start_at)
        self._host, self._port = host, port
        self._own_folder = folder is None
        self._folder = folder
        self._probe = probe or media_probe
        self._log_path = log_path
        self._seed = seed
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._emulator: Emulator | None = None
        self.base_url = ""

    def start(self) -> str:
        """Start serving and return the base URL once it answers. Raises OSError when the port is taken."""
        if self._thread is not None:
            raise RuntimeError("the emulator is running already")
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        # The protocol must be named: asyncio turns off Nagle only where it is, which saves 40 ms a request.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.base_url = f"http://{shown}:{listener.getsockname()[1]}"
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="gsvr-emulator-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="gemini-emulator", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S) or self._failure is not None:
            self.stop()
            raise RuntimeError("the emulator did not start") from self._failure
        return self.base_url

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(listener))
        except BaseException as problem:  # the thread's boundary: handed to start(), or to stop()
            self._failure = problem
        finally:
            listener.close()
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        assert self._folder is not None  # noqa: S101 - set in start()
        self._loop = asyncio.get_running_loop()
        self._emulator = Emulator(
            self.scenario,
            clock=self.clock,
            probe=self._probe,
            folder=self._folder,
            log_path=self._log_path,
            seed=self._seed,
        )
        config = uvicorn.Config(
            self._emulator,
            http=self._emulator.connections.protocol(),
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=3,
            h11_max_incomplete_event_size=256 * 1024,
        )
        self._server = _Announcing(config, self._ready)
        try:
            await self._server.serve(sockets=[listener])
        finally:
            self._emulator.log.finish()

    def stop(self) -> None:
        """Stop serving; requests under way are cut. Harmless when it does not run."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._server is not None:
            self._server.should_exit = True
        if self._loop is not None and self._emulator is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._emulator.stopping.set)
        thread.join(_STOP_S)
        if self._own_folder and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> EmulatorServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def _running(self) -> Emulator:
        if self._emulator is None:
            raise RuntimeError("the emulator was not started")
        return self._emulator

    @property
    def log(self) -> list[LogEntry]:
        """The requests that have ended, in that order."""
        return self._running.log.snapshot()

    def wait_for(self, condition: Callable[[list[LogEntry]], bool], timeout_s: float = 10.0) -> list[LogEntry]:
        """Block until the log is as wanted and return it. Raises TimeoutError."""
        return self._running.log.wait_for(condition, timeout_s)

    def stats(self) -> dict[str, Any]:
        """Counts over the log."""
        return self._running.log.stats()

    def add_rule(self, rule: Rule) -> None:
        """One more rule from now on."""
        emulator, loop = self._running, self._loop
        if loop is not None:
            loop.call_soon_threadsafe(emulator.faults.add, rule)
