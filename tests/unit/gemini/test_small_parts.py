"""What the Files API says of files, thinking as models take it, offsets as the API writes them, files that change."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.core.failure import FailureKind
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.calls import Calls
from gsvr_tui.gemini.errors import Redactor
from gsvr_tui.gemini.files import file_failure, remote_file, sha256_of
from gsvr_tui.gemini.source import SourceProblem, UploadCancelled, open_video, read_pieces
from gsvr_tui.gemini.types import thinking_for

DIGEST = hashlib.sha256(b"video").hexdigest()
FILE: dict[str, Any] = {
    "name": "files/abc-123",
    "displayName": "clip",
    "mimeType": "video/mp4",
    "sizeBytes": "9437184",
    "createTime": "2026-11-23T10:00:00.123456789Z",
    "expirationTime": "2026-11-25T10:00:00Z",
    "sha256Hash": base64.b64encode(bytes.fromhex(DIGEST)).decode(),
    "uri": "https://generativelanguage.googleapis.com/v1beta/files/abc-123",
    "state": "ACTIVE",
}


def test_a_file_is_read_as_the_service_describes_it() -> None:
    file = remote_file(FILE, project="p", now=0.0)
    assert file is not None
    assert (file.name, file.size_bytes, file.active, file.project) == ("files/abc-123", 9_437_184, True, "p")
    assert file.content_hash == DIGEST
    assert file.expires_at == 1_795_600_800.0


def test_a_file_without_an_expiry_is_kept_48_hours_from_its_creation() -> None:
    made = remote_file({**FILE, "expirationTime": None}, project="p", now=0.0)
    unknown = remote_file({**FILE, "expirationTime": "soon", "createTime": 7}, project="p", now=1000.0)
    assert made is not None
    assert unknown is not None
    assert made.expires_at == pytest.approx(1_795_428_000.123456 + 172_800)
    assert unknown.expires_at == 1000.0 + 172_800


@pytest.mark.parametrize("broken", [{}, {"name": "x", "uri": "u"}, {"name": "files/a"}, {"name": 3, "uri": []}])
def test_what_does_not_name_a_file_is_none(broken: dict[str, Any]) -> None:
    assert remote_file(broken, project="p", now=0.0) is None


def test_a_hash_is_read_from_the_digest_and_from_its_hex_text() -> None:
    assert sha256_of(base64.b64encode(bytes.fromhex(DIGEST)).decode()) == DIGEST
    assert sha256_of(base64.b64encode(DIGEST.encode()).decode()) == DIGEST
    assert sha256_of(base64.b64encode(DIGEST.upper().encode()).decode()) == DIGEST
    for other in ("", "!", "AAAA", None, 7, base64.b64encode(b"z" * 64).decode()):
        assert sha256_of(other) == ""


def test_a_failed_file_is_the_videos_fault() -> None:
    failure = file_failure({**FILE, "state": "FAILED", "error": {"code": 3, "message": "bad\x1b[2J codec"}})
    assert failure is not None
    assert (failure.kind, failure.code) == (FailureKind.ITEM, "FILE_FAILED")
    assert failure.message.endswith(": bad codec")
    assert file_failure(FILE) is None


@pytest.mark.parametrize(
    ("model", "level", "sent"),
    [
        ("gemini-3.8-flash", "low", ("low", None)),
        ("gemini-3.8-flash", "minimal", ("low", None)),  # it has no minimal: the nearest above
        ("gemini-3.8-flash", "xhigh", ("high", None)),
        ("gemini-3.5-flash-lite", "minimal", ("minimal", None)),
        ("gemini-3.8-flash", "", ("", None)),
        ("gemini-2.5-flash", "off", ("", 0)),
        ("gemini-2.5-pro", "off", ("", 128)),
        ("gemini-2.5-flash", "medium", ("", -1)),
        ("gemini-4-carbon", "high", ("", None)),
    ],
)
def test_thinking_is_asked_for_in_the_models_own_way(model: str, level: str, sent: tuple[str, int | None]) -> None:
    info = load_catalogue().get(model)
    assert info is not None
    assert thinking_for(info, level) == sent


def test_waits_grow_and_are_spread() -> None:
    calls = Calls(Redactor(Secret("k")), Random(7))
    waits = [[calls.wait_s(attempt) for _ in range(50)] for attempt in (1, 2, 3, 12)]
    assert all(0.25 <= wait <= 0.5 for wait in waits[0])
    assert all(1.0 <= wait <= 2.0 for wait in waits[2])
    assert max(waits[3]) <= 16.0
    assert len(set(waits[0])) > 40


# ---------------------------------------------------------------- the file on this machine


async def gather(path: Path, touch: Any = None, cancelled: Any = lambda: False) -> bytes:
    positions: list[int] = []

    def progress(position: int) -> None:
        positions.append(position)
        if touch is not None:
            touch()

    with open_video(path) as reader:
        pieces = [
            piece async for piece in read_pieces(reader, 0, reader.size, on_progress=progress, cancelled=cancelled)
        ]
    assert positions == sorted(positions)
    return b"".join(pieces)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "讲座.mp4"
    path.write_bytes(bytes(range(256)) * 4096)  # 1 MiB: four pieces
    return path


def test_a_quiet_file_is_read_whole(video: Path) -> None:
    assert asyncio.run(gather(video)) == video.read_bytes()


def append(video: Path) -> None:
    with video.open("ab") as file:
        file.write(b"x")


def replace_it(video: Path) -> None:
    other = video.with_suffix(".new")
    other.write_bytes(video.read_bytes())
    other.replace(video)


def cut(video: Path) -> None:
    os.truncate(video, 1000)


def remove(video: Path) -> None:
    video.unlink(missing_ok=True)


@pytest.mark.parametrize("change", [append, replace_it, cut, remove])
def test_a_file_that_changes_while_it_is_read_is_noticed(video: Path, change: Any) -> None:
    with pytest.raises(SourceProblem) as caught:
        asyncio.run(gather(video, touch=lambda: change(video) if video.exists() else None))
    assert caught.value.failure.code == "SOURCE_CHANGED"


def test_a_cancelled_reading_stops(video: Path) -> None:
    with pytest.raises(UploadCancelled):
        asyncio.run(gather(video, cancelled=lambda: True))


def test_a_file_that_cannot_be_uploaded_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    for path, code in [
        (tmp_path / "none.mp4", "SOURCE_MISSING"),
        (tmp_path / "empty.mp4", "SOURCE_EMPTY"),
        (tmp_path, "SOURCE_UNREADABLE"),
    ]:
        with pytest.raises(SourceProblem) as caught:
            open_video(path)
        assert caught.value.failure.code == code
        assert caught.value.failure.advice


def test_importing_the_gateway_does_not_import_the_sdk() -> None:
    code = "import sys, gsvr_tui.gemini.gateway; sys.exit('google.genai' in sys.modules or 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], timeout=60, check=False)
    assert done.returncode == 0
