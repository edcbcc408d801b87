"""The real SDK, sync and async, over real HTTP: upload, wait, generate, stream, count, list, delete."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from typing import Any

import pytest
from google.genai import errors, types

from .conftest import KEY, MODEL, Bench, Start, video_bytes

SCHEMA = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "chapters": {
            "type": "array",
            "items": {"type": "object", "properties": {"start": {"type": "string"}, "title": {"type": "string"}}},
        },
    },
}


def test_an_upload_of_several_pieces_becomes_an_active_file_with_its_real_length(bench: Bench) -> None:
    data = video_bytes(184.4, padding=9 * 1024 * 1024)
    file = bench.upload(data, name="讲座 ☕.mp4")
    assert file.state == types.FileState.ACTIVE
    assert file.display_name == "讲座 ☕.mp4"
    assert file.size_bytes == len(data)
    assert file.video_metadata == {"videoDuration": "184.4s"}
    digest = hashlib.sha256(data).hexdigest()
    assert base64.b64decode(file.sha256_hash or "").decode() == digest
    assert file.expiration_time is not None
    assert file.create_time is not None
    assert (file.expiration_time - file.create_time).total_seconds() == 48 * 3600
    pieces = [entry for entry in bench.server.log if entry.kind == "upload_bytes"]
    assert len(pieces) == 2
    assert pieces[-1].file_sha256 == digest


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_a_video_and_a_schema_give_json_that_fits(bench: Bench, version: str) -> None:
    file = bench.upload()
    answer = bench.ask(
        file,
        "Report.\nOutput language: en",
        version=version,
        response_mime_type="application/json",
        response_json_schema=SCHEMA,
    )
    data = json.loads(answer.text or "")
    assert set(data) == {"summary", "chapters"}
    assert "3 minutes and 4 seconds" in data["summary"]
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.model_version == MODEL
    assert answer.response_id


async def test_the_async_client_streams_blocks_with_running_usage(bench: Bench) -> None:
    client = bench.client()
    file = await client.aio.files.upload(
        file=io.BytesIO(video_bytes(600)), config=types.UploadFileConfig(mime_type="video/mp4")
    )
    contents: list[Any] = [file, "Tell me."]
    stream = await client.aio.models.generate_content_stream(model=MODEL, contents=contents)
    blocks = [block async for block in stream]
    await client.aio.aclose()
    assert len(blocks) > 3
    counts = [block.usage_metadata.candidates_token_count or 0 for block in blocks if block.usage_metadata]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
    reasons = [block.candidates[0].finish_reason for block in blocks if block.candidates]
    assert reasons[-1] == types.FinishReason.STOP
    assert not any(reasons[:-1])
    assert "10 minutes" in "".join(block.text or "" for block in blocks)


def test_a_stream_without_sse_is_one_json_list(bench: Bench) -> None:
    answer = bench.post("streamGenerateContent", {"contents": [{"parts": [{"text": "hi"}]}]})
    blocks = answer.json()
    assert isinstance(blocks, list)
    assert blocks[-1]["candidates"][0]["finishReason"] == "STOP"


def test_files_are_listed_in_pages_and_deleted(bench: Bench) -> None:
    names = {bench.upload(video_bytes(mark=str(index)), name=f"{index}.mp4").name for index in range(5)}
    client = bench.client()
    pager = client.files.list(config=types.ListFilesConfig(page_size=2))
    assert len(pager.page) == 2
    assert {file.name for file in pager} == names
    gone = names.pop()
    client.files.delete(name=gone or "")
    assert {file.name for file in client.files.list()} == names
    with pytest.raises(errors.ClientError) as caught:
        client.files.get(name=gone or "")
    assert caught.value.code == 403


def test_no_files_are_an_empty_object(bench: Bench) -> None:
    assert bench.http.get("/v1beta/files", headers={"x-goog-api-key": KEY}).json() == {}


def test_a_file_may_bring_its_own_name_once(bench: Bench) -> None:
    assert bench.upload(name="x", **{}).name
    client = bench.client()
    config = types.UploadFileConfig(name="lecture-01", mime_type="video/mp4")
    assert client.files.upload(file=io.BytesIO(video_bytes()), config=config).name == "files/lecture-01"
    with pytest.raises(errors.ClientError) as caught:
        client.files.upload(file=io.BytesIO(video_bytes()), config=config)
    assert caught.value.code == 409


def test_tokens_of_a_video_are_counted(bench: Bench) -> None:
    file = bench.upload(video_bytes(100))
    counted = bench.client().models.count_tokens(model=MODEL, contents=file)
    assert counted.total_tokens == 100 * 70 + 100 * 25


def test_models_are_listed_and_found(bench: Bench) -> None:
    client = bench.client()
    names = {model.name for model in client.models.list()}
    assert f"models/{MODEL}" in names
    assert "models/gemini-2.0-flash" not in names
    assert client.models.get(model=MODEL).input_token_limit == 1_048_576


def test_the_log_tells_what_was_asked_and_never_the_key(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "sub" / "log.jsonl"
    bench = start(log_path=path)
    file = bench.upload()
    answer = bench.ask(file, "hi")
    bench.ask("again")
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [entry["kind"] for entry in entries] == ["upload_start", "upload_bytes", "generate", "generate"]
    asked = entries[2]
    assert asked["response_id"] == answer.response_id
    assert asked["outcome"] == "answered"
    assert asked["display_name"] == "a.mp4"
    assert asked["prompt_tokens"] == answer.usage_metadata.prompt_token_count  # type: ignore[union-attr]
    assert asked["key_tail"] == KEY[-4:]
    assert entries[2]["prompt_hash"] != entries[3]["prompt_hash"]
    assert KEY not in path.read_text(encoding="utf-8")
    assert bench.server.stats()["generate"] == {"answered": 2}
