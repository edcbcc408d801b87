"""Plan: what videos would take, before anything is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from gsvr_tui.core.messages import AddJobs, Command, CommandDone, CommandRefused, Event, PlanJobs, PlanReady
from gsvr_tui.ui.counting import count_videos
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.add_videos import AddVideosScreen
from gsvr_tui.ui.screens.ask import AskScreen, ChooseScreen
from gsvr_tui.ui.screens.confirm import ConfirmScreen
from gsvr_tui.ui.screens.plan import PlanScreen, cap_problem
from gsvr_tui.ui.screens.queue import QueueScreen
from gsvr_tui.ui.screens.wizard import WizardScreen

NOW = 1_800_000_000.0


def planner(change: Callable[[PlanReady], PlanReady] = lambda ready: ready) -> Callable[[Command], list[Event]]:
    """Answers PlanJobs with the plan of the scenes, and agrees to all else."""

    def respond(command: Command) -> list[Event]:
        if isinstance(command, PlanJobs):
            return [change(scenes.plan(command.id, NOW))]
        return [CommandDone(command.id, count=412)] if isinstance(command, AddJobs) else []

    return respond


def library(tmp_path: Path) -> Path:
    folder = tmp_path / "lectures"
    folder.mkdir()
    for name in ("one.mp4", "two.MKV", "notes.txt", ".hidden.mp4"):
        (folder / name).touch()
    return folder


async def plan_of(s: Any, folder: Path) -> PlanScreen:
    """Type the folder into the path field."""
    await s.press("4")
    await s.until(lambda: isinstance(s.app.screen, PlanScreen), "the plan screen")
    await s.press("slash")
    s.app.screen.query_one("#plan-paths", Input).value = str(folder)
    await s.press("enter")
    screen: PlanScreen = s.app.screen
    return screen


async def test_the_empty_plan_says_what_it_is_for_and_digits_still_change_screens(stage: Any) -> None:
    async with stage() as s:
        await s.press("4")
        assert "What would it take?" in s.text()
        await s.press("enter")
        assert "There is no plan yet; a chooses videos" in s.toasts()
        await s.press("1")
        assert isinstance(s.app.screen, QueueScreen)


async def test_the_ways_are_compared_with_time_price_and_limit(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner()) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        assert s.handle.sent(PlanJobs)[0].paths == (str(tmp_path / "lectures"),)
        text = s.text()
        assert "412 videos" in text
        assert "$8.10 ($5.02 to $13.77)" in text
        assert "requests per day (lab-a, lab-b)" in text
        assert "Sat 08:17 to Sun 05:06 (24 h to 2 d)" in text
        assert "8 videos are too long for one request and will be split" in text
        assert "no sound track, and the template needs one" in text
        assert "251 requests" in text
        assert not s.handle.sent(AddJobs)


async def test_the_shares_are_those_of_the_way_under_the_cursor(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner()) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "251 requests" in s.text(), "how things are now")
        await s.press("j")
        assert "148 requests" in s.text()
        assert "251 requests" not in s.text()
        assert "another owner's project, like lab-a" in s.text()
        await s.press("k", "k", "k")
        assert "251 requests" in s.text()


async def test_waiting_says_into_how_many_videos_it_looks_and_esc_ends_it(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=lambda _: []) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "looking into 2 videos …" in s.text(), "the count")
        await s.press("escape")
        assert "looking into" not in s.text()
        s.handle.emit(scenes.plan(s.handle.sent(PlanJobs)[0].id, NOW))
        await s.settle()
        assert "+ paid tier" not in s.text()


async def test_an_answer_to_an_older_question_is_not_shown(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=lambda _: []) as s:
        await plan_of(s, library(tmp_path))
        first = await s.until_sent(PlanJobs)
        await s.press("r")
        second = await s.until_sent(PlanJobs, 2)
        s.handle.emit(replace(scenes.plan(first.id, NOW), videos=7))
        await s.settle()
        assert "looking into" in s.text()
        s.handle.emit(scenes.plan(second.id, NOW))
        await s.until(lambda: "412 videos" in s.text(), "the plan asked for last")


async def test_enter_starts_what_was_planned(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner()) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        await s.press("t")
        await s.until(lambda: isinstance(s.app.screen, ChooseScreen), "the templates")
        await s.press("j", "j", "enter")
        assert (await s.until_sent(PlanJobs, 2)).template == "summary"
        await s.until(lambda: "+ paid tier" in s.text(), "the new table")
        await s.press("c")
        await s.until(lambda: isinstance(s.app.screen, AskScreen), "the cap")
        await s.press(*"9.5", "enter")
        await s.until(lambda: "cap $9.50" in s.text(), "the cap")
        assert "/ inside, unless reports come out long" in s.text()
        await s.press("enter")
        command = await s.until_sent(AddJobs)
        assert (command.paths, command.template, command.model, command.max_cost_usd) == (
            (str(tmp_path / "lectures"),), "summary", "", 9.5,
        )  # fmt: skip
        await s.until(lambda: isinstance(s.app.screen, QueueScreen), "the queue")
        assert "Added 412 videos" in s.toasts()
        await s.press("4")
        assert "What would it take?" in s.text()


async def test_above_the_cap_it_is_asked_first(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner(lambda ready: replace(ready, cap_usd=5.0, inside_cap=False))) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "outside: the run would stop at the cap" in s.text(), "the cap")
        await s.press("enter")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("enter")
        assert not s.handle.sent(AddJobs)
        await s.press("enter")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("right", "enter")
        assert (await s.until_sent(AddJobs)).max_cost_usd is None


async def test_enter_on_another_way_does_what_it_takes(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner()) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        await s.press("j", "j")
        assert "Enter Use it" in s.text()
        await s.press("enter")
        assert (await s.until_sent(PlanJobs, 2)).model == "gemini-lite-latest"
        await s.until(lambda: "+ paid tier" in s.text(), "the new table")
        await s.press("j", "enter")
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        assert not s.handle.sent(AddJobs)


async def test_a_refusal_says_what_to_do(stage: Any, tmp_path: Path) -> None:
    def refuse(command: Command) -> list[Event]:
        advice = "name video files or a folder with videos"
        return [CommandRefused(command.id, "there is no video to work on", advice)]

    async with stage(respond=refuse) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "there is no video to work on" in s.text(), "the refusal")
        assert "name video files or a folder with videos" in s.text()


async def test_nothing_starts_when_no_video_can_be_sent(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=planner(lambda ready: replace(ready, videos=0))) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        await s.press("enter")
        assert "None of these videos can be sent; below it says why" in s.toasts()


async def test_a_way_that_never_ends_says_so(stage: Any, tmp_path: Path) -> None:
    def never(ready: PlanReady) -> PlanReady:
        now = replace(ready.options[0], ends_at=None, ends_low=None, ends_high=None, note="no account may use it")
        return replace(ready, options=(now, *ready.options[1:]))

    async with stage(size=(80, 24), respond=planner(never)) as s:
        await plan_of(s, library(tmp_path))
        await s.until(lambda: "never, as things are" in s.text(), "the words")
        assert "no account may use it" in s.text()


async def test_adding_can_be_planned_first(stage: Any, tmp_path: Path) -> None:
    folder = library(tmp_path)
    async with stage(respond=planner()) as s:
        await s.press("a")
        await s.until(lambda: isinstance(s.app.screen, AddVideosScreen), "adding")
        s.app.screen.query_one("#paths", Input).value = str(folder)
        s.app.screen.query_one("#output", Input).value = str(tmp_path / "out")
        s.app.screen.query_one("#plan-first", Button).press()
        await s.until(lambda: isinstance(s.app.screen, PlanScreen), "the plan")
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        assert s.app.screen.query_one("#plan-paths", Input).value == str(folder)
        await s.press("enter")
        command = await s.until_sent(AddJobs)
        assert (command.paths, command.output_dir) == ((str(folder),), str(tmp_path / "out"))


async def test_the_picker_of_the_plan_knows_the_paths_already_named(stage: Any, tmp_path: Path) -> None:
    folder = library(tmp_path)
    async with stage(respond=planner()) as s:
        await plan_of(s, folder)
        await s.until(lambda: "+ paid tier" in s.text(), "the table")
        await s.press("a")
        await s.until(lambda: isinstance(s.app.screen, AddVideosScreen), "the picker")
        assert s.app.screen.query_one("#paths", Input).value == str(folder)
        assert not s.app.screen.query("#ok")
        await s.press("enter")
        await s.until_sent(PlanJobs, 2)


@pytest.mark.parametrize("text", ["", "10", "$2.50", "1,000"])
def test_sums_of_dollars_are_taken(text: str) -> None:
    assert cap_problem(text) == ""


@pytest.mark.parametrize("text", ["0", "-1", "ten", "nan", "inf", "1e999"])
def test_other_sums_are_not(text: str) -> None:
    assert cap_problem(text)


def test_counting_looks_at_videos_in_all_folders_and_stops_when_told(tmp_path: Path) -> None:
    folder = library(tmp_path)
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "three.mov").touch()
    stop = threading.Event()
    assert count_videos((str(folder), str(folder / "one.mp4")), stop) == 4
    stop.set()
    assert count_videos((str(folder),), stop) == 0
