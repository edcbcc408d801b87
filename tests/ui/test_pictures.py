"""Every screen as it looks: characters and style runs, compared with what was looked at and stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import DirectoryTree, Input

from gsvr_tui.app import GsvrApp
from gsvr_tui.core.messages import CheckKey, Command, Event, KeyChecked, PlanJobs, Snapshot
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.add_videos import AddVideosScreen
from gsvr_tui.ui.screens.alerts import AlertsScreen
from gsvr_tui.ui.screens.ask import AskScreen, ChooseScreen
from gsvr_tui.ui.screens.confirm import ConfirmScreen
from gsvr_tui.ui.screens.detail import DetailScreen
from gsvr_tui.ui.screens.help import HelpScreen
from gsvr_tui.ui.screens.plan import PlanScreen
from gsvr_tui.ui.screens.replace_key import ReplaceKeyScreen
from gsvr_tui.ui.screens.wizard import WizardScreen
from gsvr_tui.ui.wizard_state import Stage

NOW = 1_800_000_000.0
Picture = Callable[[GsvrApp, str], None]

SCENES: dict[str, Callable[[], Snapshot]] = {
    "normal": lambda: scenes.working(NOW),
    "empty": lambda: scenes.empty(NOW, with_accounts=False),
    "hostile": lambda: scenes.hostile(NOW),
}
SIZES = {"80x24": (80, 24), "120x40": (120, 40)}


async def settled(s: Any) -> None:
    """The details of the job under the cursor are here, if the screen shows them."""
    screen = s.app.screen
    if getattr(screen, "SCOPE", None) == "queue" and screen.view.row and screen.query_one("#side").display:
        job = screen.view.row.id
        await s.until(lambda: s.app.link.model.detail and s.app.link.model.detail.row.id == job, "details")
    await s.settle()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES)
async def test_the_tabs_and_the_detail(stage: Any, picture: Picture, scene: str, size: str) -> None:
    async with stage(SCENES[scene](), size=SIZES[size]) as s:
        if scene != "empty":
            s.handle.emit(*scenes.log_lines(NOW))
        await settled(s)
        picture(s.app, f"queue-{scene}-{size}")
        await s.press("2")
        picture(s.app, f"accounts-{scene}-{size}")
        await s.press("3")
        picture(s.app, f"logs-{scene}-{size}")
        await s.press("1")
        if scene == "empty":
            return
        s.app.screen.jobs.go_to(2)
        await s.press("enter")
        await s.until(lambda: isinstance(s.app.screen, DetailScreen) and s.app.link.model.detail, "details")
        await s.until(lambda: s.app.link.model.detail.row is s.app.link.model.rows[2], "these details")
        picture(s.app, f"detail-{scene}-{size}")
        await s.press("tab")
        await s.until(lambda: "introduces the cell" in s.text(), "the report")
        picture(s.app, f"report-{scene}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_dialogs(stage: Any, picture: Picture, size: str, tmp_path: Path) -> None:
    start = tmp_path / "videos"
    start.mkdir()
    for name in ("[red]oops[] [x.mp4", "week 1.mp4", "notes.txt", ".hidden.mp4"):
        (start / name).touch()
    (start / "course").mkdir()
    async with stage(size=SIZES[size], start_folder=str(start), default_output="/home/ada/reports") as s:
        await settled(s)
        await s.press("question_mark")
        await s.until(lambda: isinstance(s.app.screen, HelpScreen), "help")
        picture(s.app, f"help-{size}")
        await s.press("escape", "exclamation_mark")
        await s.until(lambda: isinstance(s.app.screen, AlertsScreen), "alerts")
        picture(s.app, f"alerts-{size}")
        await s.press("escape", "q")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        picture(s.app, f"quit-{size}")
        await s.press("escape", "a")
        await s.until(lambda: isinstance(s.app.screen, AddVideosScreen), "adding")
        await s.until(lambda: len(s.app.screen.query_one(DirectoryTree).root.children) == 3, "the folder")
        picture(s.app, f"add-{size}")


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
async def test_the_plan(stage: Any, picture: Picture, size: str, theme: str) -> None:
    def respond(command: Command) -> list[Event]:
        return [scenes.plan(command.id, NOW)] if isinstance(command, PlanJobs) else []

    async with stage(size=SIZES[size], respond=respond, theme=theme) as s:
        await s.press("4")
        await s.until(lambda: isinstance(s.app.screen, PlanScreen), "the plan")
        if theme == "dark":
            picture(s.app, f"plan-empty-{size}")
        s.app.screen.plan({"paths": ("/home/ada/videos",)})
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        picture(s.app, f"plan-{theme}-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_dialogs_of_plan_and_accounts(stage: Any, picture: Picture, size: str) -> None:
    def respond(command: Command) -> list[Event]:
        if isinstance(command, CheckKey):
            return [KeyChecked(command.id, False, "the key is not valid", "make a new one", dead=True)]
        return []

    async with stage(size=SIZES[size], respond=respond) as s:
        await s.settle()
        await s.press("4", "m")
        await s.until(lambda: isinstance(s.app.screen, ChooseScreen), "the models")
        picture(s.app, f"choose-{size}")
        await s.press("escape", "c")
        await s.until(lambda: isinstance(s.app.screen, AskScreen), "the cap")
        await s.press(*"ten", "enter")
        picture(s.app, f"cap-{size}")
        await s.press("escape", "2", "e")
        await s.until(lambda: isinstance(s.app.screen, ReplaceKeyScreen), "the key")
        s.app.screen.query_one("#new-key", Input).value = "AIza" + "x" * 35
        await s.press("enter")
        await s.until(lambda: "does not take it" in s.text(), "the answer")
        picture(s.app, f"replace-key-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_wizard(stage: Any, picture: Picture, size: str) -> None:
    good, twin, bad = ("AIza" + letter * 35 for letter in "gtb")

    def respond(command: Command) -> list[Event]:
        if not isinstance(command, CheckKey):
            return []
        if command.key.tail == "bbbb":
            return [KeyChecked(command.id, False, "the key is not valid", "make a new one", dead=True)]
        return [KeyChecked(command.id, True, "ok", latency_ms=212, models=("a", "b"))]

    async with stage(SCENES["empty"](), size=SIZES[size], respond=respond, first_run=True) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        picture(s.app, f"wizard-start-{size}")
        s.app.screen.enter_keys(f"{good} {bad} {twin}")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD, Stage.BAD}) == 3, "the checks")
        picture(s.app, f"wizard-keys-{size}")
        s.app.screen._to_keep()
        await s.settle()
        picture(s.app, f"wizard-keep-{size}")


@pytest.mark.parametrize("theme", ["light", "high-contrast", "colour-blind", "ansi"])
async def test_the_queue_in_other_colours(stage: Any, picture: Picture, theme: str) -> None:
    async with stage(size=(120, 40), theme=theme) as s:
        await settled(s)
        picture(s.app, f"queue-{theme}-120x40")


async def test_ascii_only_is_ascii_only(stage: Any, picture: Picture) -> None:
    async with stage(size=(80, 24), ascii=True) as s:
        await settled(s)
        picture(s.app, "queue-ascii-80x24")
        names = {row.name for row in s.app.link.model.rows}
        lines = [line for line in s.text().splitlines() if line.isascii() is False]
        foreign = [line for line in lines if not any(part in line for part in ("历史", "–"))]
        assert foreign == [], names
        await s.press("2")
        assert s.text().isascii()
        await s.press("3")
        assert s.text().isascii()
        await s.press("question_mark")
        assert s.text().isascii()
