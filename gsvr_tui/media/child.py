"""Opens videos in a helper process: a decoder that crashes or hangs over a damaged file costs that file, not the run.

The helper is a process of our own Python with pipes and nothing else of ours: no terminal, no keys in its environment,
no open files. It answers one question at a time and ends when its pipe does. It is started by `subprocess`, not by
`multiprocessing`, which can't start anything once a terminal app has taken over stderr.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from gsvr_tui.core.models import ProbeFacts
from gsvr_tui.media.key_frame import KeyFrame
from gsvr_tui.media.problem import MediaProblem

LEAST_S = 60.0
SLOWEST_BYTES_PER_S = 2_000_000
"""A look may have to read the whole file, from a slow network drive."""
PICTURE_S = 10.0
"""What taking a picture may add to that."""

_PASSED_ON = frozenset(
    (
        *("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "WINDIR"),
        *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"),
    )
)
"""Of the environment: where things are and how text is written. Keys and passphrases stay here."""


class Crashed(Exception):
    """The helper ended in the middle of a question. `hung`: because its time was up."""

    def __init__(self, hung: bool) -> None:
        super().__init__("hung" if hung else "crashed")
        self.hung = hung


class _Helper:
    """One process."""

    def __init__(self, program: tuple[str, ...]) -> None:
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C and a closed terminal are not for it
        if sys.platform == "win32":
            apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
        self.process = subprocess.Popen(  # noqa: S603 - our own Python, nothing of the user's in the call
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(os.environ),
            **apart,
        )

    def ask(self, question: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """The answer. Raises Crashed."""
        hung = threading.Event()

        def give_up() -> None:
            hung.set()
            self.process.kill()

        timer = threading.Timer(limit_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            if self.process.stdin is None or self.process.stdout is None:
                raise AssertionError("started without pipes")
            self.process.stdin.write(json.dumps(question).encode("ascii") + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            raise Crashed(hung.is_set())
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def alive(self) -> bool:
        """True while it can be asked."""
        return self.process.poll() is None

    def end(self) -> None:
        """At once; it has nothing to tidy up."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self.process.wait()


