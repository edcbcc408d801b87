"""What goes over the line, byte for byte, against a server that says exactly what it is told to."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import json
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.core.failure import FailureKind
from gsvr_tui.core.models import RemoteFile
from gsvr_tui.gemini.answers import answer_failure
from gsvr_tui.gemini.endpoint import BadEndpoint
from gsvr_tui.gemini.gateway import Gateway, GeminiFailure, UploadCancelled
from gsvr_tui.gemini.source import open_video
from gsvr_tui.gemini.transport import RefusedAddress, Transport
from gsvr_tui.gemini.types import GenerateRequest

KEY = "AQ.CANARY-0123456789-abcdefghij"
ASK = GenerateRequest("gemini-3.8-flash", "What is said?")


def reply(body: object = b"", status: str = "200 OK", **headers: str) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def event(text: str, finish: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    return {"candidates": [{**candidate, "finishReason": finish} if finish else candidate], **more}


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(item).encode() + b"\n\n" for item in events)


USAGE = {"promptTokenCount": 10, "candidatesTokenCount": 2, "totalTokenCount": 12}
GOOD = reply(sse(event("Hel"), event("lo", "STOP", usageMetadata=USAGE)), Content_Type="text/event-stream")


async def failure_from(call: Any) -> GeminiFailure:
    with pytest.raises(GeminiFailure) as caught:
        await call
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown
    assert KEY not in repr(caught.value.failure)
    assert caught.value.__context__ is None  # nothing of the SDK hangs on: its texts may hold the key
    for frame, _ in traceback.walk_tb(caught.value.__traceback__):
        held = [value for value in frame.f_locals.values() if isinstance(value, BaseException)]
        assert [error for error in held if KEY in str(error)] == []
    return caught.value


# ---------------------------------------------------------------- generate


async def test_a_request_has_the_video_first_and_the_key_in_a_header_only(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    request = GenerateRequest(
        model="gemini-3.8-flash",
        prompt="What is said?",
        system="Answer in German.",
        file_uri="https://generativelanguage.googleapis.com/v1beta/files/abc",
        mime_type="video/mp4",
        start_s=10,
        end_s=125.5,
        fps=0.5,
        resolution="low",
        schema={"type": "object", "properties": {"title": {"type": "string"}}},
        max_output_tokens=1000,
        thinking_level="low",
    )
    order: list[str] = []
    answer = await gateway_to(server.url).generate(
        request, on_sent=lambda: order.append("sent"), on_text=lambda text: order.append(text)
    )
    assert order == ["sent", "Hello"] or order == ["sent", "Hel", "lo"]
    assert answer.text == "Hello"
    assert answer_failure(answer) is None
    (seen,) = server.seen
    assert seen.path == "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
    assert seen.headers["x-goog-api-key"] == KEY
    assert KEY not in seen.path
    assert KEY.encode() not in seen.body
    body = json.loads(seen.body.replace(b"file_uri", b"fileUri").replace(b"mime_type", b"mimeType"))
    parts = body["contents"][0]["parts"]
    assert parts[0]["fileData"] == {"fileUri": request.file_uri, "mimeType": "video/mp4"}
    metadata = parts[0]["videoMetadata"]
    assert sorted(map(str, metadata.values())) == ["0.5", "10s", "125.5s"]
    assert parts[1] == {"text": "What is said?"}
    config = body["generationConfig"]
    assert config["mediaResolution"] == "MEDIA_RESOLUTION_LOW"
    assert config["maxOutputTokens"] == 1000
    assert config["responseMimeType"] == "application/json"
    assert "title" in json.dumps(config.get("responseJsonSchema"))
    assert "LOW" in json.dumps(config["thinkingConfig"])
    assert "temperature" not in config
    assert body["systemInstruction"]["parts"] == [{"text": "Answer in German."}]


async def test_what_is_not_asked_for_is_not_sent(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    await gateway_to(server.url).generate(ASK)
    body = server.seen[0].json
    assert body.pop("generationConfig", {}) == {}
    assert body == {"contents": [{"parts": [{"text": "What is said?"}], "role": "user"}]}


async def test_agentic_processing_is_asked_for_without_offsets(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    request = GenerateRequest("m", "q", file_uri="u", mime_type="video/mp4", start_s=1, fps=2, agentic=True)
    await gateway_to(server.url).generate(request)
    part = server.seen[0].json["contents"][0]["parts"][0]
    assert "AGENTIC" in json.dumps(part)
    assert "videoMetadata" not in part


async def test_a_packed_answer_is_read_and_kept_unpacked(record: Any, gateway_to: Any) -> None:
    packed = gzip.compress(sse(event("第一课", "STOP")))
    server = record(lambda seen: reply(packed, Content_Type="text/event-stream", Content_Encoding="gzip"))
    answer = await gateway_to(server.url).generate(ASK)
    assert answer.text == "第一课"
    assert json.loads(answer.raw)[0]["candidates"][0]["finishReason"] == "STOP"


async def test_a_continuation_is_not_followed_because_it_would_be_paid(record: Any, gateway_to: Any) -> None:
    part = event("half", "CONTINUATION")
    part["candidates"][0]["continuationToken"] = "abc"
    server = record(lambda seen: reply(sse(part), Content_Type="text/event-stream"))
    answer = await gateway_to(server.url).generate(ASK)
    failure = answer_failure(answer)
    assert failure is not None
    assert failure.code == "ANSWER_CUT"
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "code"), [("500 E", "INTERNAL"), ("503 U", "OVERLOADED"), ("429 Q", "QUOTA_BARE"), ("504 D", "DEADLINE")]
)
async def test_a_paid_request_is_never_repeated_here(record: Any, gateway_to: Any, status: str, code: str) -> None:
    server = record(lambda seen: reply({"error": {"code": int(status[:3]), "message": "m"}}, status))
    failed = await failure_from(gateway_to(server.url).generate(ASK))
    assert failed.failure.code == code
    assert not failed.failure.maybe_paid
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("answer", "code", "paid", "text"),
    [
        (b"", "DROPPED", True, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + sse(event("half")), "DROPPED", True, "half"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\ndata: {", "DROPPED", True, None),
        (b"\x00\x01garbage\r\n\r\n", "DROPPED", True, None),
        (reply(b"", Content_Type="text/event-stream"), "NOT_JSON", True, None),
        (reply(b"not json at all", Content_Type="text/plain"), "NOT_JSON", True, None),
        (reply(b"<!DOCTYPE html><title>Login</title>", Content_Type="text/html"), "PORTAL", False, None),
        (reply(sse(event("x")) + b'data: {"candi\n\n'), "NOT_JSON", True, "x"),
        (reply(sse([{"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}])), "OVERLOADED", False, ""),
        (reply(sse({"error": {"code": 500, "status": "INTERNAL", "message": "m"}})), "INTERNAL", False, ""),
        (reply(sse(event("x"), {"error": {"code": 500, "message": "m"}})), "INTERNAL", True, "x"),
        (
            reply([{"error": {"code": 503, "status": "UNAVAILABLE", "message": "m"}}], "503 U"),
            "OVERLOADED",
            False,
            None,
        ),
        (reply(b"<html>502</html>", "502 Bad Gateway"), "GATEWAY", True, None),
        (reply(b"[1, 2]", "400 Bad"), "INVALID_REQUEST", False, None),
        (reply(b"", "204 No Content"), "UNKNOWN", True, None),
        (reply(b"\x1f\x8bbroken", Content_Encoding="gzip"), "NOT_JSON", True, None),
    ],
)
async def test_every_broken_answer_is_a_failure_that_knows_whether_it_may_be_paid(
    record: Any, gateway_to: Any, answer: bytes, code: str, paid: bool, text: str | None
) -> None:
    server = record(lambda seen: answer)
    failed = await failure_from(gateway_to(server.url).generate(ASK, timeout_s=20))
    assert (failed.failure.code, failed.failure.maybe_paid) == (code, paid)
    assert (failed.partial.text if failed.partial else None) == text
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + sse(event("all", "STOP", usageMetadata=USAGE)),
        reply(sse(event("al", usageMetadata={"promptTokenCount": "many"}), event("l", "STOP", usageMetadata=USAGE))),
        reply(sse(event("al")) + b"data: {broken\n\n" + sse(event("l", "STOP", usageMetadata=USAGE))),
        reply(
            sse(event("al"), {"modelStatus": {"modelStage": "SOMETHING_NEW"}}, event("l", "STOP", usageMetadata=USAGE))
        ),
        reply(sse(event("al"), [], event("l", "STOP", usageMetadata=USAGE))),
        reply(sse(event("al")) + b"data: 7\n\n" + sse(event("l", "STOP", usageMetadata=USAGE)) + b"data: x"),
    ],
)
async def test_a_finished_answer_is_kept_whatever_the_line_or_the_sdk_make_of_it(
    record: Any, gateway_to: Any, answer: bytes
) -> None:
    server = record(lambda seen: answer)
    kept = await gateway_to(server.url).generate(ASK)
    assert kept.text == "all"
    assert kept.complete
    assert kept.usage.prompt == 10
    assert answer_failure(kept) is None


async def test_a_stream_with_no_end_is_an_answer_that_is_not_complete(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: reply(sse(event("half", usageMetadata=USAGE)), Content_Type="text/event-stream"))
    answer = await gateway_to(server.url).generate(ASK)
    assert not answer.complete
    failure = answer_failure(answer)
    assert failure is not None
    assert (failure.code, failure.maybe_paid) == ("ANSWER_CUT", True)


async def test_silence_ends_at_the_deadline_and_may_be_paid(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    server.hold = threading.Event()
    sent: list[bool] = []
    gateway = gateway_to(server.url)
    await gateway._sdk()
    failed = await failure_from(gateway.generate(ASK, on_sent=lambda: sent.append(True), timeout_s=0.3))
    assert (failed.failure.code, failed.failure.maybe_paid) == ("TIMEOUT", True)
    assert sent == [True]
    assert await asyncio.to_thread(server.hung_up.wait, 5)


async def test_a_cancelled_call_hangs_up(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    server.hold = threading.Event()
    task = asyncio.create_task(gateway_to(server.url).generate(ASK))
    assert await asyncio.to_thread(server.arrived.wait, 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(server.hung_up.wait, 5)


async def test_a_fault_of_the_caller_is_not_taken_for_one_of_the_line(record: Any, gateway_to: Any) -> None:
    def broken(text: str) -> None:
        raise ZeroDivisionError("mine")

    server = record(lambda seen: GOOD)
    with pytest.raises(ZeroDivisionError, match="mine"):
        await gateway_to(server.url).generate(ASK, on_text=broken)


async def test_a_request_that_cannot_be_built_is_a_bug_and_nothing_is_sent(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: GOOD)
    failed = await failure_from(gateway_to(server.url).generate(GenerateRequest("m", "q", max_output_tokens="many")))  # type: ignore[arg-type]
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.BUG, "REQUEST_UNSENDABLE")
    assert server.seen == []


# ---------------------------------------------------------------- the key


async def test_a_key_in_the_services_words_does_not_come_out(record: Any, gateway_to: Any) -> None:
    body = {
        "error": {
            "code": 403,
            "message": f"Permission denied: Consumer 'api_key:{KEY}' has been suspended.",
            "status": "PERMISSION_DENIED",
            "details": [{"@type": "t/google.rpc.ErrorInfo", "reason": "CONSUMER_SUSPENDED", "metadata": {"c": KEY}}],
        }
    }
    server = record(lambda seen: reply(body, "403 Forbidden"))
    failed = await failure_from(gateway_to(server.url).generate(ASK))
    assert failed.failure.code == "SUSPENDED"


async def test_a_key_in_an_answer_does_not_come_out(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: reply(sse(event(f"your key is {KEY}", "STOP"))))
    answer = await gateway_to(server.url).generate(ASK)
    assert answer.text == "your key is [key]"
    assert KEY not in answer.raw


@pytest.mark.parametrize("status", ["301", "302", "303", "307", "308"])
@pytest.mark.parametrize("call", ["generate", "models", "upload", "file", "count"])
async def test_a_redirect_is_not_followed_and_the_key_stays(
    record: Any, gateway_to: Any, video: Path, status: str, call: str
) -> None:
    thief = record(lambda seen: GOOD)
    server = record(lambda seen: reply(b"", f"{status} Moved", Location=f"{thief.url}/v1beta/stolen"))
    gateway: Gateway = gateway_to(server.url)
    calls: dict[str, Callable[[], Any]] = {
        "generate": lambda: gateway.generate(ASK),
        "models": gateway.models,
        "upload": lambda: gateway.upload(video, mime_type="video/mp4", display_name="d", content_hash=""),
        "file": lambda: gateway.file("files/abc"),
        "count": lambda: gateway.count_tokens("m", None, "q"),
    }
    failed = await failure_from(calls[call]())
    assert failed.failure.code == "REDIRECT"
    assert thief.seen == []
    assert len(server.seen) == 1


async def test_the_client_itself_sends_nothing_to_other_origins(record: Any) -> None:
    thief, server = record(lambda seen: GOOD), record(lambda seen: GOOD)
    transport = Transport(server.url)
    try:
        await transport.async_client.get(server.url, headers={"x-goog-api-key": KEY})
        for headers in ({"x-goog-api-key": KEY}, {}):
            with pytest.raises(RefusedAddress):
                await transport.async_client.get(thief.url, headers=headers)
        with pytest.raises(RefusedAddress):  # Google may have a video, but not a key that belongs elsewhere
            await transport.async_client.get("https://storage.googleapis.com/", headers={"x-goog-api-key": KEY})
        with pytest.raises(RefusedAddress):
            transport.sync_client.get(server.url)
    finally:
        await transport.aclose()
    assert thief.seen == []
    assert len(server.seen) == 1


async def test_a_video_is_not_sent_to_an_address_of_somebody_else(record: Any, gateway_to: Any, video: Path) -> None:
    thief = record(lambda seen: reply({"file": {}}, X_Goog_Upload_Status="final"))
    server = record(lambda seen: reply(b"{}", X_Goog_Upload_URL=f"{thief.url}/upload?upload_id=1"))
    failed = await failure_from(
        gateway_to(server.url).upload(video, mime_type="video/mp4", display_name="d", content_hash="")
    )
    assert failed.failure.code == "ADDRESS_REFUSED"
    assert thief.seen == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE_GENAI_USE_VERTEXAI", "true"),
        ("GOOGLE_GENAI_USE_ENTERPRISE", "1"),
        ("GOOGLE_API_KEY", "another-key-of-the-environment"),
        ("GEMINI_API_KEY", "another-key-of-the-environment"),
        ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:9"),
        ("GOOGLE_GENAI_API_VERSION", "v1alpha"),
        ("GOOGLE_GENAI_CLIENT_MODE", "replay"),
        ("GOOGLE_GENAI_HTTP_CLIENT", "httpx"),
        ("GOOGLE_CLOUD_PROJECT", "somebody"),
        ("HTTP_PROXY", "http://127.0.0.1:9"),
        ("ALL_PROXY", "http://127.0.0.1:9"),
    ],
)
async def test_the_environment_changes_nothing(
    record: Any, gateway_to: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    if name.startswith("GOOGLE_GENAI_USE"):
        monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-central1")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "somebody")
    server = record(lambda seen: GOOD)
    answer = await gateway_to(server.url).generate(ASK)
    assert answer.text == "Hello"
    assert server.seen[0].headers["x-goog-api-key"] == KEY
    assert server.seen[0].path.startswith("/v1beta/models/")


@pytest.mark.parametrize("key", ["", "  ", "schlüssel-0123456789", "AQ.two words", "AQ.line\nbreak", "AQ.\x00nul"])
@pytest.mark.parametrize("call", ["generate", "upload"])
async def test_a_key_that_is_none_is_said_in_words_and_no_other_is_taken(
    record: Any, gateway_to: Any, video: Path, monkeypatch: pytest.MonkeyPatch, key: str, call: str
) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "another-key-of-the-environment")
    server = record(lambda seen: GOOD)
    gateway: Gateway = gateway_to(server.url, key=key)
    failed = await failure_from(gateway.generate(ASK) if call == "generate" else send(gateway, video))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.DEAD_KEY, "KEY_MALFORMED")
    assert key.strip() not in failed.failure.message or not key.strip()
    assert server.seen == []


async def test_blanks_around_a_key_do_not_matter(record: Any, gateway_to: Any, video: Path) -> None:
    server = record(lambda seen: GOOD)
    await gateway_to(server.url, key=f" {KEY}\n").generate(ASK)
    assert server.seen[0].headers["x-goog-api-key"] == KEY


async def test_no_log_of_any_library_holds_a_key_or_an_upload_address(
    store: Store, gateway_to: Any, video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway: Gateway = gateway_to(store.url())
    await send(gateway, video)
    await gateway.find_file(display_name="讲座")
    logged = "\n".join(f"{record.name} {record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert KEY not in logged
    assert "upload_id" not in logged


async def test_a_gateway_does_not_show_its_key(gateway_to: Any) -> None:
    assert KEY not in repr(gateway_to("http://127.0.0.1:9"))


async def test_an_address_that_may_not_have_the_key_is_refused_at_once(gateway_to: Any) -> None:
    with pytest.raises(BadEndpoint, match="allow_custom_endpoint"):
        gateway_to("https://proxy.example")
    assert gateway_to("https://proxy.example", allow_custom_endpoint=True).base_url == "https://proxy.example"


# ---------------------------------------------------------------- the line


async def test_no_connection_is_known_not_to_be_paid(gateway_to: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failed = await failure_from(gateway_to(f"http://127.0.0.1:{port}").generate(ASK))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.RETRY, "CONNECT")
    assert not failed.failure.maybe_paid


async def test_a_name_that_is_not_found_stops_everything(gateway_to: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_names(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    failed = await failure_from(gateway_to("https://generativelanguage.googleapis.com").generate(ASK))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.STOP_ALL, "DNS")


def self_signed(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "k.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "c.pem", folder / "k.pem"


async def test_a_certificate_nobody_vouches_for_gets_no_key(gateway_to: Any, tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    received = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.read(1000))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        failed = await failure_from(gateway_to(f"https://localhost:{port}").generate(ASK))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.STOP_ALL, "TLS")
    assert not received


async def test_the_services_clock_is_handed_on(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: reply(sse(event("x", "STOP")), Date="Mon, 23 Nov 2026 10:00:00 GMT"))
    dates: list[float] = []
    await gateway_to(server.url, on_server_date=dates.append).generate(ASK)
    assert dates == [1_795_428_000.0]


async def test_an_answer_without_end_is_cut_off(record: Any, gateway_to: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsvr_tui.gemini.transport.LARGEST_BODY", 10_000)
    server = record(lambda seen: reply(sse(event("x" * 20_000, "STOP"))))
    failed = await failure_from(gateway_to(server.url).generate(ASK))
    assert (failed.failure.code, failed.failure.maybe_paid) == ("NOT_JSON", True)


# ---------------------------------------------------------------- files


FILE = {"name": "files/abc", "uri": "https://x/files/abc", "mimeType": "video/mp4", "state": "PROCESSING"}


class Store:
    """The service's side of uploads, with faults where a test wants them."""

    def __init__(self, url: Callable[[], str]) -> None:
        self.url = url
        self.data = bytearray()
        self.final = False
        self.starts = 0
        self.drop_once_at: int | None = None
        self.lose_final_answer = False
        self.forget_session_once = False
        self.files: list[dict[str, Any]] = []

    def __call__(self, seen: Any) -> bytes:
        if seen.method == "GET":
            return reply({"files": self.files} if "?" in seen.path or seen.path.endswith("/files") else FILE)
        command = seen.headers["x-goog-upload-command"]
        if command == "start":
            self.starts += 1
            self.data.clear()
            self.final = False
            return reply(
                b"{}", X_Goog_Upload_URL=f"{self.url()}/upload/here?upload_id=s", X_Goog_Upload_Status="active"
            )
        assert "x-goog-api-key" not in seen.headers
        if command == "query":
            status = "final" if self.final else "active"
            return reply(b"", X_Goog_Upload_Status=status, X_Goog_Upload_Size_Received=str(len(self.data)))
        if self.forget_session_once:
            self.forget_session_once = False
            return reply({"error": {"code": 404, "message": "gone", "status": "NOT_FOUND"}}, "404 Not Found")
        assert int(seen.headers["x-goog-upload-offset"]) == len(self.data)
        if self.drop_once_at is not None and len(self.data) + len(seen.body) > self.drop_once_at:
            self.data += seen.body[: self.drop_once_at - len(self.data)]
            self.drop_once_at = None
            return b""
        self.data += seen.body
        if "finalize" in command:
            self.final = True
            self.files.append({**FILE, "displayName": "讲座"})
            return b"" if self.lose_final_answer else reply({"file": FILE}, X_Goog_Upload_Status="final")
        return reply(b"", X_Goog_Upload_Status="active")


