"""A list of any length that draws only the lines in sight (Textual's Line API)."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from gsvr_tui.ui.marks import UNICODE, Marks

_CACHED_SCREENS = 4

Piece = tuple[str, str]
"""Text that exactly fills its column, and its tone."""


class LineList(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines with a cursor. A subclass says how many there are and what is in each.

    Tones are component classes (`line--run`): a theme changes them all. Lines are cached by what `line_key` returns.
    """

    ALLOW_SELECT = False
    TONES = ("text", "muted", "accent", "strong", "run", "ok", "wait", "rest", "partial", "fail", "rule")
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{tone}" for tone in TONES} | {"line--cursor"}

    cursor: var[int] = var(0, init=False)

    class Moved(Message):
        """The cursor is on another line."""

        def can_replace(self, message: Message) -> bool:
            """Only where the cursor is now counts."""
            return isinstance(message, LineList.Moved) and message._sender is self._sender

    class Chosen(Message):
        """A line was double-clicked."""

    class Resized(Message):
        """The list has another width."""

    def __init__(self, *, marks: Marks = UNICODE, widget_id: str | None = None) -> None:
        super().__init__(id=widget_id)
        self.marks = marks
        self._styles_by_tone: dict[tuple[str, bool], Style] = {}
        self._lines: dict[int, tuple[object, Strip]] = {}

    # ------------------------------------------------------------ what a subclass says

    def count(self) -> int:
        """The number of lines."""
        raise NotImplementedError

    def line_key(self, index: int) -> object:
        """What line `index` depends on; compared with `==` to reuse a drawn line."""
        raise NotImplementedError

    def pieces(self, index: int, width: int) -> list[Piece]:
        """The line's text and tones; together at most `width` columns."""
        raise NotImplementedError

    # ------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """One line in sight."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= self.count():
            return Strip.blank(width, self._tone("text", False))
        selected = index == self.cursor
        key = (self.line_key(index), width, selected)
        cached = self._lines.get(index)
        if cached is not None and cached[0] == key:
            return cached[1]
        base = self._tone("text", selected)
        strip = Strip([Segment(text, self._tone(tone, selected)) for text, tone in self.pieces(index, width)])
        strip = strip.crop_extend(0, width, base)
        if len(self._lines) > _CACHED_SCREENS * max(20, self.size.height):
            self._lines.clear()
        self._lines[index] = (key, strip)
        return strip

    def refresh_index(self, index: int) -> None:
        """Draw one line anew if it is in sight."""
        y = index - self.scroll_offset.y
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def lines_changed(self) -> None:
        """The number or order of lines changed."""
        self._lines.clear()
        self.virtual_size = Size(self.scrollable_content_region.width, self.count())
        self.refresh()

    def in_sight(self) -> range:
        """The lines on screen."""
        top = self.scroll_offset.y
        return range(top, min(self.count(), top + self.size.height))

    # ------------------------------------------------------------ moving

    def go_to(self, index: int) -> None:
        """Put the cursor on a line and bring it into sight."""
        index = max(0, min(index, self.count() - 1))
        self.cursor = index
        self._into_sight()

    def page(self) -> int:
        """Lines of a page."""
        return max(1, self.size.height - 1)

    def watch_cursor(self, before: int, now: int) -> None:
        """Only the two lines concerned are drawn."""
        self.refresh_index(before)
        self.refresh_index(now)
        self.announce()

    def announce(self) -> None:
        """Say that the cursor is on another line, or that its line changed."""
        self.post_message(self.Moved())

    def _into_sight(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if height <= 0:
            return
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, immediate=True, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, immediate=True, force=True)

    # ------------------------------------------------------------ events

    def on_click(self, event: events.Click) -> None:
        """Click moves the cursor, double click chooses."""
        index = event.y + self.scroll_offset.y
        if event.y >= 0 and index < self.count():
            self.cursor = index
            if event.chain == 2:
                self.post_message(self.Chosen())

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self.lines_changed()
        self._into_sight()
        self.post_message(self.Resized())

    def notify_style_update(self) -> None:
        """Theme or classes changed: forget what was drawn."""
        super().notify_style_update()
        self._styles_by_tone.clear()
        self._lines.clear()

    def _tone(self, tone: str, selected: bool) -> Style:
        style = self._styles_by_tone.get((tone, selected))
        if style is None:
            style = self.get_component_rich_style(f"line--{tone}")
            if selected:
                cursor = self.get_component_rich_style("line--cursor")
                style += Style(bgcolor=cursor.bgcolor, bold=cursor.bold or None, reverse=cursor.reverse or None)
            self._styles_by_tone[(tone, selected)] = style
        return style
