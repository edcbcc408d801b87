"""Our own HTTP clients for the SDK: no redirects, TLS verified, time limits, and an eye on every exchange.

The SDK's own clients follow redirects and send the key along to other origins, wait for ever, and change their HTTP
library with what happens to be installed. An `Exchange` in the context of a call sees what happens to it: whether the
request went out, what came back, as bytes.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, cast

import httpx2

from gsvr_tui.gemini.answers import AnswerStream
from gsvr_tui.gemini.endpoint import is_loopback, may_take_upload, origin

CONNECT_S = 10.0
WRITE_S = 60.0
POOL_S = 60.0
LARGEST_BODY = 64 << 20
_KEY_HEADER = "x-goog-api-key"

for _name in ("httpx2", "httpcore2", "google_genai"):
    # What they tell at lower levels holds upload addresses, which are as good as keys, and headers with keys.
    logging.getLogger(_name).setLevel(logging.WARNING)


@cache
def _tls() -> ssl.SSLContext:
    """The trust of this machine (`SSL_CERT_FILE` and the like included); takes a while to load, so once for all."""
    return httpx2.create_ssl_context()


class RefusedAddress(httpx2.TransportError):
    """A request was about to go to an address that may not have it."""


class TooLarge(httpx2.TransportError):
    """The service sent more than any answer can be."""


class Exchange:
    """One call and what became of it. Of several requests (pages) the last counts.

    `sent` is true from the moment a byte may have gone out; `body_sent` when the request was written in full.
    `keep_all`: the body is read to its end even if nobody understands it.
    """

    def __init__(
        self,
        *,
        read_s: float,
        on_sent: Callable[[], None] | None = None,
        on_text: Callable[[str], None] | None = None,
        keep_all: bool = False,
    ) -> None:
        self.read_s = read_s
        self.keep_all = keep_all
        self.sent = False
        self.body_sent = False
        self.http_status: int | None = None
        self.reason = ""
        self.headers: httpx2.Headers = httpx2.Headers()
        self.round_trip_s: float | None = None
        self.stream = AnswerStream()
        self.callback_error: Exception | None = None
        self._on_sent = on_sent
        self._on_text = on_text
        self._started = 0.0

    def begin(self, started: float) -> None:
        """Another request starts."""
        self.sent = self.body_sent = False
        self.http_status, self.reason = None, ""
        self.stream = AnswerStream()
        self._started = started

    async def trace(self, name: str, info: dict[str, Any]) -> None:
        """The HTTP library's own events."""
        if name.endswith("send_request_headers.started"):
            self.sent = True
        elif name.endswith("send_request_body.complete"):
            self.body_sent = True
            if self._on_sent is not None:
                self._call(self._on_sent)

    def answered(self, response: httpx2.Response, at: float) -> None:
        """The head of the response is there."""
        self.http_status = response.status_code
        self.reason = response.reason_phrase
        self.headers = response.headers
        self.round_trip_s = at - self._started

    def received(self, data: bytes) -> None:
        """A piece of the body."""
        text = self.stream.feed(data)
        if text and self._on_text is not None and self.http_status == 200:
            self._call(self._on_text, text)

    def _call(self, callback: Callable[..., None], *args: object) -> None:
        try:
            callback(*args)
        except Exception as error:  # the caller's own fault must not look like one of the line: raised after the call
            self.callback_error = self.callback_error or error


_CURRENT: ContextVar[Exchange | None] = ContextVar("gemini_exchange", default=None)


@contextmanager
def watched_by(exchange: Exchange) -> Iterator[Exchange]:
    """Requests made in this context are watched by `exchange`."""
    token = _CURRENT.set(exchange)
    try:
        yield exchange
    finally:
        _CURRENT.reset(token)


