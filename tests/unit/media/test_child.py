"""The helper process that opens videos: it may crash or hang, and only that file is the worse for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gsvr_tui.media.child import MediaChildren
from gsvr_tui.media.probe import probe_file
from gsvr_tui.media.problem import MediaProblem
from gsvr_tui.media.samples import ClipSpec, make_clip

HELPER = """
import os, signal, sys
from gsvr_tui.media import child, probe
true = probe.probe_file
def look(path):
    if "crash" in path.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in path.name:
        signal.pause()
    if "noise" in path.name:
        os.write(1, b"libraries print what they like\\n")
    return true(path)
probe.probe_file = look
child.main()
"""
"""The real helper, with a decoder that falls over certain names."""


@pytest.fixture
def children() -> Iterator[MediaChildren]:
    made = MediaChildren()
    yield made
    made.close()


@pytest.fixture
def frail() -> Iterator[MediaChildren]:
    made = MediaChildren(program=(sys.executable, "-c", HELPER))
    yield made
    made.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "good.mp4", ClipSpec(2, 64, 48, 2))


def copy(clip: Path, path: Path) -> Path:
    path.write_bytes(clip.read_bytes())
    return path


def test_the_helper_says_what_a_look_in_our_own_process_says(children: MediaChildren, clip: Path) -> None:
    assert children.probe(clip) == probe_file(clip)
    assert children.probe(clip) == probe_file(clip)
    assert len(children.pids()) == 1  # the same one


def test_a_problem_of_the_file_comes_over_with_its_words(children: MediaChildren, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaProblem) as there:
        probe_file(tmp_path / "text.mp4")
    with pytest.raises(MediaProblem) as here:
        children.probe(tmp_path / "text.mp4")
    assert (here.value.code, here.value.message, here.value.advice) == (
        there.value.code,
        there.value.message,
        there.value.advice,
    )


def test_a_name_that_is_not_utf_8_is_found(children: MediaChildren, clip: Path, tmp_path: Path) -> None:
    strange = tmp_path / "caf\udce9\n.mp4"
    try:
        copy(clip, strange)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert children.probe(strange).duration_s == pytest.approx(2, abs=0.3)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_decoder_that_crashes_costs_one_file_and_the_next_gets_a_new_helper(
    frail: MediaChildren, clip: Path, tmp_path: Path
) -> None:
    frail.probe(clip)
    (first,) = frail.pids()
    with pytest.raises(MediaProblem) as crash:
        frail.probe(copy(clip, tmp_path / "crash.mp4"))
    assert crash.value.code == "DECODER_CRASHED"
    assert crash.value.advice
    assert frail.probe(clip).duration_s == pytest.approx(2, abs=0.3)
    assert first not in frail.pids()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_decoder_that_hangs_is_ended_in_time(frail: MediaChildren, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaProblem) as hung:
        frail.probe(copy(clip, tmp_path / "hang.mp4"), limit_s=0.5)
    assert hung.value.code == "DECODER_HUNG"
    assert frail.probe(clip).width == 64


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_helper_killed_while_it_had_nothing_to_do_is_replaced_unnoticed(children: MediaChildren, clip: Path) -> None:
    children.probe(clip)
    (pid,) = children.pids()
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert children.probe(clip).width == 64


def test_what_libraries_print_is_not_taken_for_an_answer(frail: MediaChildren, clip: Path, tmp_path: Path) -> None:
    assert frail.probe(copy(clip, tmp_path / "noise.mp4")).width == 64


def test_several_threads_share_the_helpers(children: MediaChildren, clip: Path) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(children.probe(clip).width)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == [64] * 6
    assert len(children.pids()) <= 2


def test_streams_are_copied_in_the_helper_too(children: MediaChildren, tmp_path: Path) -> None:
    source = make_clip(tmp_path / "a.mkv", ClipSpec(2, 64, 48, 2))
    assert children.remux(source, tmp_path / "b.mp4") == ()
    assert children.probe(tmp_path / "b.mp4").container == "mp4"


def test_no_key_of_the_environment_gets_into_the_helper(
    clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AQ.secret-of-the-environment")
    monkeypatch.setenv("GSVR_PASSPHRASE", "secret passphrase")
    show = f"import os; open({str(tmp_path / 'env')!r}, 'w').write(repr(dict(os.environ)))"
    children = MediaChildren(program=(sys.executable, "-c", show))
    with pytest.raises(MediaProblem):
        children.probe(clip)
    children.close()
    assert "secret" not in (tmp_path / "env").read_text()


def test_after_closing_nothing_is_started_any_more(children: MediaChildren, clip: Path) -> None:
    children.probe(clip)
    (pid,) = children.pids()
    children.close()
    assert subprocess.run(["ps", "-p", str(pid)], capture_output=True, check=False).returncode != 0
    with pytest.raises(MediaProblem, match="stopped"):
        children.probe(clip)
