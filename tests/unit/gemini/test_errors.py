"""Errors become facts, and no text that leaves holds the key."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.core.failure import FailureKind
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.errors import GeminiFailure, Redactor, facts_of, failure_of, transport_of
from gsvr_tui.gemini.transport import Exchange, RefusedAddress, TooLarge

KEY = "AQ.CANARY/0123+4567\\89=abcdef"


def exchange_with(http: int | None, body: bytes = b"", *, sent: bool = True, retry_after: str = "") -> Exchange:
    exchange = Exchange(read_s=1)
    exchange.sent = sent
    if http is not None:
        response = httpx2.Response(http, headers={"retry-after": retry_after} if retry_after else {})
        exchange.answered(response, 0.0)
    if body:
        exchange.received(body)
    return exchange


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx2.ConnectError("x"), "connect"),
        (httpx2.ConnectTimeout("x"), "connect"),
        (caused(httpx2.ConnectError("x"), socket.gaierror(-2, "unknown")), "dns"),
        (caused(httpx2.ConnectError("x"), ssl.SSLCertVerificationError("not yet valid")), "tls"),
        (httpx2.ReadTimeout("x"), "timeout"),
        (httpx2.WriteTimeout("x"), "timeout"),
        (httpx2.PoolTimeout("x"), "timeout"),
        (TimeoutError(), "timeout"),
        (httpx2.ProxyError("x"), "proxy"),
        (httpx2.ReadError("x"), "read"),
        (httpx2.WriteError("x"), "read"),
        (httpx2.RemoteProtocolError("x"), "read"),
        (ConnectionResetError(), "read"),
        (httpx2.DecodingError("x"), "not_json"),
        (TooLarge("x"), "not_json"),
        (ValueError("x"), ""),
    ],
)
def test_transport_errors_are_told_apart(error: Exception, kind: str) -> None:
    assert transport_of(error) == kind


def test_every_form_of_the_key_is_taken_out() -> None:
    redactor = Redactor(Secret(KEY))
    forms = [KEY, quote(KEY, safe=""), quote(KEY), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode()]
    for form in forms:
        assert redactor.text(f"a {form} b") == "a [key] b"
    nested: Any = {KEY: [{"message": f"Consumer 'api_key:{KEY}' has been suspended."}], "n": 3}
    assert KEY not in json.dumps(redactor.value(nested))
    assert redactor.value(nested)["n"] == 3


def test_upload_addresses_are_secrets_too() -> None:
    assert "secret" not in Redactor(Secret(KEY)).text("https://x.googleapis.com/upload?upload_id=secret&a=1")


def test_the_given_redaction_is_put_over_every_text_of_a_failure() -> None:
    redactor = Redactor(Secret(KEY), lambda text: text.replace("Müller", "[name]"))
    body = json.dumps({"error": {"code": 400, "message": f"Müller {KEY}", "status": "INVALID_ARGUMENT"}}).encode()
    failed = failure_of(None, exchange_with(400, body), redactor)
    assert failed.failure.message == "the service refused the request: [name] [key]"


def test_an_empty_key_hides_nothing() -> None:
    assert Redactor(Secret("")).text("plain") == "plain"


def test_what_the_service_said_comes_before_what_the_line_did() -> None:
    body = json.dumps({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}).encode()
    facts = facts_of(httpx2.ReadError("x"), exchange_with(503, body), Redactor(Secret(KEY)))
    assert (facts.http_status, facts.status, facts.transport) == (503, "UNAVAILABLE", "")


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}},
        [{"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}}],
    ],
)
def test_an_error_in_a_stream_that_began_well_has_the_code_of_its_body(body: Any) -> None:
    exchange = exchange_with(200, b"data: " + json.dumps(body).encode() + b"\n\n")
    assert facts_of(None, exchange, Redactor(Secret(KEY))).http_status == 429


def test_a_retry_after_header_counts_like_retry_info() -> None:
    exchange = exchange_with(429, b"slow down", retry_after="17")
    assert failure_of(None, exchange, Redactor(Secret(KEY))).failure.retry_after_s == 17.0


@pytest.mark.parametrize("body", [b"", b"[]", b"[1, 2]", b'{"error": 7}', b"null", b'{"message": "m"}', b"\xff\xfe"])
@pytest.mark.parametrize("http", [200, 301, 400, 404, 429, 500, 599])
def test_odd_bodies_become_failures_too(http: int, body: bytes) -> None:
    failed = failure_of(None, exchange_with(http, body), Redactor(Secret(KEY)), paid_call=True)
    assert failed.failure.message


def test_a_request_that_could_not_be_built_is_our_fault_and_not_paid() -> None:
    failed = failure_of(
        ValueError(f"bad {KEY}"), exchange_with(None, sent=False), Redactor(Secret(KEY)), paid_call=True
    )
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.BUG, "REQUEST_UNSENDABLE")
    assert not failed.failure.maybe_paid
    assert KEY not in str(failed)


def test_a_refused_address_stops_everything_and_is_not_named_as_the_network() -> None:
    failed = failure_of(RefusedAddress("x"), exchange_with(None), Redactor(Secret(KEY)))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.STOP_ALL, "ADDRESS_REFUSED")


@pytest.mark.parametrize(
    ("paid_call", "sent", "maybe"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_only_a_paid_call_that_was_sent_may_be_paid(paid_call: bool, sent: bool, maybe: bool) -> None:
    exchange = exchange_with(None, sent=sent)
    failed = failure_of(httpx2.ReadTimeout("x"), exchange, Redactor(Secret(KEY)), paid_call=paid_call)
    assert failed.failure.code == "TIMEOUT"
    assert failed.failure.maybe_paid is maybe


def test_an_error_after_a_piece_of_the_answer_may_be_paid() -> None:
    piece = b'data: {"candidates":[{"content":{"parts":[{"text":"x"}]}}]}\n\n'
    error = b'data: {"error":{"code":500,"message":"m","status":"INTERNAL"}}\n\n'
    began = failure_of(None, exchange_with(200, piece + error), Redactor(Secret(KEY)), paid_call=True)
    assert began.failure.maybe_paid
    assert began.partial is not None
    assert began.partial.text == "x"
    at_once = failure_of(None, exchange_with(200, error), Redactor(Secret(KEY)), paid_call=True)
    assert not at_once.failure.maybe_paid


@given(st.binary(max_size=200), st.sampled_from([None, 200, 204, 302, 400, 403, 418, 429, 500, 502]))
def test_no_body_and_no_status_makes_it_raise(body: bytes, http: int | None) -> None:
    for error in (None, httpx2.ReadError("x"), ValueError("x")):
        failed = failure_of(error, exchange_with(http, body), Redactor(Secret(KEY)), paid_call=True)
        assert isinstance(failed, GeminiFailure)
