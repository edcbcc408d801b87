"""An upload that a kill broke off goes on where the service says, and whatever is in doubt starts anew."""

from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gsvr_tui.config.places import find_places
from gsvr_tui.core.models import JobState
from gsvr_tui.emulator import EmulatorServer, FileRules, KeySpec, Latency, ProjectSpec, Scenario
from gsvr_tui.media.samples import ClipSpec, make_clip
from gsvr_tui.service.upload_sessions import PREFIX
from gsvr_tui.store import Store
from tests.integration.cli.conftest import KEY, VARIABLE, Home, child, environment
from tests.integration.service.conftest import MakeRig
from tests.integration.service.rig import Rig, account, world

MEGA = 1 << 20
LIMIT_S = 60.0
Clips = Callable[[int], Path]


def grown(path: Path, size: int) -> Path:
    """A real clip with a box of `size` bytes behind it, which players skip."""
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", 8 + size, b"free") + os.urandom(size))
    return path


def slow_rig(make_rig: MakeRig, bytes_per_s: float) -> Rig:
    return make_rig(world(files=FileRules(bytes_per_s=bytes_per_s)))


def sessions(rig: Rig) -> list[str]:
    assert rig.session is not None
    return rig.session.parts.store.meta_keys(PREFIX)


def received(rig: Rig) -> int:
    """Bytes of uploads under way that the emulator holds."""
    return sum(path.stat().st_size for path in rig.home.parent.glob("served-*/**/*") if path.is_file())


def break_off(rig: Rig, at_least: int) -> None:
    """End the service without a word to the upload when so many bytes have arrived."""
    rig.wait_for(lambda: received(rig) >= at_least)
    rig.close(drain=False)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_an_upload_that_was_killed_goes_on_from_the_servers_offset(home: Home, tmp_path: Path) -> None:
    project = ProjectSpec("p1", (KeySpec(KEY),))
    server = EmulatorServer(Scenario((project,), latency=Latency(0.05), files=FileRules(bytes_per_s=4.0 * MEGA)))
    server.start()
    home.servers.append(server)
    home.write(server.base_url)
    video = grown(make_clip(tmp_path / "big.mp4", ClipSpec(2, 64, 48, 2)), 12 * MEGA)
    env = environment(GSVR_HOME=str(home.path), **{VARIABLE: KEY})
    process = child("run", video, "--yes", env=env, cwd=tmp_path)
    server.wait_for(lambda entries: any(e.kind == "upload_bytes" for e in entries), LIMIT_S)  # the first 8 MiB
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LIMIT_S)
    store = Store.open(find_places({"GSVR_HOME": str(home.path)}).state, read_only=True)
    (key,) = store.meta_keys(PREFIX)
    store.close()
    result = home.call("resume")
    assert result.code == 0, result.err
    kinds = [entry.kind for entry in sorted(server.log, key=lambda entry: entry.n)]
    assert kinds.count("upload_start") == 1
    assert kinds.count("upload_query") >= 1
    store = Store.open(find_places({"GSVR_HOME": str(home.path)}).state, read_only=True)
    assert store.meta_keys(PREFIX) == [], f"{key} was not dropped"
    (job,) = store.jobs()
    store.close()
    assert [e.file_sha256 for e in server.log if e.kind == "generate"] == [job.content_hash]
    for path in home.path.rglob("*"):
        if path.is_file() and path.parent.name == "logs":
            assert b"upload_id" not in path.read_bytes()


def test_a_source_that_changed_meanwhile_gets_a_new_session(make_rig: MakeRig, clips: Clips) -> None:
    from gsvr_tui.core.messages import RetryJobs

    rig = slow_rig(make_rig, 2.0 * MEGA)
    rig.open([account("p1")], workers=1)
    video = grown(clips(1) / "clip0.mp4", 10 * MEGA)
    (job,) = rig.add(video)
    break_off(rig, MEGA)
    grown(video, 100)
    rig.open([account("p1")])
    rig.wait_until(JobState.FAILED, job)
    assert "changed" in rig.rows[job].note
    rig.tell(RetryJobs, jobs=(job,))
    rig.wait_until(JobState.DONE, job)
    assert len(rig.uploads()) == 2
    assert not rig.entries("upload_query")


def test_a_session_the_service_has_forgotten_is_begun_anew(make_rig: MakeRig, clips: Clips) -> None:
    rig = slow_rig(make_rig, 2.0 * MEGA)
    rig.open([account("p1")], workers=1)
    (job,) = rig.add(grown(clips(1) / "clip0.mp4", 3 * MEGA))
    rig.wait_for(lambda: bool(sessions(rig)))
    assert rig.session is not None
    store = rig.session.parts.store
    (key,) = sessions(rig)
    record = store.meta(key)
    assert record is not None
    rig.close(drain=False)
    store = Store.open(rig.places.state)
    transaction = store.begin()
    head = str(record["url"]).split("upload_id=")[0]
    transaction.put_meta(key, {**record, "url": f"{head}upload_id=Anobodyknows"})
    transaction.commit().wait()
    store.close()
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, job)
    assert [entry.status for entry in rig.entries("upload_query")] == [404]
    assert len(rig.uploads()) == 2


def test_a_stored_address_on_another_host_gets_no_byte(make_rig: MakeRig, clips: Clips) -> None:
    stranger: list[bytes] = []
    import http.server

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            stranger.append(self.requestline.encode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    listener = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    rig = slow_rig(make_rig, 2.0 * MEGA)
    rig.open([account("p1")], workers=1)
    (job,) = rig.add(grown(clips(1) / "clip0.mp4", 3 * MEGA))
    rig.wait_for(lambda: bool(sessions(rig)))
    assert rig.session is not None
    (key,) = sessions(rig)
    record = rig.session.parts.store.meta(key)
    assert record is not None
    rig.close(drain=False)
    store = Store.open(rig.places.state)
    transaction = store.begin()
    transaction.put_meta(key, {**record, "url": f"http://127.0.0.1:{listener.server_port}/upload?upload_id=A1"})
    transaction.commit().wait()
    store.close()
    rig.open([account("p1")])
    rig.wait_until(JobState.DONE, job)
    listener.shutdown()
    listener.server_close()
    thread.join(5)
    assert stranger == []


def test_sessions_too_old_to_be_worth_a_question_are_dropped(make_rig: MakeRig, clips: Clips) -> None:
    rig = make_rig()
    store = Store.open(rig.places.state)
    transaction = store.begin()
    transaction.put_meta(f"{PREFIX}p1 abc", {"url": "https://x/?upload_id=A", "size": 1, "mtime_ns": 1, "started": 1.0})
    transaction.commit().wait()
    store.close()
    rig.open([account("p1")])
    (job,) = rig.add(clips(1))
    rig.wait_until(JobState.DONE, job)
    assert sessions(rig) == []
