"""Fixtures of the UI tests: an app over a scripted service, waiting without sleeping, and pictures as text."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import yaml

os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")

from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from gsvr_tui.app import GsvrApp
from gsvr_tui.core.messages import Command, Event, Snapshot, WatchJob
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.rehearsal.handle import FakeHandle

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
OUT = ROOT / "tests" / "out"
NOW = 1_800_000_000.0  # 2027-01-15 08:00 UTC
THEMES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "themes").glob("*.yaml")}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-pictures", action="store_true", help="store the screens as they are now")


@dataclass
class Stage:
    """A running app, its pilot and the scripted service."""

    app: GsvrApp
    pilot: Pilot[int]
    handle: FakeHandle

    async def until(self, condition: Callable[[], object], what: str = "", limit_s: float = 5.0) -> None:
        """Wait for a condition without guessing times."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        while not condition():
            if loop.time() > end:
                pytest.fail(f"waited {limit_s} s for {what or condition}")
            await asyncio.sleep(0.005)
        await self.settle()

    async def settle(self) -> None:
        """Until every widget has handled what it was sent, and what came of that; then paint."""
        for _ in range(3):
            await self.pilot._wait_for_screen()
            await asyncio.sleep(0.002)
        self.app.screen._on_timer_update()

    async def press(self, *keys: str) -> None:
        """Press keys and let the messages settle. Names as in Textual; one character stands for itself."""
        for key in keys:
            name = key if len(key) > 1 or key.isalnum() else _character_to_key(key)
            event = events.Key(name, key if len(key) == 1 else None)
            event.set_sender(self.app)
            assert self.app._driver is not None
            self.app._driver.send_message(event)
            await self.settle()

    async def until_sent(self, kind: type[Any], count: int = 1) -> Any:
        """Wait for commands of a kind; the last one."""
        await self.until(lambda: len(self.handle.sent(kind)) >= count, f"{count} {kind.__name__}")
        return self.handle.sent(kind)[-1]

    def text(self) -> str:
        """The screen on top as plain lines."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def toasts(self) -> list[str]:
        """What was said to the user."""
        return [toast.message for toast in self.app._notifications]


def details_of(handle: FakeHandle) -> Callable[[Command], list[Event]]:
    """Answers WatchJob as the service does."""

    def respond(command: Command) -> list[Event]:
        if isinstance(command, WatchJob) and command.job:
            rows = [row for row in handle.snapshot.jobs if row.id == command.job]  # type: ignore[attr-defined]
            return [scenes.detail(row, NOW) for row in rows]
        return []

    return respond


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    """Opens an app: `async with stage(scene, size=…) as s`."""

    @asynccontextmanager
    async def open_stage(
        scene: Snapshot | None = None,
        *,
        size: tuple[int, int] = (120, 40),
        respond: Callable[[Command], list[Event]] | None = None,
        **options: Any,
    ) -> AsyncIterator[Stage]:
        scene = scene or scenes.working(NOW)
        handle = FakeHandle(scene)
        handle.snapshot = scene  # type: ignore[attr-defined]
        handle.respond = respond or details_of(handle)
        options = {"themes": THEMES, "timezone": UTC, "clock": lambda: NOW, "start_folder": str(tmp_path)} | options
        app = GsvrApp(handle, options=UiOptions(**options))
        async with app.run_test(size=size) as pilot:
            built = Stage(app, pilot, handle)
            await built.until(lambda: app.link.model.loaded, "the first snapshot")
            yield built

    return open_stage


def cells_text(app: GsvrApp) -> str:
    """The screen on top: its characters, then one line per run of equal style."""
    lines: list[str] = []
    runs: list[str] = []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        lines.append("".join(segment.text for segment in strip).rstrip())
        x, last = 0, ""
        for segment in strip:
            style = segment.style
            look = ""
            if style is not None and segment.text:
                parts = [
                    style.color.get_truecolor().hex if style.color else "",
                    f"on {style.bgcolor.get_truecolor().hex}" if style.bgcolor else "",
                    *[name for name in ("bold", "underline", "reverse", "italic") if getattr(style, name)],
                ]
                look = " ".join(part for part in parts if part)
            if look != last:
                runs.append(f"{y}:{x} {look}")
                last = look
            x += segment.cell_length
    return "\n".join([*lines, "---", *runs, ""])


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[[GsvrApp, str], None]:
    """Compares the screen with the stored one; a difference leaves an SVG in tests/out to look at."""

    def check(app: GsvrApp, name: str) -> None:
        for box in app.screen.query(Input):
            box.cursor_blink = False
            box._cursor_visible = True
        path = HERE / "pictures" / f"{name}.txt"
        got = cells_text(app)
        update = request.config.getoption("--update-pictures", default=False)
        if update or (not path.exists() and not os.environ.get("CI")):
            path.parent.mkdir(exist_ok=True)
            path.write_text(got, "utf-8")
            return
        if not path.exists():
            pytest.fail(f"{path.name} is missing; make it with --update-pictures and look at it")
        want = path.read_text("utf-8")
        if got != want:
            OUT.mkdir(parents=True, exist_ok=True)
            (OUT / f"{name}.svg").write_text(app.export_screenshot(), "utf-8")
            difference = "\n".join(
                difflib.unified_diff(want.splitlines(), got.splitlines(), "stored", "now", "", "", 1)
            )
            pytest.fail(f"{path.name} differs, see tests/out/{name}.svg\n{difference[:6000]}")

    return check