@pytest.fixture
def store(record: Any) -> Store:
    made = Store(lambda: server.url)
    server = record(made)
    return made


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "長い.mp4"
    path.write_bytes(bytes(range(256)) * 75_000)  # 18.3 MiB: three chunks
    return path


def content_of(path: Path) -> bytes:
    return path.read_bytes()


async def send(gateway: Gateway, path: Path, **options: Any) -> RemoteFile:
    return await gateway.upload(path, mime_type="video/mp4", display_name="讲座", content_hash="ab" * 32, **options)


async def test_a_name_in_any_script_is_uploaded_and_progress_is_seen(
    store: Store, gateway_to: Any, video: Path
) -> None:
    seen: list[tuple[int, int]] = []
    file = await send(gateway_to(store.url()), video, progress=lambda done, total: seen.append((done, total)))
    assert bytes(store.data) == content_of(video)
    assert (file.name, file.project, file.content_hash, file.active) == ("files/abc", "p1", "ab" * 32, False)
    assert seen[-1] == (len(store.data), len(store.data))


async def test_a_large_file_goes_in_chunks_with_fine_progress(store: Store, gateway_to: Any, large: Path) -> None:
    seen: list[int] = []
    await send(gateway_to(store.url()), large, progress=lambda done, total: seen.append(done))
    assert bytes(store.data) == content_of(large)
    assert seen == sorted(seen)
    assert len(seen) > 50


