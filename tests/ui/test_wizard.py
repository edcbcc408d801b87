"""The first-run wizard: keys checked side by side, kept where the user says, never a dead end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events
from textual.widgets import Button, ContentSwitcher, Input, RadioButton

from gsvr_tui.app import WANTS_DEMO
from gsvr_tui.core.messages import (
    AddAccount,
    CheckKey,
    Command,
    CommandDone,
    CommandRefused,
    Event,
    KeyChecked,
    Stop,
)
from gsvr_tui.core.secret import Secret
from gsvr_tui.ui.rehearsal import scenes
from gsvr_tui.ui.screens.add_videos import AddVideosScreen
from gsvr_tui.ui.screens.confirm import ConfirmScreen
from gsvr_tui.ui.screens.wizard import WizardScreen
from gsvr_tui.ui.wizard_state import Stage

NOW = 1_800_000_000.0
GOOD = "AIza" + "g" * 31 + "good"
TWIN = "AIza" + "t" * 31 + "twin"
BAD = "AIza" + "b" * 32 + "bad"


def never(_: Command) -> list[Event]:
    return []


def keeper(command: Command) -> list[Event]:
    """Finds all keys good but the bad one, and keeps what it is given."""
    if isinstance(command, CheckKey):
        if command.key == Secret(BAD):
            return [KeyChecked(command.id, False, "the key is not valid", "make a new one", dead=True)]
        return [KeyChecked(command.id, True, "ok", latency_ms=212, models=("a", "b"))]
    if isinstance(command, AddAccount):
        return [CommandDone(command.id, f"kept {command.name}")]
    return []


async def open_wizard(stage: Any, respond: Callable[[Command], list[Event]], **options: Any) -> Any:
    return stage(scenes.empty(NOW, with_accounts=False), respond=respond, first_run=True, **options)


async def paste(s: Any, text: str) -> None:
    await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
    s.app.screen.query_one("#key", Input).post_message(events.Paste(text))
    await s.settle()


async def press_button(s: Any, name: str) -> None:
    s.app.screen.query_one(f"#{name}", Button).press()
    await s.settle()


def step(s: Any) -> str | None:
    return s.app.screen.query_one(ContentSwitcher).current


async def test_pasted_keys_are_all_checked_before_the_first_answer_comes(stage: Any) -> None:
    async with await open_wizard(stage, never) as s:
        await paste(s, f"{GOOD}\n{TWIN}\n{BAD}")
        await s.until_sent(CheckKey, 3)
        screen = s.app.screen
        assert screen.entries.count({Stage.CHECKING}) == 3
        first, second, third = s.handle.sent(CheckKey)
        s.handle.emit(KeyChecked(third.id, False, "the key is not valid", "make a new one", dead=True))
        await s.until(lambda: screen.entries.items[2].stage is Stage.BAD, "the last answer, though it came first")
        s.handle.emit(KeyChecked(first.id, True, "ok"), KeyChecked(second.id, True, "ok"))
        await s.until(lambda: screen.entries.count({Stage.GOOD}) == 2, "the others")
        assert "the key is not valid" in s.text()
        assert "make a new one" in s.text()


async def test_a_key_is_never_on_screen(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        box = s.app.screen.query_one("#key", Input)
        box.value = GOOD
        await s.settle()
        assert GOOD[:8] not in s.text()
        await s.press("enter")
        await s.until(lambda: "works, 2 models" in s.text(), "the check")
        assert box.value == ""
        assert "…good" in s.text()
        assert GOOD[:8] not in s.text()


async def test_keys_go_to_the_keyring_and_bad_ones_stay_out(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, f"{GOOD} {BAD} {TWIN}")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD, Stage.BAD}) == 3, "the checks")
        await press_button(s, "to-keep")
        await s.until(lambda: step(s) == "keep", "the second step")
        assert "system's keyring" in s.text()
        assert not s.handle.sent(AddAccount)
        await press_button(s, "do-keep")
        await s.until(lambda: step(s) == "go", "the last step")
        kept = s.handle.sent(AddAccount)
        assert [(command.store, command.key) for command in kept] == [
            ("keyring", Secret(GOOD)),
            ("keyring", Secret(TWIN)),
        ]
        assert "2 accounts ready" in s.text()
        await press_button(s, "add")
        await s.until(lambda: isinstance(s.app.screen, AddVideosScreen), "adding videos")


async def test_keys_of_one_project_stand_together_with_a_note(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, f"{GOOD} {BAD} {TWIN}")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD, Stage.BAD}) == 3, "the checks")
        fields = list(s.app.screen.query(".key-project").results(Input))
        fields[2].focus()
        await s.settle()
        fields[2].value = "account-1"
        await s.press("tab")
        await s.until(lambda: [row.id for row in s.app.screen.query("KeyRow")] == ["key-1", "key-3", "key-2"], "groups")
        assert "shares the quota of account-1 with account-3" in s.text()
        await press_button(s, "to-keep")
        await press_button(s, "do-keep")
        await s.until_sent(AddAccount, 2)
        assert {command.project for command in s.handle.sent(AddAccount)} == {"account-1"}


async def test_the_vault_wants_the_same_passphrase_twice(stage: Any) -> None:
    async with await open_wizard(stage, keeper, keyring_available=False) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await press_button(s, "to-keep")
        await s.until(lambda: step(s) == "keep", "the second step")
        assert s.app.screen.query_one("#keyring", RadioButton).disabled
        first, second = (s.app.screen.query_one(name, Input) for name in ("#passphrase", "#passphrase-again"))
        first.value, second.value = "correct horse", "correct house"
        await press_button(s, "do-keep")
        assert "The two passphrases differ" in s.text()
        assert not s.handle.sent(AddAccount)
        second.value = "correct horse"
        await press_button(s, "do-keep")
        command = await s.until_sent(AddAccount)
        assert (command.store, command.passphrase) == ("vault", Secret("correct horse"))
        await s.until(lambda: step(s) == "go", "the last step")
        assert first.value == second.value == ""


async def test_a_variable_is_kept_by_name_and_the_key_is_not_asked_for(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        s.app.screen.enter_keys("$LAB_KEY")
        await s.settle()
        await press_button(s, "to-keep")
        await press_button(s, "do-keep")
        command = await s.until_sent(AddAccount)
        assert (command.store, command.env, command.key) == ("env", "LAB_KEY", None)
        assert not s.handle.sent(CheckKey)


async def test_environment_variables_are_named_before_they_are_chosen(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await press_button(s, "to-keep")
        s.app.screen.query_one("#env", RadioButton).value = True
        await s.until(lambda: "account-1: GEMINI_API_KEY_ACCOUNT_1" in s.text(), "the name of the variable")
        await press_button(s, "do-keep")
        command = await s.until_sent(AddAccount)
        assert (command.store, command.env) == ("env", "GEMINI_API_KEY_ACCOUNT_1")


async def test_what_can_not_be_kept_says_why_and_can_be_tried_again(stage: Any) -> None:
    answers = iter([False, True])

    def sometimes(command: Command) -> list[Event]:
        if isinstance(command, AddAccount) and not next(answers):
            return [CommandRefused(command.id, "the keyring is locked", "unlock it and press Keep again")]
        return keeper(command)

    async with await open_wizard(stage, sometimes) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await press_button(s, "to-keep")
        await press_button(s, "do-keep")
        await s.until(lambda: "unlock it and press Keep again" in s.text(), "the refusal")
        assert step(s) == "keep"
        await press_button(s, "do-keep")
        await s.until(lambda: step(s) == "go", "the last step")


async def test_a_service_that_can_not_be_reached_is_no_dead_end(stage: Any) -> None:
    def offline(command: Command) -> list[Event]:
        if isinstance(command, CheckKey):
            return [KeyChecked(command.id, False, "the service can't be reached", "check the network")]
        return keeper(command)

    async with await open_wizard(stage, offline) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.UNSURE}), "the check")
        await press_button(s, "to-keep")
        await press_button(s, "do-keep")
        await s.until_sent(AddAccount)


async def test_two_accounts_of_one_name_are_not_kept(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, f"{GOOD} {TWIN}")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}) == 2, "the checks")
        for field in s.app.screen.query(".key-name").results(Input):
            field.value = "lab"
        await s.settle()
        await press_button(s, "to-keep")
        assert "There is an account called lab already" in s.text()
        assert step(s) == "keys"


async def test_leaving_with_keys_not_kept_asks_and_later_is_possible(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, GOOD)
        await s.press("escape")
        await s.until(lambda: isinstance(s.app.screen, ConfirmScreen), "the question")
        assert "1 key entered here is not kept yet" in s.text()
        await s.press("right", "enter")
        await s.until(lambda: not isinstance(s.app.screen, WizardScreen | ConfirmScreen), "the queue")
        await s.press("2", "a")
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard once more")


async def test_the_demo_is_asked_of_the_caller_by_the_exit_status(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        await press_button(s, "demo-now")
        await s.until(lambda: s.app._exit, "the end of the app")
        assert s.app.return_code == WANTS_DEMO
        assert s.handle.sent(Stop)


async def test_the_whole_wizard_goes_by_enter_alone(stage: Any) -> None:
    async with await open_wizard(stage, keeper, keyring_available=False, size=(80, 24)) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        await s.press(*GOOD, "enter")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await s.press("enter")
        await s.until(lambda: step(s) == "keep", "the second step")
        assert s.app.screen.focused.id == "passphrase"
        await s.press(*"correct horse", "enter")
        assert s.app.screen.focused.id == "passphrase-again"
        assert not s.handle.sent(AddAccount)
        await s.press(*"correct horse", "enter")
        await s.until(lambda: step(s) == "go", "the last step")
        assert s.handle.sent(AddAccount)[0].passphrase == Secret("correct horse")
        await s.press("enter")
        await s.until(lambda: isinstance(s.app.screen, AddVideosScreen), "adding videos")


async def test_with_a_keyring_nothing_needs_to_be_typed(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await s.press("enter", "enter")
        assert (await s.until_sent(AddAccount)).store == "keyring"


async def test_enter_on_a_place_to_keep_keys_goes_to_what_it_needs(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await s.press("enter", "shift+tab", "down", "enter")
        assert s.app.screen.store == "vault"
        assert s.app.screen.focused.id == "passphrase"
        await s.press("shift+tab", "down", "enter")
        assert s.app.screen.store == "env"
        assert s.app.screen.focused.id == "do-keep"
        assert "must be set to its key" in " ".join(s.text().split())


async def test_a_wrong_passphrase_is_typed_again_not_mended(stage: Any) -> None:
    async with await open_wizard(stage, keeper, keyring_available=False) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await s.press("enter", *"short", "enter", *"short", "enter")
        assert "at least 8 characters" in s.text()
        assert s.app.screen.focused.id == "passphrase"
        assert s.app.screen.focused.value == ""
        await s.press(*"correct horse", "enter", *"correct house", "enter")
        assert "The two passphrases differ" in s.text()
        assert s.app.screen.focused.id == "passphrase-again"
        await s.press(*"correct horse", "enter")
        await s.until(lambda: step(s) == "go", "the last step")


async def test_enter_with_nothing_entered_says_what_is_wanted(stage: Any) -> None:
    async with await open_wizard(stage, keeper) as s:
        await s.until(lambda: isinstance(s.app.screen, WizardScreen), "the wizard")
        await s.press("enter")
        assert "Paste a key" in s.text()
        assert step(s) == "keys"


async def test_accounts_are_kept_one_after_the_other(stage: Any) -> None:
    def silent_keeper(command: Command) -> list[Event]:
        return keeper(command) if isinstance(command, CheckKey) else []

    async with await open_wizard(stage, silent_keeper) as s:
        await paste(s, f"{GOOD} {TWIN}")
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}) == 2, "the checks")
        await s.press("enter", "enter")
        first = await s.until_sent(AddAccount)
        assert len(s.handle.sent(AddAccount)) == 1
        s.handle.emit(CommandDone(first.id))
        await s.until_sent(AddAccount, 2)


async def test_refusals_and_advice_are_told_whole_on_a_small_terminal(stage: Any) -> None:
    advice = "Set GEMINI_API_KEY_ACCOUNT_1 to the key in the shell that starts gsvr-tui, then start it again."

    def refuse(command: Command) -> list[Event]:
        if isinstance(command, AddAccount):
            return [CommandRefused(command.id, "GEMINI_API_KEY_ACCOUNT_1 is not set", advice)]
        return keeper(command)

    async with await open_wizard(stage, refuse, size=(80, 24)) as s:
        await paste(s, GOOD)
        await s.until(lambda: s.app.screen.entries.count({Stage.GOOD}), "the check")
        await s.press("enter", "shift+tab", "down", "down", "enter", "enter")
        await s.until(lambda: "is not set" in s.text(), "the refusal")
        assert advice in " ".join(s.text().split())
