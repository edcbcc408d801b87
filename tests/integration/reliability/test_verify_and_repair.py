"""`verify` finds whatever is not as recorded and says what to do; doing it helps. `repair` saves a damaged state."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Home


@pytest.fixture
def clips(clip_library: Path, tmp_path: Path) -> Path:
    """A folder with three videos."""
    return Path(shutil.copytree(clip_library, tmp_path / "videos"))


def done(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call("run", clips)
    assert result.code == 0, result.err


def answers(home: Home) -> list[Path]:
    return sorted((home.path / "state" / "answers").glob("*/*.json"))


def troubles(home: Home) -> dict[str, list[str]]:
    """Codes → names of videos."""
    result = home.call("verify", "--json")
    found: dict[str, list[str]] = {}
    for record in result.records[:-1]:
        assert record["message"]
        assert record["advice"]
        found.setdefault(record["code"], []).append(record["name"])
    wrong = sum(len(names) for code, names in found.items() if code != "REPORT_CHANGED")
    assert result.records[-1]["wrong"] == wrong
    assert result.code == (1 if wrong else 0)
    return found


def test_a_good_run_is_as_recorded_and_looking_changes_and_sends_nothing(home: Home, clips: Path) -> None:
    done(home, clips)
    sent = len(home.servers[0].log)
    before = {path: path.stat().st_mtime_ns for path in home.path.rglob("*") if path.is_file()}
    result = home.call("verify")
    assert result.code == 0, result.out
    assert result.out == "All is as recorded: 3 jobs, 3 answers, 6 reports.\n"
    assert {path: path.stat().st_mtime_ns for path in home.path.rglob("*") if path.is_file()} == before
    assert len(home.servers[0].log) == sent


def test_an_empty_queue_is_as_recorded(home: Home) -> None:
    home.write("http://127.0.0.1:1")
    assert home.call("verify").code == 0


def test_a_missing_report_is_found_and_rendering_puts_it_right_at_no_cost(home: Home, clips: Path) -> None:
    done(home, clips)
    sent = len(home.servers[0].log)
    (home.reports / "clip-1.md").unlink()
    assert troubles(home) == {"REPORT_MISSING": ["clip 1.mp4"]}
    (advice,) = [r["advice"] for r in home.call("verify", "--json").records if r["event"] == "trouble"]
    job = advice.rsplit(" ", 1)[1]
    assert home.call("render", job).code == 0
    assert troubles(home) == {}
    assert len(home.servers[0].log) == sent


def test_a_report_that_somebody_edited_is_told_and_is_no_fault(home: Home, clips: Path) -> None:
    done(home, clips)
    with (home.reports / "clip-0.md").open("a") as file:
        file.write("my own note\n")
    assert troubles(home) == {"REPORT_CHANGED": ["clip 0.mp4"]}


def test_a_damaged_and_a_missing_answer_are_found_and_asked_again(home: Home, clips: Path) -> None:
    done(home, clips)
    first, second, _ = answers(home)
    data = bytearray(first.read_bytes())
    data[-20] ^= 1
    first.write_bytes(bytes(data))
    second.unlink()
    found = troubles(home)
    assert sorted(found) == ["ANSWER_DAMAGED", "ANSWER_MISSING"]
    advice = [r["advice"] for r in home.call("verify", "--json").records if r["event"] == "trouble"]
    jobs = [text.split("gsvr-tui retry ")[1].split(",")[0] for text in advice]
    assert home.call("retry", *jobs).code == 0
    assert home.call("resume").code == 0
    assert troubles(home) == {}
    asked = [entry.file_sha256 for entry in home.servers[0].log if entry.kind == "generate"]
    assert len(asked) == 5


def test_a_damaged_state_is_refused_repaired_and_pays_for_nothing_again(home: Home, clips: Path) -> None:
    done(home, clips)
    sent = len([entry for entry in home.servers[0].log if entry.kind == "generate"])
    journal = next((home.path / "state").glob("state.json.journal.*"))
    lines = journal.read_bytes().split(b"\n")
    middle = len(lines) // 2
    lines[middle] = lines[middle].replace(b'"', b"'", 1)
    journal.write_bytes(b"\n".join(lines))
    for command in (["status"], ["resume"], ["run", clips], ["verify"]):
        refused = home.call(*command)
        assert refused.code == 2, command
        assert journal.name in refused.err
        assert "gsvr-tui repair" in refused.err
        assert "Traceback" not in refused.err
    repaired = home.call("repair")
    assert repaired.code == 0, repaired.err
    assert "3 jobs saved" in repaired.out
    copy = Path(repaired.out.split("Everything as it was found is in ")[1].splitlines()[0])
    assert any(path.read_bytes() == b"\n".join(lines) for path in copy.rglob("*") if path.is_file())
    resumed = home.call("run", clips)
    assert resumed.code == 0, resumed.err + resumed.out
    assert home.call("status", "--json").records[-1]["counts"] == {"done": 3}
    assert len([entry for entry in home.servers[0].log if entry.kind == "generate"]) == sent
    for number in range(3):
        assert json.loads((home.reports / f"clip-{number}.json").read_text("utf-8"))
