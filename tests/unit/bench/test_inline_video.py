"""Peers send videos inside the request, in either alphabet of base64."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from gsvr_tui.emulator import EmulatorServer, Scenario
from gsvr_tui.emulator.probe import VideoFacts
from gsvr_tui.emulator.scenario import KeySpec, ProjectSpec

DATA = bytes(range(256)) * 3  # holds every letter of both alphabets


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_video_inside_the_request_arrives_as_it_was(encode: Callable[[bytes], bytes], tmp_path: Path) -> None:
    seen: list[bytes] = []

    def probe(path: Path) -> VideoFacts:
        seen.append(path.read_bytes())
        return VideoFacts(3.0)

    world = Scenario((ProjectSpec("p1", (KeySpec("key-number-one"),)),))
    part = {"inlineData": {"mimeType": "video/mp4", "data": encode(DATA).decode()}}
    body = {"contents": [{"role": "user", "parts": [part, {"text": "hi"}]}]}
    with EmulatorServer(world, folder=tmp_path, probe=probe) as server:
        url = f"{server.base_url}/v1beta/models/gemini-3.8-flash:generateContent"
        assert httpx2.post(url, json=body, headers={"x-goog-api-key": "key-number-one"}).status_code == 200
    assert seen == [DATA]
