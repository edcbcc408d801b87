"""Textual's own widgets, drawn so that they need no colour and no glyph of doubtful width."""

from __future__ import annotations

from typing import ClassVar

from textual.scrollbar import ScrollBarRender
from textual.widgets import RadioButton


class WholeCells(ScrollBarRender):
    """A scrollbar of whole cells: background colour only, no partial blocks."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class Radio(RadioButton):
    """`(*)` and `( )`: what is chosen is seen without colour."""

    BUTTON_LEFT = ""
    BUTTON_RIGHT = ""
    BUTTON_INNER = "( )"

    def watch_value(self) -> None:
        """Draw the choice."""
        self.BUTTON_INNER = "(*)" if self.value else "( )"
        super().watch_value()
