"""The ways to do some work, compared: one line per way, aligned under a head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo

from gsvr_tui.core.messages import PlanOption
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import UNICODE, Marks
from gsvr_tui.ui.safe import fit, fit_end
from gsvr_tui.ui.widgets.line_list import LineList, Piece

_NAME = 19
_WIDE = 110
"""From this width on the ranges stand in the table; below, they are told for the line under the cursor."""


class OptionTable(LineList):
    """Line 0 is the head and never under the cursor."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        zone: tzinfo | None = None,
        marks: Marks = UNICODE,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(marks=marks, widget_id=widget_id)
        self._clock, self._zone = clock, zone
        self._options: tuple[PlanOption, ...] = ()
        self._planned_at = 0.0

    def show(self, options: Sequence[PlanOption], planned_at: float) -> None:
        """Show these ways; durations are counted from `planned_at`."""
        self._options, self._planned_at = tuple(options), planned_at
        self.styles.height = len(self._options) + 1
        self.lines_changed()
        self.go_to(1)

    @property
    def option(self) -> PlanOption | None:
        """The way under the cursor."""
        index = self.cursor - 1
        return self._options[index] if 0 <= index < len(self._options) else None

    @property
    def _soonest(self) -> float | None:
        """The end of the way that is done first; None when nothing is sooner than how things are now."""
        ends = [option.ends_at for option in self._options if option.ends_at is not None]
        now = self._options[0].ends_at
        soonest = min(ends, default=None)
        return soonest if soonest is not None and (now is None or soonest < now - 60) else None

    @property
    def first(self) -> bool:
        """True when the cursor is on how things are now."""
        return self.cursor <= 1

    def count(self) -> int:
        """Head and options."""
        return len(self._options) + 1 if self._options else 0

    def go_to(self, index: int) -> None:
        """The head is no place to be."""
        super().go_to(max(1, index))

    def line_key(self, index: int) -> object:
        """An option never changes; its day's name may."""
        return (self._options[index - 1] if index else None, int(self._clock() // 60))

    def watch_cursor(self, before: int, now: int) -> None:
        """A click may hit the head."""
        if now == 0 and self.count() > 1:
            self.cursor = before
            return
        super().watch_cursor(before, now)

    def pieces(self, index: int, width: int) -> list[Piece]:
        """One line."""
        cut = self.marks.ascii
        done_width, cost_width = (38, 26) if width >= _WIDE else (24, 10)
        rest = max(0, width - 3 - _NAME - done_width - cost_width)
        if index == 0:
            head = ("   ", *(fit(t, w) for t, w in (("", _NAME), ("done at", done_width), ("cost", cost_width))))
            return [("".join(head), "muted"), (fit_end("limited by", rest), "muted")]
        option = self._options[index - 1]
        wide = width >= _WIDE
        best = self._soonest is not None and option.ends_at == self._soonest
        tone = "fail" if option.ends_at is None else "ok" if best else "text"
        name = option.name if index == 1 else f"+ {option.name}"
        return [
            (f" {self.marks.cursor if index == self.cursor else ' '} ", "accent"),
            (fit(name, _NAME, ascii_only=cut), "strong" if index == self.cursor else "text"),
            (fit_end(done_at(option, self._planned_at, self._zone, ranged=wide), done_width, ascii_only=cut), tone),
            (fit_end(cost(option, ranged=wide), cost_width, ascii_only=cut), "text"),
            (fit_end(option.limited_by or option.note, rest, ascii_only=cut), "muted"),
        ]


def done_at(option: PlanOption, now: float, zone: tzinfo | None, *, ranged: bool) -> str:
    """`Thu 18:40 (31 h)`, the range where it is wide: `Thu 14:00 to Fri 02:00 (24 h to 36 h)`, or `never`."""
    if option.ends_at is None:
        return "never"
    low, high = option.ends_low, option.ends_high
    if ranged and low is not None and high is not None and words.is_wide(low, option.ends_at, high, now):
        return words.moments(low, high, now, zone)
    if option.ends_at - now < 60:
        return "in under a minute"
    return f"{words.clock_time(option.ends_at, now, zone)} ({words.rough(option.ends_at - now)})"


def cost(option: PlanOption, *, ranged: bool) -> str:
    """`$8.10 ($5.20 to $13.90)`, `free`."""
    if option.cost_usd <= 0 and option.cost_high_usd <= 0:
        return "free"
    usual = words.usd(option.cost_usd)
    if not ranged or option.cost_high_usd <= option.cost_low_usd:
        return usual
    return f"{usual} ({words.usd(option.cost_low_usd)} to {words.usd(option.cost_high_usd)})"
