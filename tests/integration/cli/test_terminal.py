"""The command line on a terminal: the question before spending, the hidden key, the bar, the app."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.cli.conftest import KEY, VARIABLE, Home, environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a pseudo-terminal of POSIX")
LIMIT_S = 60.0
_ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]")


@dataclass
class Screen:
    """What appeared on a terminal, and how the command ended."""

    code: int
    text: str


def on_terminal(
    arguments: list[str], answers: list[tuple[str, str]], *, home: Path, columns: int = 200, **extra: str
) -> Screen:
    """Run a command on a terminal; type each answer when its prompt has appeared after the one before."""
    import fcntl
    import pty
    import struct
    import termios

    env = environment(GSVR_HOME=str(home), TERM="xterm-256color", **extra)
    pid, master = pty.fork()
    if pid == 0:  # the child
        os.execve(sys.executable, [sys.executable, "-m", "gsvr_tui", *arguments], env)  # noqa: S606
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    seen, looked_from, waiting = b"", 0, list(answers)
    ends = time.monotonic() + LIMIT_S
    while time.monotonic() < ends:
        if not select.select([master], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(master, 65_536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        seen += piece
        if waiting and waiting[0][0].encode() in seen[looked_from:]:
            looked_from = len(seen)
            os.write(master, waiting.pop(0)[1].encode())
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    return Screen(os.waitstatus_to_exitcode(status), _ESCAPES.sub("", seen.decode("utf-8", "replace")))


def test_a_person_is_asked_before_money_is_spent_and_may_refuse(home: Home, clips: Path) -> None:
    home.serve()
    screen = on_terminal(["run", str(clips)], [("Start?", "n\n")], home=home.path, **{VARIABLE: KEY})
    assert screen.code == 2, screen.text
    assert "3 videos with gemini-3.8-flash, about $" in screen.text
    assert "nothing was sent" in screen.text
    assert not home.servers[0].log


def test_a_run_shows_a_bar_money_and_a_line_for_each_report(home: Home, clips: Path) -> None:
    home.serve(base_s=0.3)
    screen = on_terminal(["run", str(clips)], [("Start?", "y\n")], home=home.path, **{VARIABLE: KEY})
    assert screen.code == 0, screen.text
    assert "asking about clip" in screen.text
    assert "/3" in screen.text
    assert "[3/3] done" in screen.text
    assert "3 done in" in screen.text


def test_a_key_is_typed_unseen_into_a_new_vault(home: Home) -> None:
    server = home.serve()
    home.config.unlink()
    screen = on_terminal(
        ["accounts", "add", "main", "--store", "vault", "--tier", "free", "--base-url", server.base_url],
        [("API key", f"{KEY}\n"), ("New passphrase", "correct horse\n"), ("Repeat", "correct horse\n")],
        home=home.path,
    )
    assert screen.code == 0, screen.text
    assert KEY not in screen.text
    assert "correct horse" not in screen.text
    assert "Account main (…0001) added" in screen.text
    checked = on_terminal(
        ["accounts", "check"], [("Passphrase", "wrong\n"), ("Passphrase", "correct horse\n")], home=home.path
    )
    assert checked.code == 0, checked.text
    assert "try again" in checked.text
    assert "main: the key works" in checked.text


def test_the_app_opens_with_the_wizard_where_there_is_no_account(home: Home) -> None:
    screen = on_terminal([], [("Your Gemini API keys", "\x11")], home=home.path, columns=100)  # Ctrl+Q
    assert screen.code == 0, screen.text
    assert "Traceback" not in screen.text


def test_a_terminal_that_is_closed_leaves_a_run_that_goes_on_later(home: Home, clips: Path) -> None:
    import pty

    home.serve(base_s=1.0)
    env = environment(GSVR_HOME=str(home.path), TERM="xterm-256color", **{VARIABLE: KEY})
    pid, master = pty.fork()
    if pid == 0:  # the child
        command = [sys.executable, "-m", "gsvr_tui", "run", str(clips), "--yes", "--workers", "1"]
        os.execve(sys.executable, command, env)  # noqa: S606
    seen, ends = b"", time.monotonic() + LIMIT_S
    while b"asking about" not in seen and time.monotonic() < ends:
        if select.select([master], [], [], 0.1)[0]:
            seen += os.read(master, 65_536)
    os.close(master)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    assert not list((home.path / "logs").glob("crash-*"))
    asked = sum(entry.kind == "generate" for entry in home.servers[0].log)
    assert asked < 3
    assert home.call("resume").code == 0
    assert sum(entry.kind == "generate" for entry in home.servers[0].log) == 3
