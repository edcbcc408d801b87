"""A server that answers with exactly the bytes it is told to, and a gateway to talk to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gsvr_tui.core.models import Account, KeyRef
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.gateway import Gateway

KEY = "AQ.CANARY-0123456789-abcdefghij"


@dataclass
class Seen:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[Seen], bytes]


@dataclass
class Recorder:
    """A local server of raw bytes. `handler` makes the bytes; an empty answer closes the connection."""

    handler: Handler
    seen: list[Seen] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)
    hold: threading.Event | None = None  # answers wait for it, or for the client to hang up

    def start(self) -> Recorder:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def stop(self) -> None:
        if self.hold is not None:
            self.hold.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(20)
                seen = self._read(connection)
                if seen is None:
                    return
                self.seen.append(seen)
                self.arrived.set()
                if self.hold is not None:
                    self._wait(connection, self.hold)
                connection.sendall(self.handler(seen))
            except OSError:
                self.hung_up.set()
            except Exception as error:  # a handler's own assertion: shown at the end of the test
                self.errors.append(error)

    def _wait(self, connection: socket.socket, hold: threading.Event) -> None:
        connection.settimeout(0.02)
        while not hold.is_set():
            try:
                if connection.recv(1) == b"":
                    self.hung_up.set()
                    raise ConnectionResetError
            except TimeoutError:
                continue

    @staticmethod
    def _read(connection: socket.socket) -> Seen | None:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                return None
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", "0"))
        while len(body) < length:
            piece = connection.recv(1 << 20)
            if not piece:
                raise ConnectionResetError
            body += piece
        method, path, _ = first.split(" ")
        return Seen(method, path, headers, body)


@pytest.fixture
def record() -> Iterator[Callable[[Handler], Recorder]]:
    """Starts recorders; stops them and shows what their handlers stumbled over."""
    started: list[Recorder] = []

    def start(handler: Handler) -> Recorder:
        started.append(Recorder(handler).start())
        return started[-1]

    yield start
    for recorder in started:
        recorder.stop()
    assert [error for recorder in started for error in recorder.errors] == []


@pytest.fixture
async def gateway_to() -> AsyncIterator[Callable[..., Gateway]]:
    """Makes gateways with the canary key; closes them."""
    made: list[Gateway] = []

    def make(url: str, key: str = KEY, project: str = "p1", **options: Any) -> Gateway:
        account = Account("lab", project, KeyRef("memory", "lab"))
        options.setdefault("first_wait_s", 0.01)
        made.append(Gateway(account, Secret(key), base_url=url, random=Random(1), **options))
        return made[-1]

    yield make
    for gateway in made:
        await gateway.aclose()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """No video at all, but bytes under a name that is not ASCII."""
    path = tmp_path / "讲座 第一课 – naïve\nname.mp4"
    path.write_bytes(bytes(range(256)) * 1024)
    return path
