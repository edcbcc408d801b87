"""A video through everything: file, upload, Gemini over HTTP, checked report. GSVR_TEST_VIDEO names one of your own."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Home

OWN = os.environ.get("GSVR_TEST_VIDEO", "")


@pytest.mark.timeout(600)
def test_a_video_becomes_a_checked_report(home: Home, clip_library: Path) -> None:
    video = Path(OWN).expanduser().absolute() if OWN else clip_library / "clip 0.mp4"
    server = home.serve()
    result = home.call("run", video, "--yes")
    assert result.code == 0, result.out + result.err
    (text,) = home.reports.glob("*.md")
    (data,) = home.reports.glob("*.json")
    report = json.loads(data.read_text("utf-8"))
    assert report["source"]["name"] == video.name
    assert report["source"]["duration_s"] > 0
    assert report["gate"]["verdict"] in ("ok", "repaired")
    assert len(text.read_text("utf-8")) > 200
    uploaded = {entry.file_sha256 for entry in server.log if entry.kind == "generate"}
    assert len(uploaded) == 1
