"""The queue screen, driven by keys; what it sends and what it shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.widgets import Input

from gsvr_tui.app import farewell
from gsvr_tui.core.messages import (
    AddJobs,
    CancelJobs,
    Command,
    CommandDone,
    CommandRefused,
    HoldJobs,
    JobsChanged,
    Pause,
    ReleaseJobs,
    Resume,
    RetryJobs,
    RunState,
    ServiceStopped,
    SetPriority,
    SetWorkers,
    StatusChanged,
    Stop,
)
from gsvr_tui.core.models import JobState, Priority, Step
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.confirm import ConfirmScreen
from gsvr_tui.ui.screens.detail import DetailScreen

NOW = 1_800_000_000.0


def agree(command: Command) -> list[Any]:
    """A service that carries everything out."""
    return [CommandDone(command.id)]


async def test_the_first_screen_says_whether_it_runs_how_far_and_until_when(stage: Any) -> None:
    async with stage() as s:
        await s.settle()
        text = s.text()
        assert "RUNNING" in text
        assert "4 of 15 done" in text
        assert "ends about 15:00 (in 7 h)" in text
        assert "$3.12 of $10.00" in text


async def test_a_changed_job_is_shown_where_it_stands(stage: Any) -> None:
    async with stage() as s:
        row = s.app.link.model.rows[3]
        s.handle.emit(JobsChanged((replace(row, state=JobState.RUNNING, step=Step.UPLOAD, progress=0.5),)))
        await s.until(lambda: "upload 50 %" in s.text(), "the new state on screen")


async def test_p_pauses_and_the_same_key_goes_on(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("p")
        assert await s.until_sent(Pause) == Pause(s.handle.sent(Pause)[0].id, now=False)
        status = s.app.link.model.status
        s.handle.emit(StatusChanged(replace(status, state=RunState.PAUSING)))
        await s.until(lambda: "3 in flight finish first" in s.text(), "pausing")
        assert "Go on" in s.text()
        s.handle.emit(StatusChanged(replace(status, state=RunState.PAUSED, in_flight=0)))
        await s.until(lambda: "PAUSED" in s.text(), "paused")
        await s.press("p")
        await s.until_sent(Resume)


async def test_stopping_at_once_asks_first_and_names_the_price(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("P")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        assert "3 requests in flight will be sent again" in s.text()
        await s.press("enter")
        assert not s.handle.sent(Pause)
        await s.press("P")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question again")
        await s.press("right", "enter")
        assert (await s.until_sent(Pause)).now


async def test_cancel_acts_at_once_and_u_takes_it_back(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("j", "j", "j", "x")
        job = s.app.link.model.rows[3].id
        assert (await s.until_sent(CancelJobs)).jobs == (job,)
        await s.until(lambda: s.app.link.undo is not None, "the undo")
        assert "Cancelled 1 job; u takes it back" in s.toasts()
        await s.press("u")
        assert (await s.until_sent(RetryJobs)).jobs == (job,)
        await s.press("u")
        assert "There is nothing to undo" in s.toasts()


async def test_verbs_act_on_all_marked_jobs_they_apply_to(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("asterisk", "h")
        rows = s.app.link.model.rows
        held = (await s.until_sent(HoldJobs)).jobs
        assert held == tuple(row.id for row in rows if not row.state.final and row.state is not JobState.HELD)
        await s.until(lambda: not s.app.screen.view.marks, "the marks to be cleared")


async def test_a_range_is_marked_from_the_last_mark(stage: Any) -> None:
    async with stage() as s:
        await s.press("space", "j", "j", "v")
        assert len(s.app.screen.view.marks) == 4
        assert "4 marked" in s.text()
        await s.press("escape")
        assert not s.app.screen.view.marks


async def test_a_held_job_is_released_by_the_same_key(stage: Any) -> None:
    async with stage(respond=agree) as s:
        s.app.screen.jobs.go_to(12)
        await s.settle()
        assert "Release" in s.text()
        await s.press("h")
        assert (await s.until_sent(ReleaseJobs)).jobs == (s.app.link.model.rows[12].id,)


async def test_retry_takes_failed_jobs_and_a_done_one_only_after_a_question(stage: Any) -> None:
    async with stage(respond=agree) as s:
        s.app.screen.jobs.go_to(7)
        await s.press("r")
        assert (await s.until_sent(RetryJobs)).jobs == (s.app.link.model.rows[7].id,)
        s.app.screen.jobs.go_to(9)
        await s.press("r")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("right", "enter")
        assert (await s.until_sent(RetryJobs, 2)).jobs == (s.app.link.model.rows[9].id,)


async def test_a_key_that_can_not_act_says_why(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("r")
        assert "Only failed, cancelled or partial jobs can be tried again" in s.toasts()
        await s.press("o")
        assert "No report yet: the job is running" in s.toasts()
        s.app.screen.jobs.go_to(9)
        await s.press("x")
        assert "Only jobs that are not finished can be cancelled" in s.toasts()
        assert not s.handle.sent(RetryJobs)
        assert not s.handle.sent(CancelJobs)


async def test_a_refusal_of_the_service_is_shown_with_its_advice(stage: Any) -> None:
    async with stage(respond=lambda c: [CommandRefused(c.id, "the disk is full", "free some space")]) as s:
        await s.press("h")
        await s.until(lambda: s.toasts(), "the refusal")
        assert "the disk is full. free some space" in s.toasts()


async def test_the_filter_narrows_live_and_escape_restores(stage: Any) -> None:
    async with stage() as s:
        await s.press("slash", *"optics")
        await s.until(lambda: len(s.app.screen.view) == 3, "three jobs")
        assert "row" not in s.text().splitlines()[-2]
        await s.press("enter")
        assert "filter optics" in s.text()
        await s.press("slash", *" state:done")
        await s.until(lambda: len(s.app.screen.view) == 2, "two jobs")
        await s.press("escape")
        await s.until(lambda: len(s.app.screen.view) == 3, "the filter of before")
        await s.press("escape")
        await s.until(lambda: len(s.app.screen.view) == 16, "all jobs")


async def test_letters_go_into_the_filter_and_run_nothing(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("slash", *"pxqrh")
        assert s.app.screen.query_one("#filter", Input).value == "pxqrh"
        assert not s.handle.sent(Pause)
        assert not s.handle.sent(CancelJobs)


async def test_chips_show_one_state_and_the_cursor_stays_on_its_job(stage: Any) -> None:
    async with stage() as s:
        s.app.screen.jobs.go_to(10)
        job = s.app.screen.view.row.id
        s.app.screen.action_chip("done")
        await s.settle()
        assert len(s.app.screen.view) == 3
        assert s.app.screen.view.row.id == job
        await s.press("right_square_bracket")
        assert s.app.screen.view.chip is JobState.PARTIAL
        await s.press("left_square_bracket", "left_square_bracket", "left_square_bracket")
        assert s.app.screen.view.chip is JobState.RUNNING


async def test_priority_moves_one_class_and_stops_at_the_last(stage: Any) -> None:
    async with stage(respond=agree) as s:
        s.app.screen.jobs.go_to(5)
        await s.press("plus")
        assert (await s.until_sent(SetPriority)).priority is Priority.HIGH
        s.app.screen.jobs.go_to(3)
        await s.press("plus")
        assert "The priority is high already" in s.toasts()


async def test_workers_go_up_and_down_to_automatic(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("W", "w")
        assert [command.workers for command in s.handle.sent(SetWorkers)] == [5, 3]


async def test_adding_takes_pasted_paths_with_and_without_quotes(stage: Any, tmp_path: Path) -> None:
    spaced = tmp_path / "week 3.mp4"
    spaced.touch()
    plain = tmp_path / "b.mp4"
    plain.touch()
    async with stage(respond=lambda c: [CommandDone(c.id, count=2)]) as s:
        await s.press("a")
        s.app.screen.query_one("#paths", Input).value = f"'{spaced}' {plain}"
        await s.press("enter")
        assert (await s.until_sent(AddJobs)).paths == (str(spaced), str(plain))
        await s.until(lambda: "Added 2 videos" in s.toasts(), "the answer")


async def test_adding_what_is_not_there_says_so_and_stays(stage: Any, tmp_path: Path) -> None:
    async with stage(respond=agree) as s:
        await s.press("a", *"/nope", "enter")
        assert "There is no /nope" in s.text()
        await s.press("escape")
        assert not s.handle.sent(AddJobs)


async def test_enter_opens_the_job_and_n_goes_to_the_next(stage: Any) -> None:
    async with stage(size=(80, 24)) as s:
        await s.press("enter")
        await s.until(lambda: isinstance(s.app.screen, DetailScreen) and "uploaded 412 MB" in _overview(s), "details")
        await s.press("n")
        await s.until(lambda: "week-03-lab.mp4" in s.text(), "the next job")
        await s.press("tab")
        await s.until(lambda: "The lecture introduces the cell" in s.text(), "the report")
        assert "a link (https:/ /example.org/x)" in s.text()
        await s.press("tab")
        assert '"title": "Cells"' in s.text()
        await s.press("q")
        assert not isinstance(s.app.screen, DetailScreen)


def _overview(s: Any) -> str:
    return str(s.app.screen.query_one("#overview-text").visual)


async def test_opening_a_report_hands_the_most_readable_file_over(stage: Any) -> None:
    opened: list[str] = []
    async with stage(opener=opened.append) as s:
        s.app.screen.jobs.go_to(9)
        await s.press("o")
        await s.until(lambda: opened, "the opener")
        assert opened == ["/home/ada/reports/bio101/week-03-cells.md"]


async def test_quitting_while_work_runs_offers_three_ways(stage: Any) -> None:
    async with stage() as s:
        await s.press("q")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("escape")
        assert not s.handle.sent(Stop)
        await s.press("ctrl+q")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("right", "enter")
        assert (await s.until_sent(Stop)).drain
        s.handle.emit(ServiceStopped(resumable=7))
        await s.until(lambda: s.app._exit, "the end of the app")
        assert s.app.return_code == 0


async def test_quitting_when_idle_asks_nothing(stage: Any) -> None:
    async with stage(scenes.empty(NOW)) as s:
        await s.press("q")
        assert not (await s.until_sent(Stop)).drain


async def test_an_empty_queue_names_the_next_acts(stage: Any) -> None:
    async with stage(scenes.empty(NOW, with_accounts=False)) as s:
        await s.until(lambda: "No videos yet" in s.text(), "the empty state")
        assert "add an account first" in s.text()


async def test_alerts_group_equal_failures_and_enter_goes_there(stage: Any) -> None:
    async with stage(scenes.many(NOW, 300)) as s:
        await s.press("exclamation_mark")
        await s.until(lambda: "3 x" in s.text(), "the group of failures")
        await s.press("j", "enter")
        await s.until(lambda: getattr(s.app.screen, "view", None) and len(s.app.screen.view) == 3, "the filtered list")


async def test_too_small_a_terminal_is_told_and_still_works(stage: Any) -> None:
    async with stage(size=(50, 12)) as s:
        await s.until(lambda: "needs 60x16" in s.text(), "the notice")
        await s.press("j")
        assert s.app.screen.view.cursor == 1


async def test_a_hundred_thousand_rows_are_moved_through_filtered_and_changed(stage: Any) -> None:
    async with stage(scenes.many(NOW, 100_000)) as s:
        await s.press("G")
        assert s.app.screen.view.cursor == 99_999
        await s.until(lambda: "lecture-099999.mp4" in s.text(), "the last row")
        row = s.app.link.model.rows[99_998]
        s.handle.emit(JobsChanged((replace(row, state=JobState.RUNNING, step=Step.GENERATE),)))
        await s.until(lambda: "generate" in s.text(), "the change")
        s.app.screen.show_query("lecture-0500")
        await s.settle()
        assert len(s.app.screen.view) == 100


async def test_the_mouse_works_for_rows_chips_and_tabs(stage: Any) -> None:
    async with stage() as s:
        await s.pilot.click("#jobs", offset=(10, 7))
        assert s.app.screen.view.cursor == 7
        chips = s.app.screen.query_one("#chips")
        at = chips.render().plain.index("done") + 1
        await s.pilot.click("#chips", offset=(at, 0))
        await s.until(lambda: s.app.screen.view.chip is JobState.DONE, "the chip")
        await s.pilot.click("#tabs", offset=(s.app.screen.query_one("#tabs").render().plain.index("Accounts") + 1, 0))
        await s.until(lambda: s.app.current_mode == "accounts", "the tab")


async def test_a_service_that_ends_by_itself_ends_the_app_with_its_error(stage: Any) -> None:
    async with stage() as s:
        s.handle.emit(ServiceStopped("the state folder is gone", 3))
        await s.until(lambda: s.app._exit, "the end of the app")
        assert s.app.return_code == 1
        assert farewell(s.app).startswith("gsvr-tui: the service ended: the state folder is gone.")


async def test_a_burst_of_changes_is_one_repaint(stage: Any) -> None:
    async with stage() as s:
        drained = []
        drain = s.app.link.drain
        s.app.link.drain = lambda: drained.append(1) or drain()
        row = s.app.link.model.rows[0]
        for number in range(2_000):
            s.handle.emit(JobsChanged((replace(row, progress=number / 2_000),)))
        await s.until(lambda: "generate 99 %" in s.text(), "the last change")
        assert len(drained) <= 5
