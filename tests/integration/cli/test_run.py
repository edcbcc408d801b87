"""`run`, `resume`, `retry`, `render` and `status` against a Gemini over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gsvr_tui.emulator import Action, Limits, Rule
from tests.integration.cli.conftest import KEY, Home


def generated(home: Home) -> list[str]:
    """Contents that were answered, one for each answer."""
    return [
        entry.file_sha256 for entry in home.servers[0].log if entry.kind == "generate" and entry.outcome == "answered"
    ]


def test_a_run_turns_videos_into_reports_and_says_where(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call("run", clips)
    assert result.code == 0, result.err
    assert "3 done in" in result.out
    for number in range(3):
        assert f"done      clip {number}.mp4 → {home.reports / f'clip-{number}.md'}" in result.out
        report = json.loads((home.reports / f"clip-{number}.json").read_text("utf-8"))
        assert report["source"]["duration_s"] == pytest.approx(8, abs=0.5)
    assert len(set(generated(home))) == len(generated(home)) == 3


def test_a_second_run_over_the_same_videos_sends_nothing(home: Home, clips: Path) -> None:
    home.serve()
    assert home.call("run", clips).code == 0
    again = home.call("run", clips)
    assert again.code == 0
    assert "in the queue already" in again.err
    assert len(generated(home)) == 3


def test_json_lines_end_with_the_summary_and_hold_no_key(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call("run", clips, "--json")
    assert result.code == 0, result.err
    records = result.records
    assert records[-1]["event"] == "summary"
    assert records[-1]["counts"] == {"done": 3}
    assert records[-1]["exit_code"] == 0
    assert sorted(Path(path).name for path in records[-1]["outputs"]) == sorted(
        f"clip-{number}.{suffix}" for number in range(3) for suffix in ("md", "json")
    )
    ended = [record for record in records if record["event"] == "job" and record["state"] == "done"]
    assert sorted(record["name"] for record in ended) == ["clip 0.mp4", "clip 1.mp4", "clip 2.mp4"]
    assert KEY not in result.out + result.err


def test_a_name_that_is_not_utf8_gives_a_report_and_valid_json(home: Home, clips: Path) -> None:
    home.serve()
    strange = Path(str(clips / "clip 0.mp4").replace("clip 0", "caf\udce9"))
    try:
        (clips / "clip 0.mp4").rename(strange)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    result = home.call("run", strange, "--json")
    assert result.code == 0, result.err
    assert result.records[-1]["counts"] == {"done": 1}
    assert any(record.get("name") == "caf\\xe9.mp4" for record in result.records)


def test_bad_files_fail_one_by_one_and_the_others_go_on(home: Home, clips: Path) -> None:
    home.serve()
    whole = (clips / "clip 0.mp4").read_bytes()
    (clips / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (clips / "text.mp4").write_text("no video")
    (clips / "empty.mp4").write_bytes(b"")
    result = home.call("run", clips)
    assert result.code == 1
    assert "empty.mp4: the file is empty" in result.err
    assert "failed    text.mp4: it is not a video" in result.out
    assert "failed    cut.mp4: it" in result.out
    assert "3 done, 2 failed, 1 left out" in result.out
    assert "Traceback" not in result.out + result.err


def test_a_file_named_twice_is_done_once(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call("run", clips / "clip 0.mp4", clips / "clip 0.mp4")
    assert result.code == 0, result.err
    assert "the same file as one found before" in result.err
    assert len(generated(home)) == 1


def test_a_failed_job_is_shown_retried_and_resumed(home: Home, clips: Path) -> None:
    home.serve()
    video = clips / "clip 1.mp4"
    good = video.read_bytes()
    video.write_text("spoilt")
    assert home.call("run", clips).code == 1
    shown = home.call("status")
    assert "clip 1.mp4: it is not a video" in shown.out
    video.write_bytes(good)
    assert "1 queued again" in home.call("retry", "--failed").out
    result = home.call("resume")
    assert result.code == 0, result.err
    assert "1 done in" in result.out
    assert home.call("status", "--json").records[-1]["counts"] == {"done": 3}
    assert len(generated(home)) == 3


def test_jobs_can_be_held_released_cancelled(home: Home, clips: Path) -> None:
    server = home.serve()
    server.add_rule(Rule(Action.ERROR_429_DAY))
    assert home.call("run", clips, "--no-wait").code == 3
    assert "3 held" in home.call("pause", "--all").out
    assert home.call("resume").code == 1
    assert "1 cancelled" in home.call("cancel", "clip 2.mp4").out
    left = home.call("status", "--json").records[-1]
    assert left["counts"] == {"held": 2, "cancelled": 1}


def test_a_cap_ends_the_run_before_it_is_passed(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call("run", clips, "--max-cost", "0.00001", "--no-wait")
    assert result.code == 3
    assert "the cap for this batch is $0.00" in result.err
    assert "gsvr-tui resume --max-cost" in result.err
    assert not generated(home)


def test_a_used_up_day_ends_a_run_that_does_not_wait(home: Home, clips: Path) -> None:
    home.serve(limits=Limits(rpd=1))
    result = home.call("run", clips, "--workers", "1", "--no-wait", "-m", "gemini-3.5-flash-lite")
    assert result.code == 3, result.out + result.err
    assert "1 done, 2 to go" in result.out
    assert "gsvr-tui resume" in result.err


def test_a_dead_key_ends_the_run_with_what_to_do(home: Home, clips: Path) -> None:
    from gsvr_tui.emulator import KeyState

    home.serve(key={"state": KeyState.INVALID})
    result = home.call("run", clips)
    assert result.code == 2
    assert "no account can be used (anna: " in result.err
    assert "gsvr-tui accounts" in result.err
    assert home.call("status", "--json").records[-1]["left"] == 3


def test_a_variable_that_is_not_set_is_named(home: Home, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.serve()
    monkeypatch.delenv("GSVR_TEST_KEY")
    result = home.call("run", clips)
    assert result.code == 2
    assert "GSVR_TEST_KEY is not set" in result.err


def test_reports_are_written_again_without_a_request(home: Home, clips: Path, tmp_path: Path) -> None:
    home.serve()
    assert home.call("run", clips).code == 0
    before = len(home.servers[0].log)
    (home.reports / "clip-0.md").unlink()
    assert home.call("render", clips / "clip 0.mp4").code == 0
    assert (home.reports / "clip-0.md").exists()
    result = home.call("render", "-o", tmp_path / "elsewhere", "--format", "markdown")
    assert result.code == 0, result.err
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["clip-0.md", "clip-1.md", "clip-2.md"]
    assert len(home.servers[0].log) == before


def test_status_and_pause_while_another_process_is_at_work(home: Home, clips: Path) -> None:
    from gsvr_tui.config.places import find_places
    from gsvr_tui.store import Store

    home.serve()
    assert home.call("run", clips).code == 0
    store = Store.open(find_places({"GSVR_HOME": str(home.path)}).state)
    try:
        assert home.call("status").code == 0
        refused = home.call("retry", "clip 0.mp4")
        assert refused.code == 2
        assert "another gsvr-tui is at work here: process" in refused.err
        assert "p pauses" in refused.err
    finally:
        store.close()


def test_the_template_model_and_parameters_of_the_call_are_used(home: Home, clips: Path) -> None:
    home.serve()
    result = home.call(
        "run", clips / "clip 0.mp4", "-t", "summary_report", "-p", "points=2", "-m", "gemini-3.5-flash-lite",
        "--format", "json", "-o", home.path / "other",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert [path.name for path in (home.path / "other").iterdir()] == ["clip-0.json"]
    asked = [entry for entry in home.servers[0].log if entry.kind == "generate"]
    assert {entry.model for entry in asked} == {"gemini-3.5-flash-lite"}
