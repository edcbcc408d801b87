"""The server in a thread, as a command, its admin pages, and its look into real videos."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest
from google.genai import errors, types

from gsvr_tui.emulator import Action, EmulatorServer, Limits, ManualClock, Rule, Scenario, VideoFacts, simple_scenario
from gsvr_tui.media.samples import ClipSpec, make_clip

from .conftest import KEY, Bench, Start, text_probe, video_bytes


def test_a_server_starts_stops_and_starts_anew() -> None:
    server = EmulatorServer(simple_scenario(KEY), probe=text_probe)
    with server:
        assert httpx2.get(server.base_url + "/v1beta/models?key=" + KEY, verify=False).status_code == 200
        with pytest.raises(RuntimeError, match="running already"):
            server.start()
    server.stop()
    assert server.log[0].kind == "list_models"
    with EmulatorServer(simple_scenario(KEY), port=int(server.base_url.rsplit(":", 1)[1])) as again:
        assert again.base_url == server.base_url


def test_only_loopback_is_served() -> None:
    with pytest.raises(ValueError, match="loopback only"):
        EmulatorServer(simple_scenario(KEY), host="0.0.0.0")  # noqa: S104 - refused


def test_a_taken_port_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            EmulatorServer(simple_scenario(KEY), port=taken.getsockname()[1]).start()


def test_the_server_works_in_a_thread_that_is_not_the_main_one() -> None:
    urls: list[str] = []

    def run() -> None:
        with EmulatorServer(simple_scenario(KEY)) as server:
            urls.append(server.base_url)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert urls


def test_the_probes_own_failure_makes_a_failed_file(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    def broken(path: Path) -> VideoFacts | None:
        raise ZeroDivisionError(path)

    with caplog.at_level(logging.CRITICAL, logger="gsvr_tui.emulator.files"):
        assert start(probe=broken).upload().state == types.FileState.FAILED


def test_a_fault_of_the_emulator_shows_and_does_not_stop_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = start()
    monkeypatch.setattr("gsvr_tui.emulator.generate.make_reply", lambda *_: 1 / 0)
    logging.getLogger("gsvr_tui.emulator.api").setLevel(logging.CRITICAL)
    with pytest.raises(errors.ServerError, match="ZeroDivisionError"):
        bench.ask("hi")
    logging.getLogger("gsvr_tui.emulator.api").setLevel(logging.NOTSET)
    monkeypatch.undo()
    assert bench.ask("hi").text
    assert bench.server.log[0].outcome == "bug"


def test_real_videos_are_looked_into(start: Start, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "sample.mp4", ClipSpec(duration_s=3.0))
    bench = start(probe=None)
    file = bench.upload(path.read_bytes())
    assert file.state == types.FileState.ACTIVE
    assert file.video_metadata is not None
    assert float(file.video_metadata["videoDuration"].removesuffix("s")) == pytest.approx(3.0, abs=0.2)
    assert bench.upload(b"no video at all").state == types.FileState.FAILED


def test_admin_pages_show_the_log_the_state_and_the_counts(bench: Bench) -> None:
    bench.ask(bench.upload(), "hi")
    entries = bench.http.get("/__emulator__/log").json()
    assert [entry["kind"] for entry in entries] == ["upload_start", "upload_bytes", "generate"]
    assert [entry["n"] for entry in bench.http.get("/__emulator__/log?since=2").json()] == [3]
    assert bench.http.get("/__emulator__/stats").json()["by_kind"]["generate"] == 1
    state = bench.http.get("/__emulator__/state").json()
    assert state["projects"]["p1"]["state"] == "ok"
    assert state["files"][0]["duration_s"] == 184.4
    assert len(bench.server.log) == 3  # admin requests are no part of it
    assert bench.http.get("/__emulator__/nothing").status_code == 404


def test_answers_asked_for_twice_are_counted(bench: Bench) -> None:
    file = bench.upload()
    bench.server.add_rule(Rule(Action.EMPTY_TEXT, count=1))
    for _ in range(4):
        bench.ask(file, "hi")
    bench.ask(file, "something else")
    assert bench.server.stats()["answered_more_than_once"] == 2


def test_rules_limits_keys_and_the_clock_change_while_it_runs(start: Start, clock: ManualClock) -> None:
    bench = start(clock=clock)
    admin = "/__emulator__/"
    assert bench.http.post(admin + "rules", json={"action": "error_503", "count": 1}).json() == {"added": 1}
    with pytest.raises(errors.ServerError):
        bench.ask("hi")
    bench.server.add_rule(Rule(Action.ERROR_500))
    with pytest.raises(errors.ServerError):
        bench.ask("hi")
    bench.http.delete(admin + "rules")
    assert bench.ask("hi").text
    bench.http.post(admin + "project", json={"name": "p1", "limits": {"rpm": 1}})
    assert bench.ask("hi", model="gemini-3.6-flash").text
    with pytest.raises(errors.ClientError, match="exceeded your current quota"):
        bench.ask("hi", model="gemini-3.6-flash")
    assert bench.http.post(admin + "clock", json={"advance_s": 61}).json()["wall"] == clock.wall()
    assert bench.ask("hi", model="gemini-3.6-flash").text
    bench.http.post(admin + "key", json={"tail": KEY[-4:], "state": "leaked"})
    with pytest.raises(errors.ClientError, match="leaked"):
        bench.ask("hi")
    wrong = bench.http.post(admin + "rules", json={"action": "boom"})
    assert wrong.status_code == 400
    assert "rule.action: 'boom' is not known" in wrong.json()["error"]


def test_the_command_serves_until_told_to_stop(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.yaml"
    scenario.write_text(f"projects: [{{name: p, keys: [{KEY}], limits: {{rpm: 1}}}}]", encoding="utf-8")
    port_file, log = tmp_path / "port", tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "gsvr_tui.emulator", str(scenario), "--port-file", str(port_file)]
    options = ["--log", str(log), "--time-factor", "60", "--seed", "4"]
    with subprocess.Popen(command + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert base_url == f"http://127.0.0.1:{port_file.read_text().strip()}"
        answer = httpx2.post(
            base_url + "/v1beta/models/gemini-3.8-flash:generateContent",
            json={"contents": [{"parts": [{"text": "hi"}]}]},
            headers={"x-goog-api-key": KEY},
            verify=False,
        )
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "", "")
    assert log.read_text(encoding="utf-8").count("\n") == 1


def test_a_command_that_cannot_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gsvr_tui.emulator"]
    for arguments, words in (([str(tmp_path / "no.yaml")], "can't be read"), (["--time-factor", "0"], "above 0")):
        done = subprocess.run(command + arguments, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 2
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_large_uploads_never_sit_in_memory(start: Start, tmp_path: Path) -> None:
    seen: list[int] = []

    def probe(path: Path) -> VideoFacts | None:
        seen.append(path.stat().st_size)
        return VideoFacts(60.0)

    bench = start(Scenario(simple_scenario(KEY, limits=Limits()).projects), probe=probe)
    data = video_bytes(60, padding=40 * 1024 * 1024)
    assert bench.upload(data).state == types.FileState.ACTIVE
    assert seen == [len(data)]


def test_an_answer_does_not_wait_for_an_acknowledgement(bench: Bench) -> None:
    took = []
    for _ in range(10):
        started = time.perf_counter()
        bench.http.get("/v1beta/models", headers={"x-goog-api-key": KEY})
        took.append(time.perf_counter() - started)
    assert min(took) < 0.03  # with Nagle's algorithm on, each takes 40 ms
