"""The wizard's own fields: one that takes pasted keys, and a choice that Enter settles."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, RadioSet

from gsvr_tui.ui.wizard_state import complete_keys


class KeyInput(Input):
    """Gives pasted keys away at once: several are parted, complete ones need no Enter."""

    class Pasted(Message):
        """Whole keys; `text` is secret."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def _on_paste(self, event: events.Paste) -> None:
        if len(event.text.split()) > 1 or complete_keys(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(self.Pasted(event.text))
            return
        super()._on_paste(event)


class StoreSet(RadioSet):
    """Enter chooses and goes on to what the choice needs."""

    class Settled(Message):
        """The choice is made, also when it is the one there was."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "settle", show=False)]

    def action_settle(self) -> None:
        """Choose the line under the cursor."""
        if self._selected is not None and self._nodes[self._selected] is not self.pressed_button:
            self.action_toggle_button()
        self.post_message(self.Settled())
