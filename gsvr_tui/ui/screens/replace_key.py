"""Another key for an account: checked by the service before it takes the old one's place."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from gsvr_tui.core.messages import AccountRow, CheckKey, CommandDone, CommandRefused, KeyChecked, ReplaceKey
from gsvr_tui.core.secret import Secret
from gsvr_tui.ui.safe import join, safe, styled
from gsvr_tui.ui.wizard_state import SHORTEST_KEY

if TYPE_CHECKING:
    from gsvr_tui.ui.base_app import BaseApp


class ReplaceKeyScreen(ModalScreen[str]):
    """Gives what was done in words, or nothing."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Back", id="replace.close")]

    def __init__(self, account: AccountRow) -> None:
        super().__init__()
        self._account = account
        self._unsure: Secret | None = None  # could not be checked; the next Enter keeps it all the same

    def compose(self) -> ComposeResult:
        """What it is about, key, passphrase, what the service says."""
        row = self._account
        text = (
            f"The new key takes the place of {'the one ending in ' + row.key_tail if row.key_tail else 'the old one'}. "
            "Project, quota and history stay. Take a key of the same project."
        )
        with Vertical(classes="dialog ask"):
            yield Static(safe(f"New key for {row.name}"), classes="dialog-title")
            yield Static(safe(text), classes="dialog-text")
            yield Input(placeholder="paste the key; it is not shown", password=True, id="new-key")
            if row.key_ref.kind == "vault":
                yield Input(
                    placeholder="passphrase of the encrypted file; empty: as given at the start",
                    password=True,
                    id="new-passphrase",
                )
            yield Static(id="said", classes="said")
            yield Static(
                safe("Enter checks and replaces   Tab next field   Esc keeps the old key"), classes="dialog-hint"
            )

    @on(Input.Changed)
    def _changed(self) -> None:
        self._unsure = None

    @on(Input.Submitted)
    def _entered(self) -> None:
        value = self.query_one("#new-key", Input).value.strip()
        if len(value) < SHORTEST_KEY:
            self._say("That is too short for a key; paste the whole key", "fail")
            return
        self._replace(Secret(value))

    @work(exclusive=True, group="replace")
    async def _replace(self, key: Secret) -> None:
        link = cast("BaseApp", self.app).link
        if self._unsure != key:
            self._say("checking the key", "wait")
            checked = await link.ask(CheckKey(link.new_id(), key, self._account.base_url))
            match checked:
                case KeyChecked(ok=True):
                    pass
                case KeyChecked(dead=True, message=message, advice=advice):
                    self.query_one("#new-key", Input).value = ""
                    self._say(f"The service does not take it: {message}. The old key stays.", "fail", advice)
                    return
                case KeyChecked(message=message) | CommandRefused(message=message):
                    self._unsure = key
                    self._say(f"It could not be checked: {message}", "rest", "Enter again keeps it all the same.")
                    return
                case _:
                    self._say("an answer that was not expected", "fail")
                    return
        self._say("replacing the key", "wait")
        passphrase = ""
        for field in self.query("#new-passphrase").results(Input):
            passphrase = field.value
        command = ReplaceKey(link.new_id(), self._account.name, key, Secret(passphrase) if passphrase else None)
        match await link.ask(command):
            case CommandDone(message=message):
                self.dismiss(message or f"{self._account.name}: key replaced")
            case CommandRefused(message=message, advice=advice):
                self._say(message, "fail", advice)
            case _:
                self._say("an answer that was not expected", "fail")

    def _say(self, text: str, tone: str, advice: str = "") -> None:
        more = ("\n", styled(advice, "$foreground")) if advice else ()
        self.query_one("#said", Static).update(join(styled(text, f"$status-{tone}"), *more))

    def action_close(self) -> None:
        """Leave the old key."""
        self.dismiss("")
