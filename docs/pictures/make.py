"""Makes the pictures of the README: the screens over a scripted service, as SVG.

    python docs/pictures/make.py [--out docs/pictures] [--only queue]

Nothing of the network is in them: the web font Textual names is taken out.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

import yaml
from textual.pilot import Pilot

from gsvr_tui.app import GsvrApp
from gsvr_tui.core.messages import CheckKey, Command, Event, KeyChecked, PlanJobs, Snapshot, WatchJob
from gsvr_tui.ui.options import UiOptions
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.rehearsal.handle import FakeHandle

ROOT = Path(__file__).parent.parent.parent
NOW = 1_800_000_000.0
THEMES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "themes").glob("*.yaml")}
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_FONTS = "Fira Code, Cascadia Mono, DejaVu Sans Mono, Noto Sans Mono CJK SC, monospace"


@dataclass(frozen=True)
class Picture:
    """One picture: what is on stage and which keys are pressed."""

    name: str
    size: tuple[int, int] = (120, 36)
    theme: str = "dark"
    keys: tuple[str, ...] = ()
    scene: Callable[[float], Snapshot] = scenes.working
    act: Callable[[GsvrApp], None] | None = None
    first_run: bool = False


def enter_keys(app: GsvrApp) -> None:
    """Three keys of which one is no good."""
    app.screen.enter_keys(" ".join("AIza" + tail * 35 for tail in "kqz"))  # type: ignore[attr-defined]


def plan_videos(app: GsvrApp) -> None:
    """A library to plan."""
    app.screen.plan({"paths": ("/home/ada/videos",)})  # type: ignore[attr-defined]


def empty(at: float) -> Snapshot:
    """Before the first account."""
    return scenes.empty(at, with_accounts=False)


PICTURES = (
    Picture("queue", keys=("j",) * 7),
    Picture("queue-light", theme="light", keys=("j",) * 7),
    Picture("queue-80x24", size=(80, 24)),
    Picture("accounts", keys=("2", "j", "j", "j")),
    Picture("logs", keys=("3",)),
    Picture("plan", size=(120, 32), keys=("4",), act=plan_videos),
    Picture("job", keys=("j",) * 9 + ("enter",)),
    Picture("wizard", size=(100, 28), scene=empty, act=enter_keys, first_run=True),
)


def service(handle: FakeHandle, snapshot: Snapshot) -> Callable[[Command], list[Event]]:
    """Answers as much as the pictures need."""

    def respond(command: Command) -> list[Event]:
        if isinstance(command, WatchJob):
            return [scenes.detail(row, NOW) for row in snapshot.jobs if row.id == command.job]
        if isinstance(command, CheckKey):
            if command.key.tail == "qqqq":
                return [KeyChecked(command.id, False, "the key is not valid", "Make a new one.", dead=True)]
            return [KeyChecked(command.id, True, "ok", latency_ms=212, models=("a", "b", "c"))]
        if isinstance(command, PlanJobs):
            return [scenes.plan(command.id, NOW)]
        return []

    handle.emit(*scenes.log_lines(NOW))
    return respond


async def take(picture: Picture) -> str:
    """The SVG of one picture."""
    snapshot = picture.scene(NOW)
    handle = FakeHandle(snapshot)
    handle.respond = service(handle, snapshot)
    options = UiOptions(
        theme=picture.theme,
        themes=THEMES,
        clock=lambda: NOW,
        timezone=UTC,
        first_run=picture.first_run,
        reduce_motion=True,
    )
    app = GsvrApp(handle, options=options)
    async with app.run_test(size=picture.size) as pilot:
        await rest(pilot)
        for key in picture.keys:
            await pilot.press(key)
        if picture.act is not None:
            picture.act(app)
        await rest(pilot)
        svg = app.export_screenshot(title="gsvr-tui")
    return _FONT_FACE.sub("", svg).replace("Fira Code", _FONTS)


async def rest(pilot: Pilot[int]) -> None:
    """Until delayed acts (the details of the job under the cursor) have come."""
    await pilot.pause(0.4)


def main() -> int:
    """Parse, make, say where."""
    parser = argparse.ArgumentParser(description="make the pictures of the README")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--only", default="", help="pictures whose name has this")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        if arguments.only in picture.name:
            path = arguments.out / f"{picture.name}.svg"
            path.write_text(asyncio.run(take(picture)), "utf-8")
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
