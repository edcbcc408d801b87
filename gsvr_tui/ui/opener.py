"""Opening a report for the user: the desktop's program where there is a desktop, else the editor in this terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path


def desktop_command(path: str) -> list[str] | None:
    """The command that opens `path` in the desktop, None when there is no desktop."""
    if sys.platform == "darwin":
        return ["open", path]
    if sys.platform == "win32":
        return ["explorer", path]
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return None
    program = shutil.which("xdg-open")
    return [program, path] if program else None


def terminal_command(path: str) -> list[str] | None:
    """The command that shows `path` in this terminal: $VISUAL, $EDITOR, $PAGER, less."""
    for variable in ("VISUAL", "EDITOR", "PAGER"):
        words = shlex.split(os.environ.get(variable, ""))
        if words and shutil.which(words[0]):
            return [*words, path]
    less = shutil.which("less")
    return [less, path] if less else None


def open_in_desktop(command: list[str]) -> None:
    """Start without waiting and without our terminal. Raises OSError."""
    subprocess.Popen(  # noqa: S603 - a program of the user's system, the path is one argument
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def best_output(outputs: tuple[str, ...]) -> str:
    """The output people read best: Markdown or HTML before data; empty when there is none."""
    order = (".html", ".md", ".docx", ".txt", ".json")
    ranked = sorted(
        outputs, key=lambda path: order.index(suffix) if (suffix := Path(path).suffix.lower()) in order else len(order)
    )
    return ranked[0] if ranked else ""
