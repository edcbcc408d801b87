"""Accounts: why work goes there, where limits come from, and another key in place of the old one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from textual.widgets import Input

from gsvr_tui.core.messages import (
    CheckKey,
    Command,
    CommandDone,
    CommandRefused,
    Event,
    KeyChecked,
    ReplaceKey,
    Snapshot,
)
from gsvr_tui.core.models import KeyRef
from gsvr_tui.core.secret import Secret
from gsvr_tui.ui.marks import ASCII, UNICODE
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.account_text import limits_in_words, sparkline
from gsvr_tui.ui.screens.accounts import AccountsScreen
from gsvr_tui.ui.screens.replace_key import ReplaceKeyScreen

NOW = 1_800_000_000.0
NEW = "AIza" + "n" * 32 + "new"


def answering(checked: KeyChecked | None) -> Any:
    """Answers CheckKey with this (None: not at all) and agrees to a new key."""

    def respond(command: Command) -> list[Event]:
        if isinstance(command, CheckKey):
            return [replace(checked, command_id=command.id)] if checked is not None else []
        return [CommandDone(command.id, "lab-a: key replaced; it works")] if isinstance(command, ReplaceKey) else []

    return respond


def kept_in(kind: str) -> Snapshot:
    scene = scenes.working(NOW)
    first = replace(scene.accounts[0], key_ref=KeyRef(kind, "LAB_KEY"))
    return replace(scene, accounts=(first, *scene.accounts[1:]))


async def new_key(s: Any, key: str = NEW) -> Any:
    await s.press("2", "e")
    await s.until(lambda: isinstance(s.app.screen, ReplaceKeyScreen), "the dialog")
    s.app.screen.query_one("#new-key", Input).value = key
    await s.press("enter")
    return s.app.screen


async def test_why_work_goes_to_the_account_under_the_cursor_is_said_in_full(stage: Any) -> None:
    async with stage(size=(80, 24)) as s:
        await s.press("2")
        words = " ".join(s.text().split())
        assert "Takes the next job: 2 of 10 requests a minute are free, and the file would be there in 40 s" in words
        await s.press("j")
        assert "Next at 09:30, when the project's day begins" in s.text()


async def test_why_stands_in_the_list_where_there_is_room(stage: Any) -> None:
    async with stage(size=(120, 40)) as s:
        await s.press("2")
        assert "1 in flight; next at 09:30" in s.text()


async def test_a_key_is_replaced_after_the_service_took_it(stage: Any) -> None:
    async with stage(respond=answering(KeyChecked("", True, "ok"))) as s:
        await new_key(s)
        command = await s.until_sent(ReplaceKey)
        assert (command.name, command.key, command.passphrase) == ("lab-a", Secret(NEW), None)
        assert (await s.until_sent(CheckKey)).key == Secret(NEW)
        await s.until(lambda: isinstance(s.app.screen, AccountsScreen), "the list")
        assert "lab-a: key replaced; it works" in s.toasts()


async def test_a_dead_key_never_takes_the_place_of_another(stage: Any) -> None:
    dead = KeyChecked("", False, "the key is not valid", "make a new one", dead=True)
    async with stage(respond=answering(dead)) as s:
        await new_key(s)
        await s.until(lambda: "The service does not take it" in s.text(), "the answer")
        assert "make a new one" in s.text()
        assert NEW[:8] not in s.text()
        assert not s.handle.sent(ReplaceKey)


async def test_a_key_that_could_not_be_checked_is_kept_by_a_second_enter(stage: Any) -> None:
    async with stage(respond=answering(KeyChecked("", False, "nobody answers"))) as s:
        screen = await new_key(s)
        await s.until(lambda: "Enter again keeps it all the same." in s.text(), "the question")
        assert not s.handle.sent(ReplaceKey)
        screen.query_one("#new-key", Input).value = NEW + "er"
        await s.press("enter")
        await s.until_sent(CheckKey, 2)
        await s.until(lambda: "Enter again keeps it all the same." in s.text(), "another key asks anew")
        assert not s.handle.sent(ReplaceKey)
        await s.press("enter")
        assert (await s.until_sent(ReplaceKey)).key == Secret(NEW + "er")


async def test_the_encrypted_file_may_want_its_passphrase(stage: Any) -> None:
    def respond(command: Command) -> list[Event]:
        if isinstance(command, CheckKey):
            return [KeyChecked(command.id, True, "ok")]
        if isinstance(command, ReplaceKey) and command.passphrase is None:
            return [CommandRefused(command.id, "the encrypted file is closed", "give its passphrase")]
        return [CommandDone(command.id)]

    async with stage(kept_in("vault"), respond=respond) as s:
        screen = await new_key(s)
        await s.until(lambda: "the encrypted file is closed" in s.text(), "the refusal")
        assert "give its passphrase" in s.text()
        screen.query_one("#new-passphrase", Input).value = "correct horse"
        await s.press("enter")
        assert (await s.until_sent(ReplaceKey, 2)).passphrase == Secret("correct horse")


async def test_a_key_in_a_variable_is_not_replaced_here(stage: Any) -> None:
    async with stage(kept_in("env")) as s:
        await s.press("2", "e")
        assert "The key is read from $LAB_KEY: set the variable anew and start again" in s.toasts()
        assert "New key" not in s.text().splitlines()[-1]


async def test_half_a_key_is_not_even_checked(stage: Any) -> None:
    async with stage(respond=answering(None)) as s:
        await new_key(s, "AIza")
        assert "too short for a key" in s.text()
        assert not s.handle.sent(CheckKey)


def test_limits_say_where_they_come_from_and_what_else_is_counted() -> None:
    row = scenes.quota(NOW)[1]
    assert limits_in_words(row, NOW, UTC) == [
        "limits as the service named them (06:00)",
        "taken only evenly spaced, one every 6.0 s",
        "$1.20 of $10.00 in ten minutes",
    ]
    more = replace(row, limit_source="unknown", learned_at=None, paced=False, spend_limit_usd=None)
    more = replace(more, tokens_day_used=1_250_000, tokens_day_limit=5_000_000)
    assert limits_in_words(more, NOW, UTC) == ["limits not known", "tokens today 1.2M of 5M"]


@pytest.mark.parametrize("marks", [UNICODE, ASCII])
def test_one_answer_is_told_from_none_beside_any_peak(marks: Any) -> None:
    line = sparkline((0, 1, 500, 1000), marks)
    assert line[0] == marks.spark[0] != line[1]
    assert line[3] == marks.spark[-1] != line[2]
    assert sparkline((0, 0), marks) == marks.spark[0] * 2
    assert sparkline((), marks) == ""
