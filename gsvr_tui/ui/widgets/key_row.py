"""One key in the wizard: its tail, name, project, and what the check said."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Static

from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.safe import join, safe, styled
from gsvr_tui.ui.wizard_state import Entry, Stage

_LOOK = {
    Stage.CHECKING: ("wait", "."),
    Stage.GOOD: ("ok", "✓"),
    Stage.UNSURE: ("rest", "~"),
    Stage.BAD: ("fail", "✗"),
    Stage.KEEPING: ("wait", "."),
    Stage.KEPT: ("ok", "✓"),
    Stage.REFUSED: ("fail", "✗"),
}
_ASCII = {"✓": "v", "✗": "x"}


class KeyRow(Vertical):
    """Edits its entry in place; says so."""

    class Edited(Message):
        """Name or project changed; `settled` when the field was left."""

        def __init__(self, row: KeyRow, *, settled: bool) -> None:
            super().__init__()
            self.row, self.settled = row, settled

    class Removed(Message):
        """The user does not want this key."""

        def __init__(self, row: KeyRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, entry: Entry, marks: Marks) -> None:
        super().__init__(id=f"key-{entry.number}")
        self.entry = entry
        self._marks = marks

    def compose(self) -> ComposeResult:
        """Two lines: fields, and what is to be known."""
        with Horizontal(classes="key-fields"):
            yield Static(safe(self._shown()), classes="key-tail")
            yield Input(self.entry.name, placeholder="name", classes="key-name")
            yield Input(self.entry.project, placeholder="project", classes="key-project")
            yield Static(classes="key-state")
            yield Button("Remove", classes="key-remove")
        yield Static(classes="key-note")

    def on_mount(self) -> None:
        """As it stands."""
        self.show("")

    def show(self, note: str) -> None:
        """Draw anew; `note` is said when the entry has nothing to say itself."""
        if not self.children:  # not composed yet; on_mount shows it
            return
        entry = self.entry
        tone, sign = _LOOK[entry.stage]
        sign = _ASCII.get(sign, sign) if self._marks.ascii else sign
        self.query_one(".key-state", Static).update(join((f"{sign} ", f"$status-{tone}"), (entry.text, "$foreground")))
        line = self.query_one(".key-note", Static)
        text = entry.advice or note
        line.update(styled(text, "$muted"))
        line.display = bool(text)
        for field in self.query(Input):
            field.disabled = entry.stage in (Stage.KEPT, Stage.KEEPING)
        self.query_one(".key-remove", Button).display = entry.stage not in (Stage.KEPT, Stage.KEEPING)

    def _shown(self) -> str:
        return self.entry.shown.replace("…", "..") if self._marks.ascii else self.entry.shown

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.has_class("key-name"):
            # a project nobody named follows the account's name
            follows = self.entry.project == self.entry.name
            self.entry.name = event.value
            if follows:
                self.query_one(".key-project", Input).value = event.value
        else:
            self.entry.project = event.value
        self.post_message(self.Edited(self, settled=False))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.screen.focus_next()

    @on(Input.Blurred)
    def _left(self, event: Input.Blurred) -> None:
        event.stop()
        self.post_message(self.Edited(self, settled=True))

    @on(Button.Pressed)
    def _remove(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Removed(self))
