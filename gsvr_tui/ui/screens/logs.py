"""Logs: what happened, live; the file on disk has all of it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Input

from gsvr_tui.ui.actions import Scope, bindings
from gsvr_tui.ui.read_model import Change
from gsvr_tui.ui.safe import styled
from gsvr_tui.ui.screens.base import ListScreen
from gsvr_tui.ui.widgets.bars import Line, spread
from gsvr_tui.ui.widgets.line_list import LineList
from gsvr_tui.ui.widgets.log_list import LEVELS, LogList


class LogsScreen(ListScreen):
    """Level, follow, find."""

    SCOPE = Scope.LOGS
    HELP = (
        "The newest 50,000 lines; the log file has all of them.\n"
        "+ and - choose how grave a line must be; f follows the newest line, moving up stops that."
    )
    CSS_PATH = "../styles/logs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(Scope.LOGS)

    def __init__(self) -> None:
        super().__init__()
        self._stale = False

    def compose(self) -> ComposeResult:
        """What is shown, the lines, keys."""
        yield from self.compose_top()
        yield Line(id="showing")
        yield LogList(self.model, zone=self.gsvr.options.timezone, marks=self.marks, widget_id="lines")
        yield Input(id="find", placeholder="find; Enter goes to the next", compact=True)
        yield from self.compose_keys()

    def on_mount(self) -> None:
        """The lines take the keys."""
        self.query_one("#find").display = False
        self.lines.focus()
        self.lines.rebuild()

    @property
    def lines(self) -> LogList:
        """The list."""
        return self.query_one("#lines", LogList)

    def model_changed(self, change: Change) -> None:
        """New lines; drawn only while in sight."""
        super().model_changed(change)
        if change.logs:
            if self.is_current:
                self.lines.more()
                self._refresh_showing()
            else:
                self._stale = True

    def _resized(self) -> None:
        super()._resized()
        if self.is_mounted:
            if self._stale:
                self._stale = False
                self.lines.more()
            self._refresh_showing()

    def _refresh_showing(self) -> None:
        lines = self.lines
        level = lines.level if lines.level == "error" else f"{lines.level} and graver"
        left = styled(f"level {level}", "$foreground")
        if lines.needle:
            left = Content("   ").join([left, styled(f"find {lines.needle}", "$accent")])
        if lines.follow:
            right = styled(f"following, {lines.count():,} lines", "$status-run")
        else:
            right = styled(f"not following, {lines.behind:,} below   End follows", "$muted")
        self.query_one("#showing", Line).show(spread(left, right, self.size.width - 2))

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._refresh_showing()
        self.refresh_keys()

    # ------------------------------------------------------------ acts

    def why_not(self, name: str) -> str:
        """Acts on a line need one."""
        lines = self.lines
        if name in ("expand", "job") and lines.line_of(lines.cursor) is None:
            return "There is no line here"
        if name == "job":
            line = lines.line_of(lines.cursor)
            return "" if line is not None and self.model.row(line.job) else "This line is about no job in the queue"
        if name in ("find_next", "find_back") and not lines.needle:
            return "Nothing to find yet; / asks for it"
        if name == "less" and lines.level == LEVELS[-1]:
            return "Only errors are shown already"
        if name == "more" and lines.level == LEVELS[0]:
            return "Everything is shown already"
        return ""

    @property
    def listing(self) -> LineList:
        """What the move keys act on."""
        return self.lines

    def go(self, index: int) -> None:
        """Put the cursor on a line; on the last one, follow."""
        last = self.lines.count() - 1
        self.lines.follow = index >= last
        self.lines.go_to(index)
        self._refresh_showing()

    def do_follow(self) -> None:
        """Follow the newest line or stay here."""
        self.lines.follow = not self.lines.follow
        if self.lines.follow:
            self.lines.go_to(self.lines.count() - 1)
        self._refresh_showing()

    def _level(self, by: int) -> None:
        self.lines.level = LEVELS[LEVELS.index(self.lines.level) + by]
        self.lines.rebuild()
        self._refresh_showing()
        self.refresh_keys()

    def do_less(self) -> None:
        """Only graver lines."""
        self._level(1)

    def do_more(self) -> None:
        """Also less grave lines."""
        self._level(-1)

    def do_expand(self) -> None:
        """Fields of this line."""
        if not self.lines.toggle():
            self.gsvr.tell("This line has no fields")
        self._refresh_showing()

    async def do_job(self) -> None:
        """Go to the line's job."""
        line = self.lines.line_of(self.lines.cursor)
        if line is not None:
            (await self.gsvr.to_queue()).show_job(line.job)

    def do_find(self) -> None:
        """Ask what to find."""
        box = self.query_one("#find", Input)
        box.display = True
        box.focus()

    @on(Input.Changed, "#find")
    def _typed(self, event: Input.Changed) -> None:
        self.lines.needle = event.value
        self.lines.refresh()

    @on(Input.Submitted, "#find")
    def _submitted(self) -> None:
        self._close_find()
        if self.lines.needle:
            self.do_find_next()

    def _close_find(self) -> None:
        self.query_one("#find").display = False
        self.lines.focus()
        self._refresh_showing()

    def do_find_next(self) -> None:
        """Next match."""
        self._find(1)

    def do_find_back(self) -> None:
        """Match before."""
        self._find(-1)

    def _find(self, by: int) -> None:
        if not self.lines.find(by):
            self.gsvr.tell(f"No line has “{self.lines.needle}”", "warning")
        self._refresh_showing()

    def do_back(self) -> None:
        """Clear what is searched for."""
        self.query_one("#find", Input).value = ""
        self.lines.needle = ""
        self.lines.refresh()
        self._close_find()
