"""Networks that lie, refuse or say nothing; too few file handles; a computer that slept."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gsvr_tui.core.messages import RunState
from gsvr_tui.core.models import JobState
from gsvr_tui.emulator import Action, Rule
from gsvr_tui.gemini import transport
from gsvr_tui.service import generate_step
from tests.integration.cli.conftest import KEY, VARIABLE, Home, environment
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account, world

Clips = Callable[[int], Path]


class Gate:
    """Stands between the service and the emulator, and passes on, answers itself, or says nothing."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", int(target.rsplit(":", 1)[1]))
        self.answer: bytes | None = None  # instead of the emulator's
        self.silent = False
        self.open: list[socket.socket] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.silent:
                while client.recv(65_536):
                    pass
                return
            if self.answer is not None:
                client.recv(65_536)
                client.sendall(self.answer)
                client.shutdown(socket.SHUT_RDWR)
                return
            with socket.create_connection(self._target) as server:
                back = threading.Thread(target=self._pipe, args=(server, client), daemon=True)
                back.start()
                self._pipe(client, server)
                back.join(10)

    @staticmethod
    def _pipe(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._server.close()
        for client in self.open:
            client.close()


@pytest.fixture
def gated(make_rig: MakeRig) -> Iterator[tuple[Rig, Gate]]:
    rig = make_rig()
    gate = Gate(rig.server.base_url)
    yield rig, gate
    rig.close(drain=False)
    gate.close()


def page(status: str, body: str, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: text/html", *headers]
    return "\r\n".join([*head, "Connection: close", "", body]).encode()


PORTAL = page("200 OK", "<!DOCTYPE html><html><body>Welcome to Hotel WiFi. Please log in.</body></html>")
PROXY = page("407 Proxy Authentication Required", "<html>who are you</html>", 'Proxy-Authenticate: Basic realm="x"')


@pytest.mark.parametrize(("answer", "words"), [(PORTAL, "login"), (PROXY, "proxy")], ids=["portal", "proxy 407"])
def test_a_login_page_or_a_proxy_pauses_everything_costs_nothing_and_passes_by_itself(
    gated: tuple[Rig, Gate], clips: Clips, answer: bytes, words: str
) -> None:
    rig, gate = gated
    gate.answer = answer
    rig.open([account("p1")], base_url=gate.url)
    jobs = rig.add(clips(3))
    rig.wait_for(lambda: rig.status is not None and rig.status.state is RunState.RESTING)
    assert rig.status is not None
    assert words in rig.status.reason
    asked = gate.connections
    assert asked <= 4  # one goes to see, not every job
    gate.answer = None
    rig.wait_until(JobState.DONE, *jobs)
    assert {rig.rows[job].attempts for job in jobs} == {0}
    assert len(rig.generates()) == 3
    assert rig.account("p1").note == "" or "login" not in rig.account("p1").note


def test_a_black_hole_ends_and_what_was_in_it_is_kept_as_spent(
    gated: tuple[Rig, Gate], clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line takes the request and never says anything again."""
    monkeypatch.setattr(generate_step, "LONGEST_ANSWER_S", 1.0)
    rig, gate = gated
    rig.open([account("p1")], base_url=gate.url, workers=1)
    folder = clips(2)
    (first,) = rig.add(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, first)
    rig.server.add_rule(Rule(Action.HANG, count=1))
    (job,) = rig.add(folder / "clip1.mp4")
    rig.wait_for(lambda: rig.rows[job].state is JobState.WAITING)
    spent = rig.rows[job].cost_usd
    assert spent > 0
    rig.wait_until(JobState.DONE, job)
    assert rig.rows[job].cost_usd > spent
    assert rig.rows[job].attempts == 0


def test_an_upload_into_a_black_hole_ends_and_is_done_again(
    make_rig: MakeRig, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gsvr_tui.gemini import upload

    monkeypatch.setattr(upload, "_ANSWER_S", 0.5)
    rig = make_rig(world(rules=[Rule(Action.HANG, kind="upload_bytes", count=1)]))
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert rig.rows[job].attempts == 0


def test_the_limits_of_the_line_are_those_that_are_promised() -> None:
    assert transport.CONNECT_S == 10.0
    assert transport.WRITE_S == 60.0
    assert generate_step.LONGEST_ANSWER_S >= 600.0


def test_after_a_sleep_connections_are_made_anew_and_the_work_goes_on(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig(frozen=True)
    rig.open([account("p1")], workers=1)
    folder = clips(2)
    (first,) = rig.add(folder / "clip0.mp4")
    rig.wait_until(JobState.DONE, first)
    assert rig.session is not None
    engine = rig.session.service._engine
    before = dict(engine.gateways._ready)
    assert rig.emulated is not None
    rig.emulated.advance(8 * 3600)  # the wall clock only: the other one stood still
    jobs = rig.add(folder)
    rig.wait_until(JobState.DONE, *jobs)
    assert any("slept" in line.message for line in rig.logs)
    assert engine.gateways._ready["p1"] is not before["p1"]


# ---------------------------------------------------------------- few file handles


def end_of(process: subprocess.Popen[str], words: str, limit_s: float = 60.0) -> str:
    """What it says until it ends or says `words`; then it is ended."""
    assert process.stdout is not None
    said = ""
    timer = threading.Timer(limit_s, process.kill)
    timer.start()
    for line in process.stdout:
        said += line
        if words in line.lower():
            process.kill()
    timer.cancel()
    process.wait()
    process.stdout.close()
    return said


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
@pytest.mark.parametrize("limit", [12, 16, 20, 24])
def test_too_few_file_handles_are_told_with_what_to_do_or_worked_with(
    home: Home, clip_library: Path, tmp_path: Path, limit: int
) -> None:
    """Whatever the limit: a clear message, or all done; never a traceback, and nothing is asked twice."""
    home.serve()
    env = environment(GSVR_HOME=str(home.path), **{VARIABLE: KEY})
    program = (
        f"import resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))\n"
        "from gsvr_tui.cli import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", str(clip_library), "--yes"],
        env=env,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = end_of(process, "open files")
    assert "Traceback" not in said
    assert process.returncode == 0 or "open files" in said.lower(), said
    if process.returncode:
        assert "ulimit -n" in said
    again = home.call("run", clip_library)
    assert again.code == 0, again.err
    assert home.call("verify").code == 0
    asked = [entry.file_sha256 for entry in home.servers[0].log if entry.kind == "generate"]
    assert len(asked) == len(set(asked)) == 3
