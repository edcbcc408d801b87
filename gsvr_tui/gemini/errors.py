"""Turns whatever went wrong in a call into a `GeminiFailure` with a classified `Failure`, and nothing else.

The facts are read from what came over the line, not from the SDK's exceptions, which lose parts of odd bodies. No text
leaves here that could hold the account's key, and no exception of the SDK stays attached: one kind of refusal prints
the whole key.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus

import httpx2

from gsvr_tui.core.failure import ErrorFacts, Failure, FailureKind, Scope, classify
from gsvr_tui.core.secret import Secret
from gsvr_tui.core.text import clean_text
from gsvr_tui.gemini.transport import Exchange, RefusedAddress, TooLarge
from gsvr_tui.gemini.types import Answer

_HIDDEN = "[key]"
_SHORTEST_KEY = 6  # shorter texts are no keys; hiding them would garble every message
_UPLOAD_ID = re.compile(r"(upload_id=)[^&\s\"']+")


class GeminiFailure(Exception):
    """A call that failed. `failure` says what to do; `partial` is what had come of an answer: evidence of payment."""

    def __init__(self, failure: Failure, partial: Answer | None = None) -> None:
        super().__init__(f"{failure.code}: {failure.message}")
        self.failure = failure
        self.partial = partial


class Redactor:
    """Takes the account's own key, in every form it may come back in, and what `outer` knows, out of texts."""

    def __init__(self, key: Secret, outer: Callable[[str], str] | None = None) -> None:
        plain = key.reveal().strip()  # as it is sent
        self._outer = outer
        self._forms: tuple[str, ...] = ()
        if len(plain) >= _SHORTEST_KEY:
            encoded = base64.b64encode(plain.encode()).decode()
            forms = {plain, quote(plain, safe=""), quote(plain), quote_plus(plain), json.dumps(plain)[1:-1], encoded}
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def key_only(self, text: str) -> str:
        """`text` without the account's own key."""
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text

    def text(self, text: str) -> str:
        """`text` without the key, upload addresses and whatever else is known to be secret."""
        text = _UPLOAD_ID.sub(r"\1[hidden]", self.key_only(text))
        return self._outer(text) if self._outer is not None else text

    def value(self, value: Any) -> Any:
        """The same for every text inside a decoded body."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(item) for key, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- facts


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def transport_of(error: BaseException) -> str:
    """The kind of a transport error as ErrorFacts names it; "" when it is none."""
    chain = list(_chain(error))
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        if any(isinstance(link, ssl.SSLError) for link in chain):
            return "tls"
        return "dns" if any(isinstance(link, socket.gaierror) for link in chain) else "connect"
    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        ((httpx2.TimeoutException, TimeoutError, asyncio.TimeoutError), "timeout"),
        (httpx2.ProxyError, "proxy"),
        (ssl.SSLError, "tls"),
        ((httpx2.DecodingError, TooLarge), "not_json"),
        ((httpx2.TransportError, httpx2.StreamError, OSError), "read"),
    )
    return next((name for types, name in kinds if isinstance(error, types)), "")


def _retry_after(exchange: Exchange) -> tuple[Mapping[str, Any], ...]:
    """A Retry-After header in the form of the body's own detail."""
    header = exchange.headers.get("retry-after", "").strip()
    if not (header.isascii() and header.isdigit() and len(header) < 8):
        return ()
    return ({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{header}s"},)


def _from_error_body(error: Mapping[str, Any], exchange: Exchange, redactor: Redactor, http: int | None) -> ErrorFacts:
    details = error.get("details")
    code = error.get("code")
    if http in (None, 200):  # an error inside a stream that began well
        http = code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code < 600 else None
    status = error.get("status")
    listed = [item for item in details if isinstance(item, Mapping)] if isinstance(details, list) else []
    return ErrorFacts(
        http_status=http,
        status=status if isinstance(status, str) else "",
        message=redactor.text(str(error.get("message") or "")),
        details=(*redactor.value(listed), *_retry_after(exchange)),
        sent=exchange.sent,
    )


def facts_of(error: BaseException | None, exchange: Exchange, redactor: Redactor) -> ErrorFacts:
    """The facts of a call that went wrong: first what the service said, then what the line did."""
    exchange.stream.finish()
    body_error = exchange.stream.error
    http = exchange.http_status
    if body_error is not None:
        return _from_error_body(body_error, exchange, redactor, http)
    transport = transport_of(error) if error is not None else ""
    if transport and (http is None or http == 200):
        sent = exchange.sent and not isinstance(error, httpx2.PoolTimeout | httpx2.ConnectTimeout)
        return ErrorFacts(transport=transport, message=redactor.text(str(error)), sent=sent)
    if http is None:
        return ErrorFacts(message=redactor.text(_words(error)), sent=exchange.sent)
    body = redactor.text(exchange.stream.body[:20_000])
    if http == 200:
        return ErrorFacts(http_status=200, transport="not_json", message=body, sent=exchange.sent)
    # A body with another shape than Google's, or none: a web page, or the front end of something else.
    events = exchange.stream.events
    message = str(events[0].get("message") or "") if events else body
    return ErrorFacts(
        http_status=http,
        status=exchange.reason,
        message=redactor.text(message),
        details=_retry_after(exchange),
        sent=exchange.sent,
    )


def _words(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}" if error is not None else ""


# ---------------------------------------------------------------- failures


def failure_of(
    error: BaseException | None, exchange: Exchange, redactor: Redactor, *, model: str = "", paid_call: bool = False
) -> GeminiFailure:
    """The classified failure of a call. `paid_call`: it was a request that costs money, so doubt about it counts."""
    if isinstance(error, RefusedAddress):
        failure = Failure(
            FailureKind.STOP_ALL,
            Scope.MACHINE,
            "ADDRESS_REFUSED",
            "the service named an address that is neither its own nor Google's; nothing was sent there",
            "Check base_url of the account and the network",
        )
        return GeminiFailure(failure)
    facts = facts_of(error, exchange, redactor)
    if exchange.http_status is None and not facts.transport and not exchange.sent:
        words = " ".join(clean_text(redactor.text(_words(error))).split())[:300]
        failure = Failure(
            FailureKind.BUG,
            Scope.ITEM,
            "REQUEST_UNSENDABLE",
            f"the request could not be made: {words}",
            "Check the template's options; else please report this with the log",
        )
        return GeminiFailure(failure)
    failure = classify(facts, model=model)
    partial = _partial(exchange, redactor) if paid_call else None
    begun = partial is not None and (partial.usage_known or bool(partial.text) or partial.thoughts > 0)
    return GeminiFailure(replace(failure, maybe_paid=paid_call and (failure.maybe_paid or begun)), partial)


def _partial(exchange: Exchange, redactor: Redactor) -> Answer | None:
    """What had come of an answer before it broke off."""
    if exchange.http_status != 200 or not exchange.stream.events:
        return None
    return redacted(exchange.stream.answer(), redactor)


def redacted(answer: Answer, redactor: Redactor) -> Answer:
    """The answer without the key, should the service have echoed it."""
    return replace(answer, text=redactor.key_only(answer.text), raw=redactor.key_only(answer.raw))
