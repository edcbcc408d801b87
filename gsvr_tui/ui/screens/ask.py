"""Two small dialogs: one of a list, and one line of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from gsvr_tui.ui.safe import join, safe

AS_CONFIGURED = "as configured"


class ChooseScreen(ModalScreen[str | None]):
    """One of `names`; empty: as configured; None: nothing chosen. The present one is marked and under the cursor."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="choose.close"),
        Binding("j", "step(1)", "Down", id="choose.down"),
        Binding("k", "step(-1)", "Up", id="choose.up"),
    ]

    def __init__(self, title: str, names: Sequence[str], present: str) -> None:
        super().__init__()
        self._title, self._names, self._present = title, ("", *names), present

    def compose(self) -> ComposeResult:
        """Title, list, hint."""
        with Vertical(classes="dialog help"):
            yield Static(safe(self._title), classes="dialog-title")
            yield OptionList(*[self._option(name) for name in self._names], markup=False)
            yield Static(safe("Enter chooses   Esc closes"), classes="dialog-hint")

    def on_mount(self) -> None:
        """On the present one."""
        if self._present in self._names:
            self.query_one(OptionList).highlighted = self._names.index(self._present)

    def _option(self, name: str) -> Option:
        mark = "* " if name == self._present else "  "
        return Option(join((mark, "$accent"), (name or AS_CONFIGURED, "$foreground")))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._names[event.option_index])

    def action_close(self) -> None:
        """Choose nothing."""
        self.dismiss(None)

    def action_step(self, by: int) -> None:
        """Like the arrow keys."""
        listing = self.query_one(OptionList)
        if by > 0:
            listing.action_cursor_down()
        else:
            listing.action_cursor_up()


class AskScreen(ModalScreen[str | None]):
    """One line of text; `problem_of` says what is wrong with it, in a sentence, or nothing."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "Back", id="ask.close")]

    def __init__(self, title: str, text: str, value: str, problem_of: Callable[[str], str]) -> None:
        super().__init__()
        self._title, self._text, self._value, self._problem_of = title, text, value, problem_of

    def compose(self) -> ComposeResult:
        """Title, text, line, what is wrong with it."""
        with Vertical(classes="dialog ask"):
            yield Static(safe(self._title), classes="dialog-title")
            yield Static(safe(self._text, newlines=True), classes="dialog-text")
            yield Input(self._value, id="line")
            yield Static(classes="problem")
            yield Static(safe("Enter takes it   Esc leaves it as it is"), classes="dialog-hint")

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        problem = self._problem_of(event.value)
        if problem:
            self.query_one(".problem", Static).update(safe(problem))
        else:
            self.dismiss(event.value)

    def action_close(self) -> None:
        """Leave it."""
        self.dismiss(None)