@pytest.mark.parametrize("at", [0, 5_000_000, 8 << 20, 18_000_000])
async def test_a_broken_upload_goes_on_where_the_service_says(
    store: Store, gateway_to: Any, large: Path, at: int
) -> None:
    store.drop_once_at = at
    await send(gateway_to(store.url()), large)
    assert bytes(store.data) == content_of(large)
    assert store.starts == 1


async def test_a_forgotten_session_is_begun_again(store: Store, gateway_to: Any, video: Path) -> None:
    store.forget_session_once = True
    await send(gateway_to(store.url()), video)
    assert bytes(store.data) == content_of(video)
    assert store.starts == 2


async def test_an_upload_whose_last_answer_was_lost_is_found_again(store: Store, gateway_to: Any, video: Path) -> None:
    store.lose_final_answer = True
    file = await send(gateway_to(store.url()), video)
    assert file.name == "files/abc"
    assert store.starts == 1


async def test_a_video_that_changes_meanwhile_is_not_finished(store: Store, gateway_to: Any, large: Path) -> None:
    def touch(done: int, total: int) -> None:
        if done < 1 << 20:
            with large.open("ab") as file:
                file.write(b"more")

    failed = await failure_from(send(gateway_to(store.url()), large, progress=touch))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.ITEM, "SOURCE_CHANGED")
    assert not store.final


