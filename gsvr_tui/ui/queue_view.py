"""What the list shows of the queue: filter, order, cursor and marks. Pure; O(change) in queue order.

`order` holds places of the read model (see there). In queue order it is sorted, so that a place is found by bisection;
in other orders `_keys` runs parallel to it and is searched with the row's old key. The cursor stays on its job when
the order changes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from gsvr_tui.core.messages import JobRow
from gsvr_tui.core.models import JobState
from gsvr_tui.ui.filters import Predicate, Query, compile_query
from gsvr_tui.ui.read_model import Change, ReadModel

REBUILD_ABOVE = 2_000
"""With more changes at once than this, filtering anew is cheaper than moving entries one by one."""

_STATE_ORDER = {state: index for index, state in enumerate(
    (JobState.RUNNING, JobState.FAILED, JobState.PARTIAL, JobState.WAITING, JobState.QUEUED, JobState.HELD,
     JobState.DONE, JobState.CANCELLED)
)}  # fmt: skip


class Sort(StrEnum):
    """Orders of the list."""

    QUEUE = "queue"
    NAME = "name"
    STATE = "state"
    LENGTH = "length"
    COST = "cost"


_KEY: dict[Sort, Callable[[JobRow], Any]] = {
    Sort.NAME: lambda row: row.name.casefold(),
    Sort.STATE: lambda row: _STATE_ORDER[row.state],
    Sort.LENGTH: lambda row: row.duration_s,
    Sort.COST: lambda row: row.cost_usd,
}


class QueueView:
    """Filter, sort, cursor and marks over a ReadModel."""

    def __init__(self, model: ReadModel) -> None:
        self.model = model
        self.order: array[int] = array("I")
        self.sort = Sort.QUEUE
        self.reverse = False
        self.chip: JobState | None = None
        self.query = Query()
        self.cursor = 0  # index into the shown list
        self.marks: set[str] = set()
        self._keys: list[tuple[Any, int]] = []
        self._passes: Predicate | None = None
        self._cursor_job = ""

    # ------------------------------------------------------------ reading

    def __len__(self) -> int:
        return len(self.order)

    def place_at(self, index: int) -> int:
        """The place shown in line `index`."""
        return self.order[len(self.order) - 1 - index if self.reverse else index]

    def row_at(self, index: int) -> JobRow | None:
        """The row shown in line `index`, None outside the list."""
        return self.model.rows[self.place_at(index)] if 0 <= index < len(self.order) else None

    @property
    def row(self) -> JobRow | None:
        """The row under the cursor."""
        return self.row_at(self.cursor)

    def shown(self) -> list[JobRow]:
        """All rows the filter lets through, in order."""
        rows = self.model.rows
        return [rows[place] for place in (reversed(self.order) if self.reverse else self.order)]

    @property
    def filtered(self) -> bool:
        """True when not all jobs are shown."""
        return self._passes is not None

    def index_of(self, job: str) -> int | None:
        """The line of a job, None when it is not shown."""
        place = self.model.place.get(job)
        return None if place is None else self._index_of_place(place, self.model.rows[place])

    # ------------------------------------------------------------ acts

    def move_to(self, index: int) -> int:
        """Put the cursor on a line, as near as there is one; return it."""
        self.cursor = max(0, min(index, len(self.order) - 1))
        row = self.row
        self._cursor_job = row.id if row else ""
        return self.cursor

    def set_filter(self, *, chip: JobState | None, query: Query) -> None:
        """Show only the jobs in state `chip` (None: any) that match `query`."""
        self.chip, self.query = chip, query
        self.rebuild()

    def set_sort(self, sort: Sort, *, reverse: bool) -> None:
        """Order the list anew; the cursor stays on its job."""
        self.sort, self.reverse = sort, reverse
        self.rebuild()

    def mark(self, job: str) -> None:
        """Mark or unmark."""
        self.marks.symmetric_difference_update((job,))

    def targets(self) -> list[JobRow]:
        """What a verb acts on: the marked jobs, else the one under the cursor."""
        if self.marks:
            # marks of jobs that are gone are dropped when a snapshot comes
            return [self.model.rows[place] for place in sorted(map(self.model.place.__getitem__, self.marks))]
        row = self.row
        return [row] if row else []

    # ------------------------------------------------------------ changes

    def apply(self, change: Change) -> bool:
        """Take a change of the model in; True when lines moved, False when at most their text changed."""
        if change.everything or len(change.jobs) > REBUILD_ABOVE:
            if change.everything:
                self.marks.intersection_update(self.model.place)
            self.rebuild()
            return True
        moved = False
        for place, before, row in change.jobs:
            moved |= self._take(place, before, row)
        if moved:
            self._follow_cursor()
        return moved

    def rebuild(self) -> None:
        """Filter and sort everything anew."""
        self._passes = compile_query(self.query, self.chip, self.model.batches)
        places = self._matching()
        self._keys = []
        if self.sort is not Sort.QUEUE:
            if self.sort is Sort.NAME:
                keys: list[Any] = self.model.folded
            else:
                key = _KEY[self.sort]
                keys = [key(row) for row in self.model.rows]
            # sorting is stable: equal ones stay in queue order
            places = sorted(places, key=keys.__getitem__)
            self._keys = [(keys[place], place) for place in places]
        self.order = array("I", places)
        self._follow_cursor()

    def _matching(self) -> Iterable[int]:
        """Places the filter lets through; names first, which is quick over the folded names."""
        rows, folded = self.model.rows, self.model.folded
        places: Iterable[int] = range(len(rows))
        for name in self.query.names:
            places = [place for place in places if name in folded[place]]
        rest = compile_query(replace(self.query, names=()), self.chip, self.model.batches)
        return places if rest is None else [place for place in places if rest(rows[place])]

    def _take(self, place: int, before: JobRow | None, row: JobRow) -> bool:
        passes = self._passes
        was = before is not None and (passes is None or passes(before))
        now = passes is None or passes(row)
        if was and now and (self.sort is Sort.QUEUE or self._same_key(before, row)):
            return False
        if was and before is not None:
            index = self._find(place, before)
            del self.order[index]
            if self.sort is not Sort.QUEUE:
                del self._keys[index]
        if now:
            index = self._find(place, row)
            self.order.insert(index, place)
            if self.sort is not Sort.QUEUE:
                self._keys.insert(index, (_KEY[self.sort](row), place))
        return was or now

    def _same_key(self, before: JobRow | None, row: JobRow) -> bool:
        key = _KEY[self.sort]
        return before is not None and bool(key(before) == key(row))

    def _find(self, place: int, row: JobRow) -> int:
        if self.sort is Sort.QUEUE:
            return bisect_left(self.order, place)
        return bisect_left(self._keys, (_KEY[self.sort](row), place))

    def _index_of_place(self, place: int, row: JobRow) -> int | None:
        index = self._find(place, row)
        if index >= len(self.order) or self.order[index] != place:
            return None
        return len(self.order) - 1 - index if self.reverse else index

    def _follow_cursor(self) -> None:
        index = self.index_of(self._cursor_job) if self._cursor_job else None
        self.move_to(self.cursor if index is None else index)
