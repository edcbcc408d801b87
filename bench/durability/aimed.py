"""The real program with one deadly call in it: it kills itself (SIGKILL) in the middle of a chosen file call.

    python -m bench.durability.aimed AIM NUMBER run FOLDER …

AIM says which calls count (see AIMS), NUMBER at the how-manieth of them it dies. Everything else is the command line
as it is.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gsvr_tui.report import output
from gsvr_tui.store import storage
from gsvr_tui.store.filesystem import FileSystem

COMPACT_BYTES = 12_000
"""So small that compactions are frequent."""

COMPACTION = "gsvr-store-compaction"
_NEW = tuple(f".{number}" for number in range(1, 100))  # a journal of its own number is opened
_CALLS = ("open", "write", "fsync", "rename", "link", "truncate", "fsync_dir", "unlink")


def _is_answer(path: Path) -> bool:
    return path.parent.parent.name == "answers"


def _is_snapshot(path: Path) -> bool:
    return path.name.startswith("state.json") and path.name != "state.json.lock"


AIMS: dict[str, Callable[[str, Path, bool], bool]] = {
    # while a paid answer is being written
    "answer-write": lambda call, path, compacting: call == "write" and _is_answer(path),
    # the answer is in its place, the state does not know of it yet
    "answer-stored": lambda call, path, compacting: call == "rename" and _is_answer(path),
    # anywhere in a compaction: new journal, snapshot, backup, change-over, old journals removed
    "compaction": lambda call, path, compacting: compacting and _is_snapshot(path),
    # any call from the very first on: opening, replaying, mending after the kill before
    "recovery": lambda call, path, compacting: True,
    # a report is in its place, the job is not done yet
    "report": lambda call, path, compacting: False,
}
"""Call, path, whether a compaction is at work → whether it counts."""


class _Death:
    """Counts down."""

    def __init__(self, aim: str, number: int) -> None:
        self._counts = AIMS[aim]
        self._left = number
        self._lock = threading.Lock()

    def hit(self, call: str, path: Path) -> bool:
        """True for the call to die in."""
        compacting = threading.current_thread().name == COMPACTION or (call == "open" and path.suffix in _NEW)
        if not self._counts(call, path, compacting):
            return False
        return self.step()

    def step(self) -> bool:
        """One more of what counts."""
        with self._lock:
            self._left -= 1
            return self._left == 0


def die() -> None:
    """At once, with no chance to tidy up."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("still alive")


def _arm(death: _Death, half: bool) -> None:
    """Put the deadly call under the store."""
    paths: dict[int, Path] = {}

    def wrap(call: str) -> None:
        original: Callable[..., Any] = getattr(FileSystem, call)

        def deadly(self: FileSystem, *arguments: Any) -> Any:
            first = arguments[0]
            path = paths.get(first, Path("?")) if isinstance(first, int) else first
            if call == "rename":
                path = arguments[1]
            if death.hit(call, path):
                if call == "write":
                    original(self, first, bytes(arguments[1])[: len(arguments[1]) // 2])
                elif half:
                    original(self, *arguments)
                die()
            result = original(self, *arguments)
            if call == "open":
                paths[result] = path
            return result

        setattr(FileSystem, call, deadly)

    for call in _CALLS:
        wrap(call)


def _arm_reports(death: _Death, half: bool) -> None:
    original = output._replace

    def deadly(path: Path, data: bytes) -> None:
        if death.step():
            if half:
                original(path, data)
            die()
        original(path, data)

    output._replace = deadly


def main(arguments: list[str]) -> int:
    """Arm, then run the program."""
    aim, number, *rest = arguments
    half = int(number) % 2 == 0 or aim == "answer-stored"  # before the call takes effect, or after
    death = _Death(aim, (int(number) + 1) // 2)
    if aim == "report":
        _arm_reports(death, half)
    else:
        _arm(death, half)
    if aim == "compaction":
        keywords = storage.JournalStorage.__init__.__kwdefaults__ or {}
        keywords["compact_bytes"] = COMPACT_BYTES
    from gsvr_tui.cli import main as program

    return program(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
