"""The resumable protocol by hand: offsets, queries, breaks, and what becomes of the bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from google.genai import errors, types

from gsvr_tui.emulator import Action, FileRules, KeySpec, ManualClock, ProjectSpec, Rule, Scenario, simple_scenario
from gsvr_tui.emulator.scenario import Limits

from .conftest import KEY, MODEL, Bench, Start, video_bytes

PIECE = 256 * 1024
SMALL = FileRules(chunk_granularity=PIECE)
TWO = Scenario(
    (
        ProjectSpec("one", (KeySpec("key-of-project-one"), KeySpec("other-key-of-one"))),
        ProjectSpec("two", (KeySpec("key-of-project-two"),)),
    )
)


def begin(bench: Bench, size: int, **fields: Any) -> str:
    answer = bench.http.post(
        "/upload/v1beta/files",
        content=json.dumps({"file": {"display_name": "a.mp4", "mime_type": "video/mp4", **fields}}),
        headers={
            "x-goog-api-key": KEY,
            "X-Goog-Upload-Protocol": "resumable",
            "X-Goog-Upload-Command": "start",
            "X-Goog-Upload-Header-Content-Length": str(size),
            "X-Goog-Upload-Header-Content-Type": "video/mp4",
        },
    )
    assert answer.status_code == 200
    assert answer.headers["x-goog-upload-status"] == "active"
    return str(answer.headers["x-goog-upload-url"])


def send(bench: Bench, url: str, command: str, data: bytes = b"", offset: int | None = None) -> httpx2.Response:
    headers = {"X-Goog-Upload-Command": command}
    if offset is not None:
        headers["X-Goog-Upload-Offset"] = str(offset)
    return bench.http.post(url, content=data, headers=headers)


def test_the_upload_url_is_absolute_and_points_to_the_emulator(start: Start) -> None:
    bench = start()
    assert begin(bench, 10).startswith(bench.server.base_url + "/upload/v1beta/files?upload_id=")


def test_pieces_are_counted_and_a_wrong_offset_is_refused(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY).projects, files=SMALL))
    data = video_bytes(60, padding=2 * PIECE)
    url = begin(bench, len(data))
    first = send(bench, url, "upload", data[:PIECE], 0)
    assert first.headers["x-goog-upload-status"] == "active"
    assert first.headers["x-goog-upload-size-received"] == str(PIECE)
    wrong = send(bench, url, "upload", data[:PIECE], 0)
    assert wrong.status_code == 412
    assert wrong.headers["x-goog-upload-size-received"] == str(PIECE)
    last = send(bench, url, "upload, finalize", data[PIECE:], PIECE)
    assert last.headers["x-goog-upload-status"] == "final"
    assert last.json()["file"]["state"] == "ACTIVE"
    assert last.json()["file"]["sizeBytes"] == str(len(data))
    assert send(bench, url, "query").headers["x-goog-upload-status"] == "final"
    assert send(bench, url, "upload", b"x", len(data)).status_code == 400


def test_pieces_of_odd_size_and_missing_bytes_are_refused(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY).projects, files=SMALL))
    url = begin(bench, 3 * PIECE)
    assert send(bench, url, "upload", b"x" * 1000, 0).status_code == 400
    assert send(bench, url, "finalize", b"", 1000).status_code == 400
    assert send(bench, begin(bench, 10), "upload, finalize", b"x" * 11, 0).status_code == 400


def test_an_upload_that_was_cut_goes_on_where_the_query_says(start: Start) -> None:
    scenario = Scenario(
        simple_scenario(KEY).projects, files=SMALL, rules=(Rule(Action.DROP, kind="upload_bytes", nth=(2,)),)
    )
    bench = start(scenario)
    data = video_bytes(60, padding=3 * PIECE)
    url = begin(bench, len(data))
    send(bench, url, "upload", data[:PIECE], 0)
    with pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)):
        send(bench, url, "upload", data[PIECE : 3 * PIECE], PIECE)
    received = int(send(bench, url, "query").headers["x-goog-upload-size-received"])
    assert PIECE < received < 3 * PIECE
    assert send(bench, url, "upload, finalize", data[received:], received).json()["file"]["state"] == "ACTIVE"


def test_a_refused_piece_of_full_size_is_answered_and_may_be_sent_again(start: Start) -> None:
    rules = (Rule(Action.ERROR_503, kind="upload_bytes", nth=(1,)),)
    bench = start(Scenario(simple_scenario(KEY).projects, rules=rules))
    data = video_bytes(60, padding=30 * 1024 * 1024)
    url = begin(bench, len(data))
    assert send(bench, url, "upload, finalize", data, 0).status_code == 503
    assert send(bench, url, "upload, finalize", data, 7).status_code == 412
    assert send(bench, url, "upload, finalize", data, 0).status_code == 200


def test_a_cancelled_upload_is_gone_and_an_unknown_one_not_found(start: Start) -> None:
    bench = start()
    url = begin(bench, 10, name="files/mine")
    assert send(bench, url, "cancel").headers["x-goog-upload-status"] == "cancelled"
    assert send(bench, url, "upload, finalize", b"x" * 10, 0).status_code == 400
    assert send(bench, begin(bench, 0, name="files/mine"), "finalize").status_code == 200
    assert send(bench, url.replace("upload_id=A", "upload_id=B"), "query").status_code == 404


def test_bytes_leave_the_folder_once_they_were_looked_at(start: Start, tmp_path: Path) -> None:
    bench = start(folder=tmp_path / "here")
    bench.upload()
    assert list((tmp_path / "here").iterdir()) == []


def test_a_file_is_processing_for_a_while_and_then_active(start: Start, clock: ManualClock) -> None:
    scenario = Scenario(simple_scenario(KEY).projects, files=FileRules(processing_s=10, processing_s_per_minute=2))
    bench = start(scenario, clock=clock)
    file = bench.upload(video_bytes(120))
    assert file.state == types.FileState.PROCESSING
    assert file.video_metadata is None
    with pytest.raises(errors.ClientError, match="is not in an ACTIVE state and usage is not allowed") as caught:
        bench.ask(file, "now?")
    assert caught.value.status == "FAILED_PRECONDITION"
    clock.advance(13.9)
    assert bench.client().files.get(name=file.name or "").state == types.FileState.PROCESSING
    clock.advance(0.2)
    ready = bench.client().files.get(name=file.name or "")
    assert ready.state == types.FileState.ACTIVE
    assert ready.video_metadata == {"videoDuration": "120s"}


def test_what_is_no_video_ends_failed(start: Start) -> None:
    bench = start()
    file = bench.upload(b"not a video")
    assert file.state == types.FileState.FAILED
    assert file.error is not None


def test_rules_make_files_fail_or_stick(start: Start) -> None:
    rules = (
        Rule(Action.FILE_FAILED, kind="upload_start", display_name="bad*"),
        Rule(Action.FILE_STUCK, kind="upload_bytes", display_name="slow*"),
    )
    bench = start(Scenario(simple_scenario(KEY).projects, rules=rules))
    assert bench.upload(name="bad one.mp4").state == types.FileState.FAILED
    assert bench.upload(name="slow one.mp4").state == types.FileState.PROCESSING
    assert bench.upload(name="good one.mp4").state == types.FileState.ACTIVE


def test_a_file_belongs_to_its_project_and_all_keys_of_it(start: Start) -> None:
    bench = start(TWO)
    file = bench.upload(key="key-of-project-one")
    assert bench.ask(file, "hi", key="other-key-of-one").text
    file_id = (file.name or "").removeprefix("files/")
    message = f"You do not have permission to access the File {file_id} or it may not exist."
    with pytest.raises(errors.ClientError) as caught:
        bench.ask(file, "hi", key="key-of-project-two")
    assert (caught.value.code, caught.value.status, caught.value.message) == (403, "PERMISSION_DENIED", message)
    with pytest.raises(errors.ClientError) as caught:
        bench.client("key-of-project-two").files.get(name=file.name or "")
    assert caught.value.message == message
    assert list(bench.client("key-of-project-two").files.list()) == []


def test_a_file_is_gone_after_48_hours_with_the_same_words(start: Start, clock: ManualClock) -> None:
    bench = start(clock=clock)
    file = bench.upload()
    clock.advance(48 * 3600 - 1)
    assert bench.ask(file, "hi").text
    clock.advance(1)
    with pytest.raises(errors.ClientError, match="You do not have permission to access the File"):
        bench.ask(file, "hi")


def test_files_and_storage_that_are_too_large_are_refused(start: Start) -> None:
    rules = FileRules(max_file_bytes=5000, max_project_bytes=8000)
    bench = start(Scenario(simple_scenario(KEY, limits=Limits()).projects, files=rules))
    with pytest.raises(errors.ClientError) as caught:
        bench.upload(video_bytes(10, padding=6000))
    assert caught.value.code == 400
    bench.upload(video_bytes(10, padding=4500))
    with pytest.raises(errors.ClientError, match="file_storage_bytes") as caught:
        bench.upload(video_bytes(10, padding=4500))
    assert caught.value.code == 429


def test_bytes_come_only_as_fast_as_the_scenario_says(start: Start) -> None:
    rules = FileRules(bytes_per_s=1_000_000)
    bench = start(Scenario(simple_scenario(KEY).projects, files=rules, time_factor=10))
    bench.upload(video_bytes(10, padding=2_000_000))
    entry = next(entry for entry in bench.server.log if entry.kind == "upload_bytes")
    assert entry.ended - entry.time >= 2.0  # emulator seconds


def test_an_inline_video_is_looked_at_like_an_uploaded_one(start: Start) -> None:
    bench = start()
    part = types.Part(inline_data=types.Blob(data=video_bytes(90), mime_type="video/mp4"))
    answer = bench.ask(part, "hi")
    assert "1 minute and 30 seconds" in (answer.text or "")
    with pytest.raises(errors.ClientError):
        bench.ask(types.Part(inline_data=types.Blob(data=b"nonsense", mime_type="video/mp4")), "hi", model=MODEL)
