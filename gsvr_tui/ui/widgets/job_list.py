"""The list of jobs: name, state, what it does now, length, cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len

from gsvr_tui.core.messages import JobRow
from gsvr_tui.core.models import JobState, Priority
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import UNICODE, Marks
from gsvr_tui.ui.queue_view import QueueView
from gsvr_tui.ui.read_model import Change
from gsvr_tui.ui.safe import fit, fit_end, fit_right
from gsvr_tui.ui.widgets.line_list import LineList, Piece

_GUTTER, _GAP, _STATE, _LENGTH, _COST, _ACCOUNT, _MARGIN = 3, 2, 11, 7, 7, 14, 1


@dataclass(frozen=True, slots=True)
class Columns:
    """Widths of the columns; 0: not shown."""

    name: int
    now: int
    length: int
    cost: int
    account: int

    @classmethod
    def plan(cls, width: int) -> Columns:
        """Columns for a list `width` wide: what matters least goes first when there is little room."""
        length = _LENGTH if width >= 60 else 0
        cost = _COST if width >= 76 else 0
        account = _ACCOUNT if width >= 130 else 0
        fixed = _GUTTER + _GAP + _STATE + _GAP + _MARGIN + sum(part + _GAP for part in (length, cost, account) if part)
        rest = max(12, width - fixed)
        now = max(6, min(56, rest * (42 if width < 110 else 46) // 100))
        return cls(rest - now, now, length, cost, account)


class JobList(LineList):
    """Rows of a QueueView. `clock` gives wall seconds; `moved` is called when the line under the cursor is another."""

    def __init__(
        self,
        view: QueueView,
        *,
        clock: Callable[[], float],
        moved: Callable[[], None],
        zone: tzinfo | None = None,
        marks: Marks = UNICODE,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(marks=marks, widget_id=widget_id)
        self.view = view
        self._clock, self._zone, self._on_move = clock, zone, moved
        self._columns = Columns.plan(80)
        self._width = 0

    def count(self) -> int:
        """Lines shown by the filter."""
        return len(self.view)

    def line_key(self, index: int) -> object:
        """The row itself: rows are replaced, never changed."""
        row = self.view.row_at(index)
        return (id(row), row, row is not None and row.id in self.view.marks)

    def pieces(self, index: int, width: int) -> list[Piece]:
        """One row."""
        row = self.view.row_at(index)
        if row is None:
            return []
        columns = self._plan(width)
        look = self.marks.jobs[row.state]
        cursor = self.marks.cursor if index == self.cursor else " "
        marked = row.id in self.view.marks
        pieces: list[Piece] = [
            (cursor, "accent"),
            (self.marks.marked if marked else " ", "accent"),
            (_PRIORITY[row.priority], "accent"),
            *self._name_pieces(row.name, columns.name, marked),
            ("  ", "text"),
            (f"{look.sign} {look.word}".ljust(_STATE), look.tone),
            ("  ", "text"),
            (self._now(row, columns.now), _NOW_TONE.get(row.state, "muted")),
        ]
        if columns.account:
            pieces += [("  ", "text"), (fit(row.account, _ACCOUNT, ascii_only=self.marks.ascii), "muted")]
        if columns.length:
            pieces += [("  ", "text"), (fit_right(words.video_length(row.duration_s), _LENGTH), "muted")]
        if columns.cost:
            pieces += [("  ", "text"), (fit_right(words.cost(row.cost_usd), _COST), "muted")]
        return pieces

    def head(self, width: int) -> str:
        """The column titles for a list `width` wide."""
        columns = self._plan(width)
        parts = [" " * _GUTTER + fit("name", columns.name), fit("state", _STATE), fit("now", columns.now)]
        if columns.account:
            parts.append(fit("account", _ACCOUNT))
        if columns.length:
            parts.append(fit_right("length", _LENGTH))
        if columns.cost:
            parts.append(fit_right("cost $", _COST))
        return (" " * _GAP).join(parts)

    def changed(self, change: Change) -> bool:
        """Take a change in; True when lines came, went or moved."""
        moved = self.view.apply(change)
        if moved:
            self.follow_view()
        else:
            self._refresh_rows(change)
        return moved

    def follow_view(self) -> None:
        """The view's order or cursor changed: show it."""
        self.lines_changed()
        if self.cursor != self.view.cursor:
            self.cursor = self.view.cursor
        else:
            self.announce()
        self._into_sight()

    def watch_cursor(self, before: int, now: int) -> None:
        """The view remembers the job the cursor is on."""
        self.view.move_to(now)
        super().watch_cursor(before, now)

    def announce(self) -> None:
        """At once: what the screen says of the cursor is then painted with the row, a frame earlier."""
        if self.is_mounted:
            self._on_move()

    def _refresh_rows(self, change: Change) -> None:
        sight = self.in_sight()
        if len(change.jobs) > len(sight):
            places = {self.view.place_at(index): index for index in sight}
            changed = {index for place, _, _ in change.jobs if (index := places.get(place)) is not None}
        else:
            changed = {index for _, _, row in change.jobs if (index := self.view.index_of(row.id)) is not None}
        for index in changed:
            self.refresh_index(index)
        if self.cursor in changed:
            self.announce()

    def _plan(self, width: int) -> Columns:
        if width != self._width:
            self._width, self._columns = width, Columns.plan(width)
        return self._columns

    def _name_pieces(self, name: str, width: int, marked: bool) -> list[Piece]:
        text = fit(name, width, ascii_only=self.marks.ascii)
        folder, slash, base = text.rpartition("/")
        if not base.strip():
            folder, slash, base = "", "", text
        pieces = [(folder + slash, "muted")] if slash else []
        return [*pieces, (base, "strong" if marked else "text")]

    def _now(self, row: JobRow, width: int) -> str:
        text = words.job_now(row, self._clock(), self._zone)
        if row.state is JobState.RUNNING and 0 <= row.progress < 1 and width >= 26:
            full = width - cell_len(text) - 2
            done = int(min(full, 12) * row.progress)
            if full >= 6:
                cells = min(full, 12)
                text = f"{text}  {self.marks.bar_full * done}{_rest(self.marks, cells - done)}"
        return fit_end(text, width, ascii_only=self.marks.ascii)


def _rest(marks: Marks, cells: int) -> str:
    return ("-" if marks.ascii else " ") * cells


_PRIORITY = {Priority.LOW: "-", Priority.NORMAL: " ", Priority.HIGH: "+"}
_NOW_TONE = {JobState.RUNNING: "text", JobState.FAILED: "text"}