class _WatchedBody(httpx2.AsyncByteStream):
    """Passes a body on and shows it, unpacked, to the exchange.

    When the reader gives up a good line because it does not understand what comes, the rest is read all the same if
    the exchange wants everything: it is paid for.
    """

    def __init__(self, inner: httpx2.AsyncByteStream, exchange: Exchange, packed: bool) -> None:
        self._inner = inner
        self._exchange = exchange
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
        self._size = 0
        self._source = aiter(inner)
        self._over = False  # the end was reached, or the line or the deadline broke it off

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (data := await self._next()) is not None:
            yield data

    async def _next(self) -> bytes | None:
        try:
            data = await anext(self._source, None)
            if data is not None:
                self._show(data)
                return data
        except BaseException:  # cancelling too: whatever it is, nothing more is to be read
            self._over = True
            raise
        self._over = True
        self._exchange.stream.finish()
        return None

    def _show(self, data: bytes) -> None:
        while data:
            if self._unpack is None:
                piece, data = data, b""
            else:
                try:
                    piece = self._unpack.decompress(data, LARGEST_BODY)
                except zlib.error:
                    raise httpx2.DecodingError("the body is not packed as its header says") from None
                data = self._unpack.unconsumed_tail
            self._size += len(piece)
            if self._size > LARGEST_BODY:
                raise TooLarge(f"more than {LARGEST_BODY >> 20} MiB came as an answer")
            self._exchange.received(piece)

    async def aclose(self) -> None:
        try:
            while self._exchange.keep_all and not self._over:
                await self._next()
        finally:
            await self._inner.aclose()


class Transport:
    """The two HTTP clients of one account, for one base URL.

    `on_server_date` gets the service's own time (Unix seconds) with every response. Only `async_client` is used; the
    SDK makes a client of its own unless it is given both.
    """

    def __init__(
        self,
        base_url: str,
        *,
        on_server_date: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        max_connections: int = 32,
    ) -> None:
        self._base_url = base_url
        self._origin = origin(base_url)
        self._on_server_date = on_server_date
        self._clock = clock
        shared: dict[str, Any] = {
            "follow_redirects": False,
            "verify": _tls(),
            "timeout": httpx2.Timeout(WRITE_S, connect=CONNECT_S),
            "limits": httpx2.Limits(
                max_connections=max_connections, max_keepalive_connections=8, keepalive_expiry=20.0
            ),
            # Nothing on this machine is reached through a proxy, least of all by plain http with a key in it.
            "trust_env": not is_loopback(base_url),
            "headers": {"accept-encoding": "gzip"},  # the one packing that `_WatchedBody` can read
        }
        self.async_client = httpx2.AsyncClient(
            event_hooks={"request": [self._before], "response": [self._after]}, **shared
        )
        self.sync_client = httpx2.Client(event_hooks={"request": [self._refuse_sync]}, **shared)

    async def aclose(self) -> None:
        """Close all connections."""
        self.sync_client.close()
        await self.async_client.aclose()

    def _check(self, request: httpx2.Request) -> None:
        url = str(request.url)
        if origin(url) != self._origin and (_KEY_HEADER in request.headers or not may_take_upload(url, self._base_url)):
            raise RefusedAddress(f"nothing is sent to {request.url.host}", request=request)

    async def _before(self, request: httpx2.Request) -> None:
        self._check(request)
        exchange = _CURRENT.get()
        read_s = exchange.read_s if exchange is not None else WRITE_S
        # The SDK hands over one number, or none, for every step; the steps need different ones.
        request.extensions["timeout"] = {"connect": CONNECT_S, "read": read_s, "write": WRITE_S, "pool": POOL_S}
        if exchange is not None:
            exchange.begin(self._clock())
            request.extensions["trace"] = exchange.trace

    async def _after(self, response: httpx2.Response) -> None:
        exchange = _CURRENT.get()
        if exchange is not None:
            exchange.answered(response, self._clock())
            packed = response.headers.get("content-encoding", "").strip().lower() in ("gzip", "x-gzip")
            response.stream = _WatchedBody(cast("httpx2.AsyncByteStream", response.stream), exchange, packed)
        date = _date(response.headers.get("date", ""))
        if date is not None and self._on_server_date is not None:
            self._on_server_date(date)

    def _refuse_sync(self, request: httpx2.Request) -> None:
        raise RefusedAddress("this client is not used", request=request)


def _date(header: str) -> float | None:
    if not header:
        return None
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
