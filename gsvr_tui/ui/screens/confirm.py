"""A question with a few answers; the first one is the safe one and has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from gsvr_tui.ui.safe import safe


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its id, its words, its tone (`fail` for what can't be taken back)."""

    id: str
    title: str
    tone: str = ""


class ConfirmScreen(ModalScreen[str]):
    """Gives the id of the answer chosen; Esc is the first one."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "safe", "Back", id="confirm.safe"),
        Binding("left,h", "app.focus_previous", "Previous", id="confirm.previous"),
        Binding("right,l", "app.focus_next", "Next", id="confirm.next"),
    ]

    def __init__(self, title: str, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._title, self._text, self._choices = title, text, tuple(choices)

    def compose(self) -> ComposeResult:
        """Title, text, buttons."""
        with Vertical(classes="dialog"):
            yield Static(safe(self._title), classes="dialog-title")
            yield Static(safe(self._text, newlines=True), classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                for choice in self._choices:
                    yield Button(safe(choice.title), id=choice.id, classes=choice.tone and f"-{choice.tone}")

    def on_mount(self) -> None:
        """The safe answer first."""
        self.query_one(f"#{self._choices[0].id}", Button).focus()

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id or self._choices[0].id)

    def action_safe(self) -> None:
        """Leave without doing anything."""
        self.dismiss(self._choices[0].id)