class MediaChildren:
    """Helpers for looking into videos, started when they are needed. Thread-safe; its calls block."""

    def __init__(self, most: int = 2, *, program: tuple[str, ...] = (sys.executable, "-m", "gsvr_tui.media.child")):
        self._program = program
        self._room = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[_Helper] = []
        self._busy: set[_Helper] = set()
        self._closed = False

    def probe(self, path: Path, *, limit_s: float | None = None) -> ProbeFacts:
        """As `media.probe.probe_file`; also raises MediaProblem DECODER_CRASHED and DECODER_HUNG."""
        answer = self._ask({"call": "probe", "path": str(path)}, _limit(path, limit_s))
        return ProbeFacts(**answer)

    def remux(self, source: Path, target: Path, *, limit_s: float | None = None) -> tuple[str, ...]:
        """As `media.remux.remux_to_mp4`; also raises MediaProblem DECODER_CRASHED and DECODER_HUNG."""
        question = {"call": "remux", "path": str(source), "target": str(target)}
        return tuple(self._ask(question, _limit(source, limit_s))["dropped"])

    def frames(self, path: Path, times: Sequence[float], *, limit_s: float | None = None) -> tuple[KeyFrame, ...]:
        """As `media.frames.key_frames`; also raises MediaProblem DECODER_CRASHED and DECODER_HUNG."""
        limit = _limit(path, limit_s) + (0.0 if limit_s is not None else PICTURE_S * len(times))
        answer = self._ask({"call": "frames", "path": str(path), "times": list(times)}, limit)
        return tuple(KeyFrame(**{**frame, "data": b64decode(frame["data"])}) for frame in answer["frames"])

    def pids(self) -> list[int]:
        """Of the helpers there are."""
        with self._lock:
            return [helper.process.pid for helper in (*self._idle, *self._busy)]

    def close(self) -> None:
        """End all helpers; questions under way end as if they had crashed."""
        with self._lock:
            self._closed = True
            helpers = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        for helper in helpers:
            helper.end()

    def _ask(self, question: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        with self._room:
            helper = self._take()
            try:
                answer = helper.ask(question, limit_s)
            except Crashed as crash:
                self._drop(helper)
                raise _problem(crash) from None
            self._give_back(helper)
        if "problem" in answer:
            raise MediaProblem(*answer["problem"])
        if "fault" in answer:
            raise RuntimeError(f"the helper for videos failed: {answer['fault']}")
        found: dict[str, Any] = answer["answer"]
        return found

    def _take(self) -> _Helper:
        with self._lock:
            if self._closed:
                raise MediaProblem("CANCELLED", "reading was stopped")
            while self._idle:
                helper = self._idle.pop()
                if helper.alive:  # else somebody ended it while it had nothing to do
                    break
                helper.end()
            else:
                try:
                    helper = _Helper(self._program)
                except OSError as error:
                    raise _no_helper(error) from None
            self._busy.add(helper)
            return helper

    def _give_back(self, helper: _Helper) -> None:
        with self._lock:
            self._busy.discard(helper)
            if not self._closed:
                self._idle.append(helper)
                return
        helper.end()

    def _drop(self, helper: _Helper) -> None:
        with self._lock:
            self._busy.discard(helper)
        helper.end()


def _problem(crash: Crashed) -> MediaProblem:
    if crash.hung:
        return MediaProblem(
            "DECODER_HUNG", "looking into it did not come to an end", "Copy or convert it, or check the drive it is on."
        )
    return MediaProblem(
        "DECODER_CRASHED", "the video decoder crashed over it", "Convert it to MP4 (H.264 and AAC); it may be damaged."
    )


def _no_helper(error: OSError) -> MediaProblem:
    words = (error.strerror or type(error).__name__).lower()
    advice = "Close other programs; it is tried again by itself."
    if error.errno in (errno.EMFILE, errno.ENFILE):
        advice = "Raise the limit of open files (ulimit -n) and start again."
    return MediaProblem("NO_HELPER", f"no process can be started to look into videos ({words})", advice)


def _limit(path: Path, limit_s: float | None) -> float:
    if limit_s is not None:
        return limit_s
    try:
        return LEAST_S + path.stat().st_size / SLOWEST_BYTES_PER_S
    except (OSError, ValueError):
        return LEAST_S


def _environment(env: Mapping[str, str]) -> dict[str, str]:
    """For the helper: what it needs to find Python, ours included, and to understand names of files."""
    passed = {name: value for name, value in env.items() if name.upper() in _PASSED_ON or name.startswith("LC_")}
    ours = str(Path(__file__).resolve().parents[2])
    passed["PYTHONPATH"] = os.pathsep.join(filter(None, (ours, passed.get("PYTHONPATH", ""))))
    return passed


# ---------------------------------------------------------------- in the helper


def _answers() -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
    from gsvr_tui.media.frames import key_frames
    from gsvr_tui.media.probe import probe_file
    from gsvr_tui.media.remux import remux_to_mp4

    return {
        "probe": lambda question: asdict(probe_file(Path(question["path"]))),
        "frames": lambda question: {
            "frames": [
                {**asdict(frame), "data": b64encode(frame.data).decode("ascii")}
                for frame in key_frames(Path(question["path"]), question["times"])
            ]
        },
        "remux": lambda question: {"dropped": remux_to_mp4(Path(question["path"]), Path(question["target"]))},
    }


def serve(questions: BinaryIO, out: BinaryIO) -> None:
    """Answer line by line until there are no more questions."""
    calls = _answers()
    for line in questions:
        question = json.loads(line)
        try:
            answer: dict[str, Any] = {"answer": calls[question["call"]](question)}
        except MediaProblem as problem:
            answer = {"problem": [problem.code, problem.message, problem.advice]}
        except Exception as error:  # the boundary of the helper: the other side decides over faults of ours
            answer = {"fault": type(error).__name__}
        out.write(json.dumps(answer).encode("ascii") + b"\n")
        out.flush()


def main() -> None:
    """The helper. What libraries print goes nowhere: the pipe is for answers only."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        serve(sys.stdin.buffer, out)


if __name__ == "__main__":
    main()
