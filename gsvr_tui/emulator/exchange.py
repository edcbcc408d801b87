"""One HTTP exchange, down to the connection: answers, waits that notice a client that left, and cuts."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gsvr_tui.emulator.clock import Clock
from gsvr_tui.emulator.errors import ApiError
from gsvr_tui.emulator.log import LogEntry

MAX_BODY = 150 * 1024 * 1024
_JSON = "application/json; charset=UTF-8"


class ClientGone(Exception):
    """The client has closed the connection; nobody waits for an answer."""


class Stopping(Exception):
    """The emulator is being stopped."""


class Connections:
    """The open transports by peer address, so that a fault can cut one."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """A uvicorn protocol that enters its transports here."""
        connections = self._open

        class TrackedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client:
                    connections[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client:
                    connections.pop(self.client, None)
                super().connection_lost(exc)

        return TrackedProtocol

    def find(self, client: Any) -> asyncio.Transport | None:
        """The transport of a peer."""
        return self._open.get(tuple(client)) if client else None


class Exchange:
    """A request, its log entry, and the ways to answer it."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        entry: LogEntry,
        clock: Clock,
        connections: Connections,
        stopping: asyncio.Event,
        settle: Callable[[], None],
    ) -> None:
        self.request = Request(scope, self._read)
        self.entry = entry
        self.started = False
        self._receive = receive
        self._send = send
        self._clock = clock
        self._connections = connections
        self._stopping = stopping
        self._settle = settle
        self._body: bytes | None = None
        self._body_over = False

    def header(self, name: str) -> str:
        """A header of the request."""
        return str(self.request.headers.get(name) or "")

    async def _read(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            self._body_over = True
        return message

    async def _drain(self) -> None:
        """Read what is left of the body: an answer sent into a running upload may never be read."""
        left = MAX_BODY
        while not self._body_over and left > 0:
            message = await self._read()
            left -= len(message.get("body") or b"")

    async def body(self) -> bytes:
        """The whole body. Raises ApiError when it is too large, ClientGone when it breaks off."""
        if self._body is not None:
            return self._body
        parts: list[bytes] = []
        size = 0
        try:
            async for chunk in self.request.stream():
                size += len(chunk)
                if size > MAX_BODY:
                    text = f"Request payload size exceeds the limit: {MAX_BODY} bytes."
                    raise ApiError(400, "INVALID_ARGUMENT", text, detail="payload_size")
                parts.append(chunk)
        except ClientDisconnect:
            raise ClientGone from None
        self._body = b"".join(parts)
        return self._body

    async def pause(self, seconds: float) -> None:
        """Wait emulator seconds. Raises ClientGone or Stopping. Call it only once the body was read."""
        if seconds <= 0:
            return
        await self._race(asyncio.ensure_future(self._clock.sleep(seconds)))

    async def pause_for_ever(self) -> None:
        """Until the client leaves or the emulator stops."""
        await self._race(asyncio.ensure_future(asyncio.Event().wait()))

    async def _race(self, sleep: asyncio.Future[Any]) -> None:
        left = asyncio.ensure_future(self._left())
        stop = asyncio.ensure_future(self._stopping.wait())
        racers = {sleep, left, stop}
        try:
            done, _ = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for racer in racers:
                racer.cancel()
        if left in done:
            raise ClientGone
        if sleep not in done:
            raise Stopping

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, content_type: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send the status and the headers."""
        self.entry.status = status
        self.started = True
        shown = [
            ("content-type", content_type),
            ("date", formatdate(self._clock.wall(), usegmt=True)),
            ("server", "gsvr-tui emulator"),
            *headers,
        ]
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in shown]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes, more: bool = True) -> None:
        """Send a piece of the body. The entry is in the log before the last one leaves: who has read a whole answer
        finds it there."""
        if not more:
            self.entry.outcome = self.entry.outcome or "answered"
            self._settle()
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def answer(
        self, data: bytes, status: int = 200, content_type: str = _JSON, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """A whole answer."""
        await self.start(status, content_type, (("content-length", str(len(data))), *headers))
        await self.write(data, more=False)

    async def json(self, data: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> None:
        """A whole answer in JSON."""
        await self.answer(json.dumps(data, ensure_ascii=False, indent=2).encode(), status, _JSON, headers)

    async def error(self, problem: ApiError, headers: Iterable[tuple[str, str]] = ()) -> None:
        """An error answer; enters its outcome in the log."""
        self.entry.outcome = self.entry.outcome or problem.outcome
        self.entry.detail = self.entry.detail or problem.detail
        await self._drain()
        await self.answer(problem.body(), problem.code, problem.content_type, headers)

    async def cut(self, reset: bool = False) -> None:
        """End the connection here and now, politely (FIN) or not (RST)."""
        self.entry.outcome = self.entry.outcome or "dropped"
        self._settle()
        transport = self._connections.find(self.request.scope.get("client"))
        if transport is not None:
            if reset:
                raw = transport.get_extra_info("socket")
                if raw is not None:  # no lingering: the kernel sends RST in place of FIN
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                transport.abort()
            else:
                transport.close()
        await self._left()
