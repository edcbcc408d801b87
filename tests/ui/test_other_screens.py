"""Accounts, logs, help and palette, driven by keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from textual.widgets import Input

from gsvr_tui.core.messages import (
    AccountsChanged,
    CheckAccount,
    CommandDone,
    EnableAccount,
    LogLine,
    QuotaChanged,
    RemoveAccount,
    StatusChanged,
)
from gsvr_tui.core.models import AccountHealth
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.accounts import AccountsScreen
from gsvr_tui.ui.screens.confirm import ConfirmScreen
from gsvr_tui.ui.screens.help import HelpScreen
from gsvr_tui.ui.screens.logs import LogsScreen
from gsvr_tui.ui.screens.queue import QueueScreen

NOW = 1_800_000_000.0


def agree(command: Any) -> list[Any]:
    return [CommandDone(command.id)]


async def test_accounts_show_use_by_project_and_who_shares_it(stage: Any) -> None:
    async with stage() as s:
        await s.press("2")
        await s.until(lambda: isinstance(s.app.screen, AccountsScreen), "accounts")
        text = s.text()
        assert "2 accounts share its quota" in text
        assert "6/10" in text
        assert "412/500" in text
        assert "…x7Qa" in text


async def test_the_cursor_only_stands_on_accounts(stage: Any) -> None:
    async with stage() as s:
        await s.press("2")
        seen = []
        for _ in range(6):
            seen.append(s.app.screen.accounts.account.name)
            await s.press("j")
        assert seen == ["lab-a", "lab-b", "lab-c", "lab-d", "lab-d", "lab-d"]
        assert "Make a new key for the project" in s.text()


async def test_check_disable_and_remove_send_what_they_say(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("2", "c", "d")
        assert (await s.until_sent(CheckAccount)).name == "lab-a"
        assert (await s.until_sent(EnableAccount)).enabled is False
        await s.press("x")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("enter")
        assert not s.handle.sent(RemoveAccount)
        await s.press("x")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        await s.press("right", "enter")
        assert (await s.until_sent(RemoveAccount)).name == "lab-a"


async def test_a_disabled_account_is_enabled_by_the_same_key(stage: Any) -> None:
    async with stage(respond=agree) as s:
        await s.press("2")
        off = replace(s.app.link.model.accounts[0], health=AccountHealth.DISABLED)
        s.handle.emit(AccountsChanged((off, *s.app.link.model.accounts[1:])))
        await s.until(lambda: "Enable" in s.text(), "the label")
        await s.press("d")
        assert (await s.until_sent(EnableAccount)).enabled is True


async def test_models_not_in_use_are_counted_not_listed(stage: Any) -> None:
    async with stage() as s:
        await s.press("2")
        await s.until(lambda: "1 more model not used today" in s.text(), "the remark")
        assert "gemini-lite-latest" not in s.text()


async def test_the_quota_of_the_account_under_the_cursor_is_in_sight(stage: Any) -> None:
    scene = scenes.working(NOW)
    rows = scene.accounts
    many = tuple(replace(rows[0], name=f"acct-{i}", project=f"p{i}") for i in range(12))
    use = tuple(replace(scene.quota[0], project=f"p{i}", day_used=100 + i) for i in range(12))
    async with stage(replace(scene, accounts=many, quota=use), size=(80, 24)) as s:
        await s.press("2", *["j"] * 11)
        assert "acct-11" in s.text()
        assert "111/500" in s.text()


async def test_quota_moves_while_the_screen_is_open(stage: Any) -> None:
    async with stage() as s:
        await s.press("2")
        rows = s.app.link.model.quota
        s.handle.emit(QuotaChanged((replace(rows[0], day_used=499), *rows[1:])))
        await s.until(lambda: "499/500" in s.text(), "the new figure")


async def test_logs_follow_until_the_user_moves_up(stage: Any) -> None:
    async with stage() as s:
        await s.press("3")
        await s.until(lambda: isinstance(s.app.screen, LogsScreen), "logs")
        s.handle.emit(*[LogLine(NOW + i, "info", "gen", f"line {i}") for i in range(100)])
        await s.until(lambda: "line 99" in s.text(), "the newest line")
        await s.press("pageup", "pageup", "pageup")
        s.handle.emit(LogLine(NOW, "info", "gen", "one more"))
        await s.until(lambda: s.app.screen.lines.count() == 101, "the line")
        assert "one more" not in s.text()
        assert "not following" in s.text()
        await s.press("end")
        await s.until(lambda: "one more" in s.text(), "following again")


async def test_the_level_hides_and_shows_lines(stage: Any) -> None:
    async with stage() as s:
        s.handle.emit(*scenes.log_lines(NOW))
        await s.press("3")
        await s.until(lambda: s.app.screen.lines.count() == 5, "info and graver")
        await s.press("plus")
        assert s.app.screen.lines.count() == 6
        await s.press("plus")
        assert "Everything is shown already" in s.toasts()
        await s.press("minus", "minus", "minus")
        assert s.app.screen.lines.count() == 1
        assert "no sound track" in s.text()


async def test_find_goes_from_match_to_match_and_around(stage: Any) -> None:
    async with stage() as s:
        s.handle.emit(*[LogLine(NOW + i, "info", "gen", f"line {i % 10}") for i in range(30)])
        await s.press("3")
        await s.until(lambda: s.app.screen.lines.count() == 30, "lines")
        await s.press("slash", *"line 7", "enter")
        assert s.app.screen.lines.cursor == 7
        await s.press("n")
        assert s.app.screen.lines.cursor == 17
        await s.press("N", "N")
        assert s.app.screen.lines.cursor == 27


async def test_a_line_opens_its_fields_and_leads_to_its_job(stage: Any) -> None:
    async with stage() as s:
        s.handle.emit(*scenes.log_lines(NOW))
        await s.press("3")
        await s.until(lambda: s.app.screen.lines.count() == 5, "lines")
        s.app.screen.go(2)
        await s.press("enter")
        await s.until(lambda: "NO_AUDIO" in s.text(), "the fields")
        await s.press("o")
        await s.until(lambda: isinstance(s.app.screen, QueueScreen), "the queue")
        assert s.app.screen.view.row.id == "job0000007"


async def test_going_to_a_job_closes_the_details_of_another(stage: Any) -> None:
    async with stage() as s:
        s.handle.emit(*scenes.log_lines(NOW))
        await s.press("enter", "3")
        await s.until(lambda: s.app.screen.lines.count() == 5, "lines")
        await s.press("o")
        await s.until(lambda: isinstance(s.app.screen, QueueScreen), "the queue")
        assert s.app.screen.view.row.id == "job0000002"


async def test_old_log_lines_leave_and_the_view_keeps_up(stage: Any) -> None:
    async with stage() as s:
        await s.press("3")
        s.handle.emit(*[LogLine(NOW, "info", "gen", f"line {i}") for i in range(50_000)])
        await s.until(lambda: s.app.screen.lines.count() == 50_000, "a full ring")
        s.handle.emit(*[LogLine(NOW, "info", "gen", f"late {i}") for i in range(10)])
        await s.until(lambda: "late 9" in s.text(), "the newest")
        assert s.app.screen.lines.count() == 50_000
        await s.press("g")
        assert "line 10" in s.text()


async def test_help_lists_this_screens_keys_and_enter_runs_one(stage: Any) -> None:
    async with stage() as s:
        await s.press("question_mark")
        await s.until(lambda: isinstance(s.app.screen, HelpScreen), "help")
        assert "mark this job and step down" in s.text()
        s.app.screen.query_one(Input).value = "all the list shows"
        await s.until(lambda: "Mark all" in s.text() and "Retry" not in s.text(), "the filter")
        await s.press("enter")
        await s.until(lambda: len(getattr(getattr(s.app.screen, "view", None), "marks", ())) == 16, "the action")


async def test_the_palette_runs_actions_of_the_table(stage: Any) -> None:
    async with stage() as s:
        await s.press("ctrl+p")
        await s.until(
            lambda: s.app.screen.id == "--command-palette" or "Palette" in type(s.app.screen).__name__, "palette"
        )
        await s.press(*"mark all the")
        await s.until(lambda: "mark all the list shows" in s.text(), "the hit")
        await s.press("enter")
        await s.until(lambda: len(getattr(getattr(s.app.screen, "view", None), "marks", ())) == 16, "the action")


async def test_a_screen_that_was_hidden_is_up_to_date_when_it_comes_back(stage: Any) -> None:
    async with stage() as s:
        await s.press("3")
        status = s.app.link.model.status
        s.handle.emit(StatusChanged(replace(status, spent_usd=9.87)), LogLine(NOW, "info", "gen", "while here"))
        await s.until(lambda: "$9.87" in s.text(), "this screen")
        await s.press("1")
        await s.until(lambda: "$9.87" in s.text(), "the other")


async def test_themes_change_by_the_palette_and_a_faulty_one_is_reported(stage: Any) -> None:
    async with stage(themes={"mine": {"colors": {"text": "no colour"}}}, theme="mine") as s:
        await s.until(lambda: s.toasts(), "the report")
        assert any("theme mine, field colors.text" in line for line in s.toasts())
        assert s.app.theme == "dark"
        s.app.use_theme("light")
        await s.settle()
        assert s.app.theme == "light"
