"""Run by test_ends.py in a terminal of its own: the app over a scripted service, with one way to end it."""

from __future__ import annotations

import sys
from typing import Any

from textual import work

from gsvr_tui.app import GsvrApp, run_app
from gsvr_tui.core.messages import Command, CommandDone, Event, ServiceStopped, Stop
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.rehearsal.handle import FakeHandle

NOW = 1_800_000_000.0


async def fail(self: Any) -> None:
    """Ends the app with a secret in a local variable and in the error's text."""
    key = "AIza" + "".join(chr(code) for code in (67, 65, 78, 65, 82, 89)) * 5
    raise RuntimeError("something about " + key)


def main(way: str) -> int:
    handle = FakeHandle(scenes.working(NOW))

    def respond(command: Command) -> list[Event]:
        if isinstance(command, Stop):
            handle.ended.set()
            return [CommandDone(command.id), ServiceStopped(resumable=9)]
        return []

    handle.respond = respond
    if way.startswith("crash"):
        GsvrApp.do_show_logs = work(fail) if way == "crash in a worker" else fail  # type: ignore[assignment, method-assign]
    return run_app(handle, UiOptions(clock=lambda: NOW))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
