"""A fixed panel of text that draws only the lines that changed."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget


class Panel(Widget):
    """Shows content from its top; what does not fit is cut off. Never asks for a new layout."""

    ALLOW_SELECT = False
    auto_links = False

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._content = Content("")
        self._strips: list[Strip] = []

    def show(self, content: Content) -> None:
        """Show this from now on."""
        if content.plain == self._content.plain and content.spans == self._content.spans:
            return
        self._content = content
        before, self._strips = self._strips, self._lay_out()
        width = self.content_size.width
        for y in range(max(len(before), len(self._strips))):
            if _line(before, y) != _line(self._strips, y):
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """One line of the content, as wide as the panel."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.content_size.width, self.rich_style)

    def on_resize(self) -> None:
        """Wrap anew."""
        self._strips = self._lay_out()
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours changed."""
        super().notify_style_update()
        if self.is_mounted:
            self._strips = self._lay_out()

    def _lay_out(self) -> list[Strip]:
        width, height = self.content_size
        if not width or not height:
            return []
        strips = Visual.to_strips(self, self._content, width, None, self.visual_style)
        return [strip.adjust_cell_length(width, self.rich_style) for strip in strips[:height]]


def _line(strips: list[Strip], y: int) -> Strip | None:
    return strips[y] if y < len(strips) else None