async def test_a_video_that_is_not_there_is_said_in_words(store: Store, gateway_to: Any, tmp_path: Path) -> None:
    failed = await failure_from(send(gateway_to(store.url()), tmp_path / "none.mp4"))
    assert failed.failure.code == "SOURCE_MISSING"


async def test_a_cancelled_upload_stops_at_once(store: Store, gateway_to: Any, large: Path) -> None:
    done: list[int] = []
    with pytest.raises(UploadCancelled):
        await send(
            gateway_to(store.url()),
            large,
            progress=lambda position, total: done.append(position),
            cancelled=lambda: len(done) > 5,
        )
    assert not store.final
    assert len(done) < 10


async def test_the_source_is_closed_after_every_ending(
    store: Store, gateway_to: Any, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def watched(path: Path) -> Any:
        opened.append(open_video(path))
        return opened[-1]

    monkeypatch.setattr("gsvr_tui.gemini.gateway.open_video", watched)
    with pytest.raises(UploadCancelled):
        await send(gateway_to(store.url()), large, cancelled=lambda: True)
    assert opened[0].closed


async def test_an_upload_the_service_refuses_is_not_tried_again(record: Any, gateway_to: Any, video: Path) -> None:
    body = {"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "X"}}
    server = record(lambda seen: reply(body, "400 Bad Request"))
    failed = await failure_from(send(gateway_to(server.url), video))
    assert failed.failure.kind is FailureKind.DEAD_KEY
    assert len(server.seen) == 1


@pytest.mark.parametrize("call", ["file", "models", "count", "delete", "upload"])
async def test_harmless_calls_are_repeated_while_the_service_stumbles(
    record: Any, gateway_to: Any, video: Path, call: str
) -> None:
    def stumbling(seen: Any) -> bytes:
        if len(server.seen) < 3:
            return reply({"error": {"code": 500, "message": "m", "status": "INTERNAL"}}, "500 E")
        if call == "upload":
            return store(seen)
        bodies: dict[str, object] = {"file": FILE, "models": {"models": []}, "count": {"totalTokens": 7}, "delete": {}}
        return reply(bodies[call])

    server = record(stumbling)
    store = Store(lambda: server.url)
    gateway: Gateway = gateway_to(server.url)
    calls: dict[str, Callable[[], Any]] = {
        "file": lambda: gateway.file("files/abc"),
        "models": gateway.models,
        "count": lambda: gateway.count_tokens("m", None, "q"),
        "delete": lambda: gateway.delete_file("files/abc"),
        "upload": lambda: send(gateway, video),
    }
    await calls[call]()
    assert len(server.seen) == (4 if call == "upload" else 3)


@pytest.mark.parametrize(
    ("silent", "code"), [("bytes", "UPLOAD_STUCK"), ("session", "UPLOAD_STUCK"), ("start", "NOT_JSON")]
)
async def test_an_upload_that_never_ends_well_ends(
    record: Any, gateway_to: Any, video: Path, silent: str, code: str
) -> None:
    def vague(seen: Any) -> bytes:
        command = seen.headers["x-goog-upload-command"]
        if command == "start" and silent != "start":
            return reply(b"{}", X_Goog_Upload_URL=f"{server.url}/here")
        if command == "query":
            status = "active" if silent == "bytes" else "cancelled"
            return reply(b"", X_Goog_Upload_Status=status, X_Goog_Upload_Size_Received="0")
        return reply(b"")  # 200, but no word on the upload

    server = record(vague)
    failed = await failure_from(send(gateway_to(server.url), video))
    assert (failed.failure.kind, failed.failure.code) == (FailureKind.RETRY, code)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"error": {"code": 503, "message": "m"}}', b"<html>login</html>"]
)
@pytest.mark.parametrize("call", ["file", "models", "count"])
async def test_a_200_that_says_nothing_is_not_taken_for_an_answer(
    record: Any, gateway_to: Any, body: bytes, call: str
) -> None:
    server = record(lambda seen: reply(body))
    gateway: Gateway = gateway_to(server.url, first_wait_s=0.001)
    calls: dict[str, Callable[[], Any]] = {
        "file": lambda: gateway.file("files/abc"),
        "models": gateway.models,
        "count": lambda: gateway.count_tokens("m", None, "q"),
    }
    failed = await failure_from(calls[call]())
    assert failed.failure.code in ("NOT_JSON", "OVERLOADED", "PORTAL")


async def test_a_list_without_end_ends(record: Any, gateway_to: Any) -> None:
    server = record(lambda seen: reply({"files": [], "nextPageToken": "again"}))
    assert await gateway_to(server.url).find_file(display_name="x") is None
    assert len(server.seen) == 50
