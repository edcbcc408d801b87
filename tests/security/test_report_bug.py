"""The bundle for a bug report says what helps, and nothing that is anybody's own."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from gsvr_tui.commands.bug_bundle import Scrubber
from gsvr_tui.core.secret import Secret
from gsvr_tui.secrets.leak_scan import LeakScan
from gsvr_tui.secrets.redact import Redactor
from tests.integration.cli.conftest import KEY, VARIABLE, Home

CANARY = "AQ.Ab8RN6CANARYq7Zp4Xv2Lm9Tk3Wd5Hs1Jf"


def parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def used(home: Home, clips: Path) -> Home:
    home.serve()
    (clips / "clip 0.mp4").rename(clips / "Geheimnis von Anna.mp4")
    (clips / "clip 1.mp4").write_text("spoilt")
    assert home.call("run", clips).code == 1
    return home


def test_the_bundle_says_what_helps(used: Home, tmp_path: Path) -> None:
    result = used.call("report-bug", "-o", tmp_path / "bug.zip")
    assert result.code == 0, result.err
    assert "Searched for 1 key: none is in it." in result.out
    found = parts(tmp_path / "bug.zip")
    report = json.loads(found["report.json"])
    assert any(finding["what"] == "version" for finding in report["findings"])
    assert report["queue"]["jobs_by_state_and_step"]["done/end"] == 2
    assert report["queue"]["jobs_by_reason"]
    assert report["config"]["accounts"][0]["key"] == "env"
    assert [json.loads(line)["level"] for line in found["log.jsonl"].splitlines()]
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "bug.zip").stat().st_mode) == 0o600


def test_no_name_of_the_users_is_in_it(used: Home, tmp_path: Path) -> None:
    used.call("report-bug", "-o", tmp_path / "bug.zip")
    text = "".join(parts(tmp_path / "bug.zip").values())
    for name in ("Geheimnis", "clip 2", "clip-2", str(tmp_path), str(used.path), VARIABLE, "anna", KEY):
        assert name not in text, name


def test_what_is_shown_is_what_would_be_written(used: Home, tmp_path: Path) -> None:
    shown = used.call("report-bug", "--show")
    assert shown.code == 0
    assert "== report.json" in shown.out
    assert not list(tmp_path.glob("*.zip"))


def test_a_file_that_is_there_is_not_overwritten(used: Home, tmp_path: Path) -> None:
    (tmp_path / "bug.zip").write_text("mine")
    result = used.call("report-bug", "-o", tmp_path / "bug.zip")
    assert result.code == 2
    assert "is there already" in result.err
    assert (tmp_path / "bug.zip").read_text() == "mine"


def test_a_key_that_came_through_the_redaction_stops_everything(
    used: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the redactor were broken: the last search does not depend on it."""
    logs = next(used.path.glob("logs/*.jsonl"))
    with logs.open("a") as file:
        file.write(json.dumps({"at": "x", "level": "error", "source": "s", "message": f"asked with {KEY}"}) + "\n")
    monkeypatch.setattr(Redactor, "redact", lambda self, text: text)
    result = used.call("report-bug", "-o", tmp_path / "bug.zip")
    assert result.code == 1
    assert "nothing was written: a piece of a key of yours was found in log.jsonl" in result.err
    assert KEY not in result.err
    assert not (tmp_path / "bug.zip").exists()


def test_a_broken_config_and_a_damaged_state_do_not_keep_it_from_being_made(used: Home, tmp_path: Path) -> None:
    used.config.write_text("accounts: [")
    for journal in (used.path / "state").glob("state.json.journal.*"):
        data = journal.read_bytes()
        journal.write_bytes(data[: len(data) // 2] + b"#" + data[len(data) // 2 + 1 :])
    result = used.call("report-bug", "-o", tmp_path / "bug.zip")
    assert result.code == 0, result.err
    report = json.loads(parts(tmp_path / "bug.zip")["report.json"])
    assert report["config"] == {"readable": False}
    assert report["queue"]["readable"] is False


@pytest.mark.parametrize(
    ("text", "kept", "gone"),
    [
        ("left out: /home/anna/Filme/a b.mp4: empty", "left out:", "anna"),
        (r"can't read C:\Users\Anna\x.mp4", "can't read", "Anna"),
        ('File "/opt/venv/lib/python3.11/site-packages/httpx2/_client.py", line 9', "httpx2/_client.py", "/opt"),
        ('File "/home/anna/src/gsvr_tui/service/engine.py", line 3, in run', "gsvr_tui/service/engine.py", "anna"),
        ("requests go to https://proxy.school.example:8080/v1?key=abc", "https://<host>", "school"),
        (
            "asked https://generativelanguage.googleapis.com/v1beta/models",
            "generativelanguage.googleapis.com",
            "v1beta",
        ),
        ("~/Videos/geheim.mp4 failed", "failed", "geheim"),
    ],
)
def test_paths_and_hosts_are_taken_out_and_our_own_lines_stay(text: str, kept: str, gone: str) -> None:
    scrubber = Scrubber(Redactor())
    scrubber.learn("video", ["/home/anna/Filme/a b.mp4"])
    cleaned = scrubber.clean(text)
    assert kept in cleaned
    assert gone not in cleaned


def test_the_last_search_finds_a_key_in_every_form_and_nothing_in_plain_text() -> None:
    import base64
    from urllib.parse import quote

    scan = LeakScan([Secret(CANARY)])
    body = CANARY.removeprefix("AQ.")
    for text in (
        CANARY,
        body[5:15],
        base64.b64encode(CANARY.encode()).decode(),
        base64.b64encode(b"x" + CANARY.encode()).decode(),
        base64.b64encode(b"xy" + CANARY.encode() + b"z").decode(),
        quote(CANARY, safe=""),
        CANARY.encode().hex(),
        body[::-1],
        "AIza" + "x" * 35,
        "AQ." + "y" * 30,
        "https://host/upload?upload_id=A1234567890abc",
    ):
        assert scan.find(f"before {text} after"), text
    assert scan.find("The quick brown fox; gemini-3.8-flash; 200 requests, files/abc-123, key: env") == ""
    assert CANARY not in repr(scan)
