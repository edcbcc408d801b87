"""Every mistake gets a message that names the thing and the way out, the right exit code, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gsvr_tui.emulator import KeyState
from tests.integration.cli.conftest import KEY, Home, Result


def refused(result: Result, *words: str) -> None:
    """Exit 2, the words on stderr, no traceback, nothing on stdout."""
    assert result.code == 2, result.out + result.err
    assert result.err.startswith("gsvr-tui: ") or "\ngsvr-tui: " in result.err
    assert "Traceback" not in result.err
    for word in words:
        assert word in result.err, result.err


def test_without_an_account_a_run_says_how_to_get_one(home: Home, clips: Path) -> None:
    refused(home.call("run", clips), "there is no account", "gsvr-tui accounts add main", "gsvr-tui demo")


def test_a_key_in_the_environment_is_pointed_at(home: Home, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "not-shown-anywhere-1")
    result = home.call("run", clips)
    refused(result, "gsvr-tui accounts add main --env GEMINI_API_KEY")
    assert "not-shown" not in result.err


def test_a_video_that_is_not_there(home: Home, tmp_path: Path) -> None:
    home.write("http://127.0.0.1:9")
    refused(home.call("run", tmp_path / "gone.mp4"), "gone.mp4: the file is not there")


def test_an_empty_video(home: Home, tmp_path: Path) -> None:
    home.write("http://127.0.0.1:9")
    (tmp_path / "empty.mp4").touch()
    refused(home.call("run", tmp_path / "empty.mp4"), "empty.mp4: the file is empty")


def test_a_folder_without_videos(home: Home, tmp_path: Path) -> None:
    home.write("http://127.0.0.1:9")
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("x")
    refused(home.call("run", tmp_path / "papers"), "papers: there are no new videos in this folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_and_a_link_to_nothing_do_not_hang_the_run(home: Home, tmp_path: Path) -> None:
    home.write("http://127.0.0.1:9")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "nowhere.mp4")
    result = home.call("run", tmp_path / "pipe.mp4", tmp_path / "link.mp4")
    refused(result, "pipe.mp4: it is neither a file nor a folder", "link.mp4: the file is not there")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_video_that_may_not_be_read(home: Home, clips: Path) -> None:
    home.serve()
    (clips / "clip 0.mp4").chmod(0)
    result = home.call("run", clips)
    assert result.code == 1
    assert "clip 0.mp4" in result.out
    assert "2 done" in result.out


def test_a_video_larger_than_the_service_takes(home: Home, tmp_path: Path) -> None:
    home.serve()
    with (tmp_path / "huge.mp4").open("wb") as file:
        file.truncate(2 * 1024**3 + 1)  # a hole: takes no room
    result = home.call("run", tmp_path / "huge.mp4", "--yes")
    assert result.code == 1
    assert "failed    huge.mp4: 2.0 GB; the service takes at most 2 GB a file" in result.out
    assert not [entry for entry in home.servers[0].log if entry.kind.startswith("upload")]


def test_no_path_at_all(home: Home) -> None:
    refused(home.call("run"), "PATHS", "gsvr-tui run --help")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_an_unknown_model_is_named_with_its_nearest(home: Home, clips: Path, command: str) -> None:
    home.write("http://127.0.0.1:9")
    refused(home.call(command, clips, "-m", "gemini-3.8-flesh"), "'gemini-3.8-flesh'", "Did you mean gemini-3.8-flash")
    assert not home.call("status", "--json").records[-1]["batches"]


def test_an_unknown_template_is_named_with_its_nearest(home: Home, clips: Path) -> None:
    home.write("http://127.0.0.1:9")
    refused(home.call("run", clips, "-t", "sumary_report"), "summary_report", "gsvr-tui templates list")


def test_a_parameter_that_does_not_fit(home: Home, clips: Path) -> None:
    home.write("http://127.0.0.1:9")
    refused(home.call("run", clips, "-t", "summary_report", "-p", "points=many"), "points must be a whole number")
    refused(home.call("run", clips, "-p", "points"), "NAME=VALUE")


def test_an_unknown_format_language_and_worker_count(home: Home, clips: Path) -> None:
    home.write("http://127.0.0.1:9")
    refused(home.call("run", clips, "--format", "punched-card"), "there is no format 'punched-card'", "markdown")
    refused(home.call("run", clips, "--language", "Klingon!"), "not the code of a language")
    refused(home.call("run", clips, "--workers", "lots"), "auto")
    refused(home.call("run", clips, "--max-cost", "cheap"), "US dollars")


def test_an_output_folder_that_is_a_file(home: Home, clips: Path, tmp_path: Path) -> None:
    home.write("http://127.0.0.1:9")
    (tmp_path / "taken").write_text("a file")
    refused(home.call("run", clips, "-o", tmp_path / "taken"), "reports can't be written to", "-o DIR")


def test_a_config_that_is_wrong_is_told_with_its_line(home: Home, clips: Path) -> None:
    home.write("http://127.0.0.1:9", more="workers: seven\nmodle: x\n")
    result = home.call("run", clips)
    refused(result, "config.yaml:2: workers", "config.yaml:3: modle", "model")


def test_a_key_in_the_config_is_refused_and_not_shown(home: Home, clips: Path) -> None:
    home.path.mkdir()
    home.config.write_text("accounts:\n  - name: a\n    key: AIzaSyA-not-a-real-key-000000000000000001\n")
    result = home.call("run", clips)
    refused(result, "config.yaml:3")
    assert "AIza" not in result.err


def test_a_home_that_is_a_file(home: Home, clips: Path) -> None:
    home.path.write_text("x")
    refused(home.call("run", clips), "is not a folder", "GSVR_HOME")


def test_a_foreign_address_from_the_environment_gets_no_key(
    home: Home, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.path.mkdir()
    home.config.write_text("accounts:\n  - name: anna\n    key: {env: GSVR_TEST_KEY}\n    tier: free\n")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "https://gateway.example.org")
    refused(home.call("run", clips), "gateway.example.org is not Google", "account anna")


def test_an_address_of_this_machine_from_the_environment_is_used_and_shown(
    home: Home, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = home.serve()
    home.config.write_text("accounts:\n  - name: anna\n    key: {env: GSVR_TEST_KEY}\n    tier: free\n")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.base_url)
    result = home.call("run", clips / "clip 0.mp4")
    assert result.code == 0, result.err
    assert f"requests go to {server.base_url} (GOOGLE_GEMINI_BASE_URL), not to Google" in result.err


def test_a_dear_run_needs_a_cap_or_yes_where_nobody_can_be_asked(
    home: Home, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsvr_tui.commands.spending.ASK_FROM_USD", 0.001)
    home.serve()
    refused(home.call("run", clips), "may cost more than $1", "--max-cost USD", "--yes")
    assert not home.servers[0].log
    assert home.call("run", clips, "--max-cost", "5").code == 0


def test_unknown_commands_batches_and_jobs_are_named(home: Home) -> None:
    refused(home.call("rum"), "Did you mean run?")
    refused(home.call("resume", "nosuchbatch"), "there is no batch nosuchbatch")
    refused(home.call("retry", "nosuchjob"), "there is no job nosuchjob")
    refused(home.call("retry"), "--failed")


def test_the_app_needs_a_terminal(home: Home) -> None:
    refused(home.call(), "the app needs a terminal", "gsvr-tui run")


# ---------------------------------------------------------------- accounts


def test_a_key_as_an_argument_is_refused_and_not_repeated(home: Home) -> None:
    result = home.call("accounts", "add", "main", "AIzaSyA-not-a-real-key-000000000000000001")
    refused(result, "not given on the command line")
    assert "AIza" not in result.out + result.err
    assert not home.config.exists()


def test_an_account_is_added_checked_listed_and_removed(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import io

    server = home.serve()
    home.config.unlink()
    monkeypatch.setenv("GSVR_PASSPHRASE", "correct horse battery")
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY + "\n"))
    added = home.call(
        "accounts", "add", "main", "-", "--store", "vault", "--tier", "free", "--base-url", server.base_url
    )
    assert added.code == 0, added.err
    assert "in the vault" in added.out
    assert KEY not in added.out + added.err
    assert KEY.encode() not in b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    assert "vault main" in home.call("accounts", "list").out
    monkeypatch.setenv("GSVR_PASSPHRASE", "correct horse battery")
    checked = home.call("accounts", "check")
    assert checked.code == 0, checked.err
    assert "main: the key works" in checked.out
    monkeypatch.setenv("GSVR_PASSPHRASE", "correct horse battery")
    assert "its key too" in home.call("accounts", "remove", "main").out
    assert "There is no account" in home.call("accounts", "list").out


def test_a_key_that_does_not_work_is_not_kept(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    server = home.serve(key={"state": KeyState.INVALID})
    home.config.unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY))
    result = home.call("accounts", "add", "main", "-", "--store", "vault", "--base-url", server.base_url)
    refused(result, "the key was not added")
    assert KEY not in result.err
    assert not home.config.exists()
    assert not (home.path / "data" / "vault.json").exists()


def test_an_account_of_a_name_that_is_taken_or_impossible(home: Home) -> None:
    home.write("http://127.0.0.1:9")
    refused(
        home.call("accounts", "add", "anna", "--env", "GSVR_TEST_KEY", "--no-check"), "there is an account named anna"
    )
    refused(home.call("accounts", "add", "a/b", "--env", "GSVR_TEST_KEY", "--no-check"), "letters, digits")
    refused(home.call("accounts", "remove", "ben"), "there is no account named ben; there are anna")


def test_doctor_finds_what_is_wrong_and_goes_on(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write("http://127.0.0.1:9")
    monkeypatch.delenv("GSVR_TEST_KEY")
    result = home.call("doctor")
    assert result.code == 1
    assert "the variable GSVR_TEST_KEY is not set" in result.out
    home.write("http://127.0.0.1:9", more="workers: seven\n")
    records = home.call("doctor", "--json").records
    assert any(r["level"] == "error" and "config.yaml:2: workers" in r["message"] for r in records if "level" in r)
    assert any(r.get("what") == "clock" for r in records)
    assert records[-1]["errors"] == 1


def test_doctor_checks_keys_when_asked(home: Home) -> None:
    home.serve()
    result = home.call("doctor", "--check")
    assert result.code == 0, result.out
    assert "anna: the key works" in result.out


def test_a_plan_prices_the_videos_and_sends_nothing(home: Home, clips: Path) -> None:
    home.serve()
    (clips / "text.mp4").write_text("no video")
    (clips / "empty.mp4").touch()
    result = home.call("plan", clips)
    assert result.code == 1
    assert "3 videos, 24 s: 3 requests to gemini-3.8-flash" in result.out
    assert "text.mp4: it is not a video" in result.out
    assert "empty.mp4: the file is empty" in result.out
    assert "Done in about" in result.out
    records = home.call("plan", clips, "--json").records
    assert records[-1]["requests_by_project"] == {"p1": 3}
    assert 0 < records[-1]["usd_low"] < records[-1]["usd"] < records[-1]["usd_high"] < 0.2
    assert not home.servers[0].log
