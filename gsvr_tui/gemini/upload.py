"""The resumable upload, spoken with our own HTTP client.

The SDK's upload reads 8 MiB at a time in the event loop, starts again from nothing when the line drops, and writes file
names raw into a header. Here a broken upload goes on where the service says it stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.gemini.calls import PASSING, Calls
from gsvr_tui.gemini.endpoint import may_take_upload
from gsvr_tui.gemini.errors import GeminiFailure, failure_of
from gsvr_tui.gemini.source import VideoReader, read_pieces
from gsvr_tui.gemini.transport import Exchange, RefusedAddress

CHUNK = 8 << 20  # every piece but the last must be a multiple of the service's granularity, 8 MiB seen
_ANSWER_S = 120.0  # after the last byte the service may think for a while
_CHUNK_S = 900.0  # 8 MiB over the slowest line worth using
_TROUBLES = 6  # in a row, without one byte of progress
_SESSIONS = 3
_SESSION_GONE = frozenset({404, 410})


class _SessionLost(Exception):
    """The service has forgotten the upload; it has to be begun again."""


class FinishedUnseen(Exception):
    """The upload is complete over there, but the answer that names the file was lost on the way."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: str  # active, final, cancelled or ""
    received: int | None
    body: Mapping[str, Any]


class Uploader:
    """Uploads one opened video. `progress` gets (bytes done, bytes in all)."""

    def __init__(
        self,
        calls: Calls,
        client: httpx2.AsyncClient,
        key: str,
        base_url: str,
        api_version: str,
        *,
        progress: Callable[[int, int], None] | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._calls = calls
        self._client = client
        self._key = key
        self._base_url = base_url
        self._start_url = f"{base_url}/upload/{api_version}/files"
        self._progress = progress or (lambda done, total: None)
        self._cancelled = cancelled or (lambda: False)

    async def upload(
        self,
        reader: VideoReader,
        *,
        mime_type: str,
        display_name: str,
        resume: str = "",
        on_session: Callable[[str], Awaitable[None]] | None = None,
    ) -> Mapping[str, Any]:
        """The JSON of the finished file. Raises GeminiFailure, SourceProblem, UploadCancelled, FinishedUnseen.

        `resume` is the address of a session that an earlier run began; where in doubt a new one is begun. `on_session`
        gets the address of each before a byte is sent to it: whoever knows it may write there.
        """
        if resume and may_take_upload(resume, self._base_url):
            try:
                return await self._send(reader, resume, await self._resume_at(resume, reader.size))
            except _SessionLost:
                pass
            except GeminiFailure as failed:
                if failed.failure.code in PASSING:
                    raise  # the line: the session may still be there when it is back
        for _ in range(_SESSIONS):
            url = await self._calls.patiently(lambda: self._start(reader.size, mime_type, display_name))
            if on_session is not None:
                await on_session(url)
            try:
                return await self._send(reader, url, 0)
            except _SessionLost:
                continue
        raise _stuck("the service forgot the upload again and again")

    async def _start(self, size: int, mime_type: str, display_name: str) -> str:
        exchange = Exchange(read_s=60.0)
        await self._post(
            exchange,
            self._start_url,
            {
                "x-goog-api-key": self._key,
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(size),
                "X-Goog-Upload-Header-Content-Type": mime_type,
            },
            json={"file": {"display_name": display_name, "mime_type": mime_type, "size_bytes": size}},
            timeout_s=90.0,
        )
        url: str = exchange.headers.get("x-goog-upload-url", "")
        if not url:
            raise failure_of(None, exchange, self._calls.redactor)
        if not may_take_upload(url, self._base_url):
            raise failure_of(RefusedAddress("upload address"), exchange, self._calls.redactor)
        return url

    async def _send(self, reader: VideoReader, url: str, position: int) -> Mapping[str, Any]:
        troubles = 0
        while True:
            end = min(position + CHUNK, reader.size)
            trouble: GeminiFailure | None = None
            try:
                reply = await self._chunk(reader, url, position, end)
                if reply.status == "final":
                    return reply.body
                if reply.status == "active" and end < reader.size:
                    position, troubles = end, 0
                    continue
            except GeminiFailure as failed:
                if failed.failure.http_status in _SESSION_GONE:
                    raise _SessionLost from failed
                # 400 and 412: the service and we do not agree on where we are, which asking it settles.
                if failed.failure.code not in PASSING and failed.failure.http_status not in (400, 409, 412):
                    raise
                trouble = failed
            troubles += 1
            if troubles > _TROUBLES:
                raise trouble or _stuck("the service took the video but never said that it has it")
            await asyncio.sleep(self._calls.wait_s(troubles))
            resumed = await self._resume_at(url, reader.size)
            if resumed > position:
                troubles = 0
            position = resumed
            self._progress(position, reader.size)

    async def _resume_at(self, url: str, size: int) -> int:
        """The position the service wants next."""
        try:
            reply = await self._calls.patiently(lambda: self._query(url))
        except GeminiFailure as failed:
            if failed.failure.code in PASSING or failed.failure.http_status not in _SESSION_GONE | {400, 412}:
                raise
            raise _SessionLost from failed
        if reply.status == "final":
            raise FinishedUnseen
        if reply.status != "active" or reply.received is None or not 0 <= reply.received <= size:
            raise _SessionLost
        return reply.received

    async def _chunk(self, reader: VideoReader, url: str, start: int, end: int) -> _Reply:
        pieces = read_pieces(
            reader,
            start,
            end,
            on_progress=lambda done: self._progress(done, reader.size),
            cancelled=self._cancelled,
        )
        exchange = Exchange(read_s=_ANSWER_S)
        headers = {
            "X-Goog-Upload-Command": "upload, finalize" if end == reader.size else "upload",
            "X-Goog-Upload-Offset": str(start),
            "Content-Length": str(end - start),
        }
        await self._post(exchange, url, headers, content=pieces, timeout_s=_CHUNK_S)
        return _reply(exchange)

    async def _query(self, url: str) -> _Reply:
        exchange = Exchange(read_s=60.0)
        await self._post(exchange, url, {"X-Goog-Upload-Command": "query"}, timeout_s=90.0)
        return _reply(exchange)

    async def _post(
        self,
        exchange: Exchange,
        url: str,
        headers: Mapping[str, str],
        *,
        timeout_s: float,
        content: AsyncIterator[bytes] | None = None,
        json: object = None,
    ) -> None:
        """One request. Raises GeminiFailure for anything but 200."""

        async def action() -> None:
            await self._client.post(url, headers=dict(headers), content=content, json=json)

        await self._calls.once(action, exchange, timeout_s=timeout_s)
        if exchange.http_status != 200:
            raise failure_of(None, exchange, self._calls.redactor)


def _stuck(message: str) -> GeminiFailure:
    return GeminiFailure(Failure(FailureKind.RETRY, Scope.ITEM, "UPLOAD_STUCK", message))


def _reply(exchange: Exchange) -> _Reply:
    received = exchange.headers.get("x-goog-upload-size-received", "")
    events = exchange.stream.events
    body = events[0].get("file") if events else None
    return _Reply(
        status=exchange.headers.get("x-goog-upload-status", "").strip().lower(),
        received=int(received) if received.isascii() and received.isdigit() and len(received) < 16 else None,
        body=body if isinstance(body, Mapping) else {},
    )
