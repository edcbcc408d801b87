"""One account's way to the Gemini API: upload, wait, generate, count, list, check.

Plain values in, plain values or `GeminiFailure` out. Paid requests are never repeated here; the scheduler decides over
them. The SDK is imported on the first use (it takes a second), in a thread.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Account, RemoteFile
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.answers import answer_failure
from gsvr_tui.gemini.calls import Calls
from gsvr_tui.gemini.endpoint import checked_base_url
from gsvr_tui.gemini.errors import GeminiFailure, Redactor, failure_of, redacted
from gsvr_tui.gemini.files import file_failure, remote_file, sha256_of
from gsvr_tui.gemini.source import SourceProblem, UploadCancelled, open_video
from gsvr_tui.gemini.transport import Exchange, Transport
from gsvr_tui.gemini.types import Answer, GenerateRequest, KeyCheck, RemoteModel
from gsvr_tui.gemini.upload import FinishedUnseen, Uploader

if TYPE_CHECKING:
    from google import genai

_SHORT_S = 60.0  # for calls that only look something up
_FIRST_POLL_S = 1.0
_LONGEST_POLL_S = 10.0
_PAGES = 50  # a list that goes on for ever ends here
_DEAD = frozenset({FailureKind.DEAD_KEY, FailureKind.DEAD_PROJECT})

__all__ = ["Gateway", "GeminiFailure", "UploadCancelled"]


class Gateway:
    """The API as one account sees it. Belongs to the event loop it is used in; close it with `aclose`.

    Raises BadEndpoint when the base URL may not be used. `redact` is put over every text of a failure, beside the
    account's own key, which is always taken out. `on_server_date` gets the service's clock (Unix seconds).
    """

    def __init__(
        self,
        account: Account,
        key: Secret,
        *,
        base_url: str = "",
        allow_custom_endpoint: bool = False,
        redact: Callable[[str], str] | None = None,
        random: Random,
        on_server_date: Callable[[float], None] | None = None,
        api_version: str = "v1beta",
        clock: Callable[[], float] = time.time,
        first_wait_s: float = 0.5,
    ) -> None:
        self.account = account
        self.base_url = checked_base_url(base_url or account.base_url, allow_custom=allow_custom_endpoint)
        self._key = key
        self._api_version = api_version
        self._clock = clock
        self._random = random
        self._redactor = Redactor(key, redact)
        self._calls = Calls(self._redactor, random, first_wait_s=first_wait_s)
        self._transport = Transport(self.base_url, on_server_date=on_server_date)
        self._client: genai.Client | None = None
        self._client_lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Gateway({self.account.name!r}, {self.base_url!r})"

    async def aclose(self) -> None:
        """Close the connections. Calls in flight end with a failure."""
        self._client = None
        await self._transport.aclose()

    def _usable_key(self) -> str:
        """The key as it is sent. Raises GeminiFailure for one that no header can hold; the SDK would take another."""
        key = self._key.reveal().strip()
        if not key:
            raise _key_trouble("there is no API key", "Enter one: gsvr-tui accounts")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise _key_trouble(
                "the API key holds characters that no key has", "Copy it once more from Google AI Studio"
            )
        return key

    async def _sdk(self) -> genai.Client:
        async with self._client_lock:
            if self._client is None:
                self._client = await asyncio.to_thread(self._build_client)
            return self._client

    def _build_client(self) -> genai.Client:
        # It chooses between libraries, which our own clients have decided; a value that is not installed would raise.
        os.environ.pop("GOOGLE_GENAI_HTTP_CLIENT", None)
        from google import genai
        from google.genai import types
        from google.genai.client import DebugConfig

        return genai.Client(
            api_key=self._usable_key(),
            enterprise=False,  # else variables of the environment send everything to another service
            debug_config=DebugConfig(client_mode="", replays_directory="", replay_id=""),
            http_options=types.HttpOptions(
                base_url=self.base_url,
                api_version=self._api_version,
                httpx_client=self._transport.sync_client,
                httpx_async_client=self._transport.async_client,
            ),
        )

    async def _look(
        self, call: Callable[[genai.Client], Awaitable[object]], *, model: str = "", may_be_empty: bool = False
    ) -> Mapping[str, Any]:
        """The JSON that a free call brings. Repeated while its failures pass. Raises GeminiFailure."""

        async def once() -> Mapping[str, Any]:
            client = await self._sdk()
            exchange = Exchange(read_s=_SHORT_S)
            await self._calls.once(lambda: call(client), exchange, timeout_s=_SHORT_S, model=model)
            exchange.stream.finish()
            events = exchange.stream.events
            if exchange.stream.error is not None or not (events or may_be_empty):
                raise failure_of(None, exchange, self._redactor, model=model)
            return events[0] if events else {}

        return await self._calls.patiently(once)

    # ------------------------------------------------------------ files

    async def upload(
        self,
        path: Path,
        *,
        mime_type: str,
        display_name: str,
        content_hash: str,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        resume: str = "",
        on_session: Callable[[str], Awaitable[None]] | None = None,
    ) -> RemoteFile:
        """Upload a video; it is not ACTIVE yet. `progress` gets (bytes done, bytes in all).

        `resume`: the address of an upload that an earlier run began with these bytes; `on_session` hears of such
        addresses, which are as good as a key for this one file, before they are used.

        Raises GeminiFailure (also for a file that is gone, unreadable or changed meanwhile: codes SOURCE_…) and
        UploadCancelled when `cancelled` says so.
        """
        uploader = Uploader(
            self._calls,
            self._transport.async_client,
            self._usable_key(),
            self.base_url,
            self._api_version,
            progress=progress,
            cancelled=cancelled,
        )
        problem: Failure | None = None
        raw: Mapping[str, Any] = {}
        try:
            with await asyncio.to_thread(open_video, path) as reader:
                raw = await uploader.upload(
                    reader, mime_type=mime_type, display_name=display_name, resume=resume, on_session=on_session
                )
                if resume and sha256_of(raw.get("sha256Hash")) not in ("", content_hash):
                    # what an earlier run sent was not the beginning of this file: in doubt, once more from the start
                    await self._forget_file(raw)
                    raw = await uploader.upload(
                        reader, mime_type=mime_type, display_name=display_name, on_session=on_session
                    )
        except SourceProblem as found:
            problem = found.failure
        except FinishedUnseen:
            seen = await self.find_file(content_hash=content_hash, display_name=display_name)
            if seen is not None:
                return replace(seen, content_hash=content_hash)
        if problem is not None:
            raise GeminiFailure(problem)
        return self._file_from(raw, content_hash)

    async def _forget_file(self, raw: Mapping[str, Any]) -> None:
        try:
            await self.delete_file(str(raw.get("name") or ""))
        except GeminiFailure:
            return  # it expires by itself

    def _file_from(self, raw: Mapping[str, Any], content_hash: str = "") -> RemoteFile:
        found = remote_file(raw, project=self.account.project, now=self._clock(), content_hash=content_hash)
        if found is None:
            message = "the service did not say under which name it keeps the file"
            raise GeminiFailure(Failure(FailureKind.REUPLOAD, Scope.ITEM, "FILE_UNNAMED", message))
        return found

    async def _file_body(self, name: str) -> Mapping[str, Any] | None:
        try:
            return await self._look(lambda client: client.aio.files.get(name=name))
        except GeminiFailure as failed:
            if failed.failure.http_status == 404 or failed.failure.kind is FailureKind.REUPLOAD:
                return None  # gone, never there, or of another project: the service says the same of all of them
            raise

    async def file(self, name: str) -> RemoteFile | None:
        """What the service knows of a file; None when it is gone or belongs to another project."""
        raw = await self._file_body(name)
        return None if raw is None else self._file_from(raw)

    async def wait_active(
        self, file: RemoteFile, *, deadline_s: float = 900, poll_s: float | None = None
    ) -> RemoteFile:
        """Wait until the service can use the file; asks every `poll_s` (None: 1 to 10 s, growing).

        Raises GeminiFailure: FILE_FAILED (the video's fault), FILE_GONE, FILE_SLOW.
        """
        wait_s = poll_s if poll_s is not None else _FIRST_POLL_S
        failure: Failure | None = None
        try:
            async with asyncio.timeout(deadline_s):
                while True:
                    raw = await self._file_body(file.name)
                    if raw is None:
                        failure = Failure(
                            FailureKind.REUPLOAD,
                            Scope.ITEM,
                            "FILE_GONE",
                            "the uploaded file is gone before it was used",
                        )
                        break
                    failure = file_failure(raw)
                    if failure is not None:
                        break
                    found = self._file_from(raw, file.content_hash)
                    if found.active:
                        return found
                    await asyncio.sleep(wait_s * self._random.uniform(0.9, 1.1))
                    if poll_s is None:
                        wait_s = min(_LONGEST_POLL_S, wait_s * 1.5)
        except TimeoutError:
            message = f"the service has not made the video usable within {deadline_s:.0f} s"
            failure = Failure(FailureKind.WAIT_FILE, Scope.ITEM, "FILE_SLOW", message)
        raise GeminiFailure(self._clean(failure))

    def _clean(self, failure: Failure) -> Failure:
        return replace(
            failure, message=self._redactor.text(failure.message), advice=self._redactor.text(failure.advice)
        )

    async def _pages(self, what: str, size: int) -> AsyncGenerator[Mapping[str, Any], None]:
        token = ""
        for _ in range(_PAGES):
            page = await self._page(what, token, size)
            for raw in _listed(page, what):
                yield raw
            token = str(page.get("nextPageToken") or "")
            if not token:
                return

    async def find_file(self, *, content_hash: str = "", display_name: str = "") -> RemoteFile | None:
        """An uploaded file of the same content or, where the service names no hash, of this display name."""
        async with aclosing(self._pages("files", 100)) as files:
            async for raw in files:
                digest = sha256_of(raw.get("sha256Hash"))
                by_hash = bool(digest and content_hash)
                same = digest == content_hash if by_hash else display_name and raw.get("displayName") == display_name
                if same and raw.get("state") != "FAILED":
                    found = remote_file(raw, project=self.account.project, now=self._clock(), content_hash=content_hash)
                    if found is not None:
                        return found
        return None

    async def delete_file(self, name: str) -> None:
        """Delete a file; one that is gone already is no failure."""

        try:
            await self._look(lambda client: client.aio.files.delete(name=name), may_be_empty=True)
        except GeminiFailure as failed:
            if failed.failure.http_status != 404 and failed.failure.kind is not FailureKind.REUPLOAD:
                raise

    # ------------------------------------------------------------ models

    async def generate(
        self,
        request: GenerateRequest,
        *,
        on_sent: Callable[[], None] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout_s: float = 900,
    ) -> Answer:
        """Ask once, streaming. `on_sent`: the request is written in full; `on_text` gets each new piece of text.

        An Answer means that the service said yes and the stream ended, not that there is a usable text: ask
        `answer_failure`. Raises GeminiFailure for everything else; its `maybe_paid` says whether the price is in doubt
        and its `partial` what had come. Never repeats anything.
        """
        client = await self._sdk()
        from gsvr_tui.gemini.request import config_of, contents_of

        exchange = Exchange(read_s=timeout_s, on_sent=on_sent, on_text=on_text, keep_all=True)

        async def action() -> None:
            stream = await client.aio.models.generate_content_stream(
                model=request.model, contents=contents_of(request), config=config_of(request)
            )
            async for _ in stream:
                pass  # the exchange reads the raw events: more than the SDK's types keep of them

        try:
            await self._calls.once(action, exchange, timeout_s=timeout_s, model=request.model, paid=True)
        except GeminiFailure as failed:
            if failed.partial is None or not failed.partial.complete or exchange.stream.error is not None:
                raise
            return failed.partial  # the line broke, or the SDK stumbled, after the service had said that it is finished
        exchange.stream.finish()
        if exchange.stream.error is not None or not exchange.stream.events:
            raise failure_of(None, exchange, self._redactor, model=request.model, paid_call=True)
        return redacted(exchange.stream.answer(), self._redactor)

    async def count_tokens(self, model: str, file: RemoteFile | None, prompt: str) -> int:
        """Input tokens of a file at the service's default resolution, and a prompt. Costs nothing."""
        question = GenerateRequest(
            model=model,
            prompt=prompt,
            file_uri=file.uri if file else "",
            mime_type=file.mime_type if file else "",
        )

        def call(client: genai.Client) -> Awaitable[object]:
            from gsvr_tui.gemini.request import contents_of

            return client.aio.models.count_tokens(model=model, contents=contents_of(question))

        total = (await self._look(call, model=model)).get("totalTokens")
        return total if isinstance(total, int) and total >= 0 else 0

    async def _page(self, what: str, token: str, size: int) -> Mapping[str, Any]:
        config: Any = {"page_size": size, "page_token": token} if token else {"page_size": size}
        if what == "models":
            return await self._look(lambda client: client.aio.models.list(config=config))
        return await self._look(lambda client: client.aio.files.list(config=config), may_be_empty=True)

    async def models(self) -> tuple[RemoteModel, ...]:
        """All models the service lists for this key."""
        async with aclosing(self._pages("models", 1000)) as pages:
            found = [_remote_model(raw) async for raw in pages]
        return tuple(model for model in found if model.id)

    async def check(self, model: str, *, full: bool = False) -> KeyCheck:
        """Look whether the key works: the list of models, then a count of tokens; neither costs anything.

        `full` also sends one tiny request, the only proof there is; it uses up one of the day's requests.
        """
        started = time.monotonic()
        listed: tuple[str, ...] = ()
        try:
            models = await self.models()
            latency_ms = round((time.monotonic() - started) * 1000)
            listed = tuple(found.id for found in models if "generateContent" in found.methods)
            await self.count_tokens(model, None, "ok")
            if full:
                answer = await self.generate(
                    GenerateRequest(model, "Reply with: ok", max_output_tokens=64), timeout_s=60
                )
                failure = answer_failure(answer)
                if failure is not None and failure.code == "PROMPT_BLOCKED":
                    raise GeminiFailure(failure)
        except GeminiFailure as failed:
            failure = failed.failure
            taken_ms = round((time.monotonic() - started) * 1000)
            return KeyCheck(False, failure.message, failure.advice, taken_ms, listed, failure.kind in _DEAD)
        return KeyCheck(True, f"the key works with {model}", "", latency_ms, listed)


def _key_trouble(message: str, advice: str) -> GeminiFailure:
    return GeminiFailure(Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_MALFORMED", message, advice))


def _listed(page: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = page.get(key)
    return [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []


def _remote_model(raw: Mapping[str, Any]) -> RemoteModel:
    methods = raw.get("supportedGenerationMethods")
    limits = [raw.get("inputTokenLimit"), raw.get("outputTokenLimit")]
    context, output = (limit if isinstance(limit, int) else 0 for limit in limits)
    return RemoteModel(
        id=str(raw.get("name") or "").removeprefix("models/"),
        title=str(raw.get("displayName") or ""),
        context_tokens=context,
        output_tokens=output,
        methods=tuple(str(method) for method in methods) if isinstance(methods, list) else (),
    )
