"""How the app ends, seen from outside: in a real terminal (a pty), by signals, by a crash, by the user."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ALTERNATE_ON, ALTERNATE_OFF = b"\x1b[?1049h", b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"


class Terminal:
    """A program in a pty of 120×40."""

    def __init__(self, way: str) -> None:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = os.environ | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TEXTUAL_ANIMATIONS": "none",
            "PYTHONPATH": str(ROOT),
        }
        environment.pop("CI", None)
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "pty_program.py"), way],
            stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True, cwd=ROOT,
        )  # fmt: skip
        os.close(slave)
        self.master = master
        self.output = b""

    def read_until(self, wanted: bytes, limit_s: float = 30.0) -> None:
        end = time.monotonic() + limit_s
        while wanted not in self.output:
            if time.monotonic() > end:
                pytest.fail(f"waited for {wanted!r}; the last output was {self.output[-600:]!r}")
            self._read(0.1)

    def finish(self, limit_s: float = 30.0) -> int:
        end = time.monotonic() + limit_s
        while self.process.poll() is None:
            if time.monotonic() > end:
                pytest.fail("the program did not end")
            self._read(0.05)
        while self._read(0.05):
            pass
        return self.process.returncode

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def _read(self, wait_s: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], wait_s)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other end is closed
            return False
        self.output += data
        return bool(data)


@contextmanager
def terminal(way: str = "") -> Iterator[Terminal]:
    program = Terminal(way)
    try:
        program.read_until(b"week-03-cells")
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait()
        os.close(program.master)


def left_tidy(program: Terminal) -> bool:
    """The alternate screen and the mouse are switched off last."""
    output = program.output
    return output.rfind(ALTERNATE_OFF) > output.rfind(ALTERNATE_ON) and MOUSE_OFF in output


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_restores_the_terminal(number: signal.Signals, status: int) -> None:
    with terminal() as program:
        program.process.send_signal(number)
        assert program.finish() == status
        assert left_tidy(program)


@pytest.mark.parametrize("way", ["crash", "crash in a worker"])
def test_a_crash_restores_the_terminal_and_prints_no_secret(way: str) -> None:
    with terminal(way) as program:
        program.press(b"3")
        assert program.finish() == 1
        assert left_tidy(program)
        assert b"RuntimeError" in program.output
        assert b"in fail" in program.output
        assert b"CANARY" not in program.output


def test_the_farewell_says_what_is_saved_and_how_to_go_on() -> None:
    with terminal() as program:
        program.press(b"q")
        program.read_until(b"Finish in flight")
        program.press(b"\x1b[C\x1b[C\r")
        assert program.finish() == 0
        assert left_tidy(program)
        tail = program.output[program.output.rfind(ALTERNATE_OFF) :]
        assert b"4 of 15 reports done; everything finished is saved." in tail
        assert b"9 jobs to go. Go on with: gsvr-tui resume" in tail


def test_a_storm_of_resizes_is_survived() -> None:
    with terminal() as program:
        for columns, rows in [(20, 5), (200, 60), (2, 1), (60, 16), (81, 24), (120, 40)] * 3:
            fcntl.ioctl(program.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            program.process.send_signal(signal.SIGWINCH)
            program._read(0.02)
        program.output = b""
        program.press(b"2")
        program.read_until(b"share its quota")
        program.process.send_signal(signal.SIGTERM)
        assert program.finish() == 143
