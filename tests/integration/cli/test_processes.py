"""The command line as a process of its own: signals, pipes, locales, the demo, what is imported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.cli.conftest import KEY, VARIABLE, Home, child, environment

LIMIT_S = 60.0


def wait_until_asking(process: subprocess.Popen[str]) -> None:
    """Read the events of a run with --json until a question is in flight."""
    assert process.stdout is not None
    for line in process.stdout:
        event = json.loads(line)
        if event.get("step") == "generate" and event.get("state") == "running":
            return
    raise AssertionError(f"the run asked nothing: {process.stderr.read() if process.stderr else ''}")


def rest_of(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What comes after; the process has ended then."""
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        out, err = process.stdout.read(), process.stderr.read()
        process.wait(timeout=LIMIT_S)
    return out, err


def environment_of(home: Home) -> dict[str, str]:
    """For a child that shares the home."""
    return environment(GSVR_HOME=str(home.path), **{VARIABLE: KEY})


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_lets_what_is_in_flight_finish_and_leaves_the_rest(
    home: Home, clips: Path, tmp_path: Path, number: signal.Signals
) -> None:
    home.serve(base_s=0.5)
    process = child("run", clips, "--workers", "1", "--json", env=environment_of(home), cwd=tmp_path)
    wait_until_asking(process)
    process.send_signal(number)
    out, err = rest_of(process)
    assert process.returncode == 130, out + err
    if number is not signal.SIGHUP:  # then there is nobody to tell
        assert "stopping: what is in flight finishes first" in out
        assert json.loads(out.splitlines()[-1])["exit_code"] == 130
        assert json.loads(out.splitlines()[-1])["left"] == 2
        assert "go on with: gsvr-tui resume" in err
    resumed = home.call("resume")
    assert resumed.code == 0, resumed.err
    log = [entry for entry in home.servers[0].log if entry.kind == "generate"]
    assert len({entry.file_sha256 for entry in log}) == 3
    assert len(log) == 3  # what was in flight had finished: nothing was asked twice
    assert len(list(home.reports.glob("*.md"))) == 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_second_signal_stops_at_once(home: Home, clips: Path, tmp_path: Path) -> None:
    home.serve(base_s=40.0)
    process = child("run", clips, "--json", env=environment_of(home), cwd=tmp_path)
    wait_until_asking(process)
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    for line in process.stdout:
        if "stopping:" in line:
            break
    process.send_signal(signal.SIGINT)
    out, err = rest_of(process)
    assert process.returncode == 130, out + err
    assert "stopping at once" in out
    assert time.monotonic() - started < 20
    assert home.call("status", "--json").records[-1]["left"] == 3


def test_a_reader_that_goes_away_does_not_end_the_work(home: Home, clips: Path, tmp_path: Path) -> None:
    home.serve()
    process = child("run", clips, env=environment_of(home), cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=LIMIT_S) == 0, err
    process.stderr.close()
    assert "Traceback" not in err
    assert "BrokenPipe" not in err
    assert len(list(home.reports.glob("*.md"))) == 3


def test_json_is_utf8_whatever_the_locale(home: Home, clips: Path, tmp_path: Path) -> None:
    home.serve()
    (clips / "clip 0.mp4").rename(clips / "第一讲.mp4")
    env = environment_of(home) | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    with child("run", clips / "第一讲.mp4", "--json", env=env, cwd=tmp_path) as process:
        out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    assert records[-1]["event"] == "summary"
    assert any(record.get("name") == "第一讲.mp4" for record in records)


@pytest.mark.slow
def test_the_demo_gives_reports_without_key_or_network_and_leaves_the_home_alone(tmp_path: Path) -> None:
    env = environment(
        HOME=str(tmp_path / "nobody"), HTTPS_PROXY="http://127.0.0.1:9", XDG_CONFIG_HOME=str(tmp_path / "c")
    )
    (tmp_path / "work").mkdir()
    with child("demo", "--headless", env=env, cwd=tmp_path / "work") as process:
        out, err = process.communicate(timeout=90)
    assert process.returncode == 0, out + err
    assert "4 done in" in out
    assert "Next: " in out
    reports = sorted(path.name for path in (tmp_path / "work" / "gsvr-demo").iterdir())
    assert len(reports) == 8
    for path in (line.strip() for line in out.splitlines() if line.startswith("  /")):
        assert Path(path).stat().st_size > 500
    assert not (tmp_path / "c").exists()
    assert not (tmp_path / "nobody").exists()


HEAVY = ("google.genai", "textual", "pydantic", "av", "rich", "tinydb", "starlette", "cryptography")


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["--help"], ["run", "--help"], ["demo", "--help"], ["accounts", "--help"], ["doctor", "--help"]],
)
def test_help_and_version_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    program = (
        "import sys\nfrom gsvr_tui.cli import main\n"
        f"code = main({arguments!r})\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])\nsys.exit(code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert result.returncode == 0, result.stderr
    assert "HEAVY []" in result.stdout
