"""One-line widgets: tabs, status, progress, chips, keys. They render Content and know no screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from gsvr_tui.core.models import JobState
from gsvr_tui.ui.marks import UNICODE, Look, Marks
from gsvr_tui.ui.safe import join, safe, styled


class Line(Widget):
    """A line of content that is only drawn anew when it differs."""

    ALLOW_SELECT = False
    auto_links = False  # a click runs an action; the colours stay ours

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._content = Content("")

    def render(self) -> RenderResult:
        """The content, as it is."""
        return self._content

    def show(self, content: Content) -> None:
        """Show this from now on."""
        # Content compares by its text alone
        if content.plain != self._content.plain or content.spans != self._content.spans:
            self._content = content
            self.refresh()


def spread(left: Content, right: Content, width: int) -> Content:
    """`left` and `right` at the two ends of a line; the left gives way."""
    room = width - right.cell_length - 2
    if left.cell_length > room:
        left = left.truncate(max(0, room), ellipsis=False)
    return join(left, " " * max(1, width - left.cell_length - right.cell_length), right)


def pieces_that_fit(pieces: Sequence[Content], width: int, gap: str = "   ") -> Content:
    """As many of the pieces, first ones first, as fit into `width`."""
    line = Content("")
    for index, piece in enumerate(pieces):
        longer = join(line, gap, piece) if index else piece
        if longer.cell_length > width:
            break
        line = longer
    return line


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: how many of the whole, and its tone."""

    count: float
    tone: str


def bar(parts: Sequence[Part], total: float, width: int, marks: Marks = UNICODE) -> Content:
    """A bar of `width` cells. Every part that is not zero gets at least one cell; what is left is empty."""
    cells: list[Content] = []
    left = width
    for part in parts:
        if part.count <= 0 or total <= 0 or left <= 0:
            continue
        size = min(left, max(1, int(width * part.count / total)))
        left -= size
        cells.append(styled(marks.bar_full * size, f"${part.tone}"))
    cells.append(styled(marks.bar_empty * left, "$rule"))
    return join(*cells)


def word(look: Look, *, bold: bool = False) -> Content:
    """Sign and word of a state in its colour."""
    return styled(f"{look.sign} {look.word}", f"{'bold ' if bold else ''}$status-{look.tone}")


CHIPS: tuple[JobState | None, ...] = (
    None,
    JobState.QUEUED,
    JobState.RUNNING,
    JobState.WAITING,
    JobState.DONE,
    JobState.PARTIAL,
    JobState.FAILED,
    JobState.HELD,
    JobState.CANCELLED,
)
_ALWAYS = frozenset({None, JobState.QUEUED, JobState.RUNNING, JobState.DONE, JobState.FAILED})


def chips(
    counts: Mapping[JobState, int], active: JobState | None, total: int, width: int, marks: Marks = UNICODE
) -> Content:
    """The counts by state, each a button; the active one stands out. Empty ones go first when room is short."""
    shown = [state for state in CHIPS if state in _ALWAYS or counts.get(state, 0) or state is active]  # type: ignore[arg-type]
    most = [state for state in shown if state is active or state is not JobState.CANCELLED]
    used = [state for state in most if state is None or state is active or counts.get(state, 0)]
    line = Content("")
    for states, gap in ((shown, "   "), (shown, "  "), (most, "  "), (used, "  "), (used, " ")):
        line = Content(gap).join([_chip(state, counts, active, total, marks) for state in states])
        if line.cell_length <= width:
            break
    return line


def _chip(
    state: JobState | None, counts: Mapping[JobState, int], active: JobState | None, total: int, marks: Marks
) -> Content:
    name = "all" if state is None else marks.jobs[state].word
    count = total if state is None else counts.get(state, 0)
    tone = "$foreground" if state is None else f"$status-{marks.jobs[state].tone}"
    action = f"screen.chip('{'' if state is None else state.value}')"
    if state is active:
        template = f"[reverse bold {tone}][@click={action}] {name} {count:,} [/][/]"
    elif not count:
        template = f"[$muted][@click={action}]{name} 0[/][/]"
    else:
        template = f"[@click={action}][$muted]{name}[/] [{tone}]{count:,}[/][/]"
    return Content.from_markup(template)


@dataclass(frozen=True, slots=True)
class KeyHint:
    """One key of the key bar."""

    key: str
    title: str
    action: str  # what a click runs, for example `screen.act('retry')`


def key_line(left: Sequence[KeyHint], right: Sequence[KeyHint], width: int) -> Content:
    """Keys from the left as far as they fit, help and palette always at the right."""
    end = Content("  ").join([_hint(hint) for hint in right])
    room = width - end.cell_length - 3
    start = pieces_that_fit([_hint(hint) for hint in left], room, "  ")
    return spread(start, end, width)


def _hint(hint: KeyHint) -> Content:
    key = styled(hint.key, "bold $accent")
    title = safe(f" {hint.title}").stylize("$muted")
    return join(key, title).stylize(Style.from_meta({"@click": hint.action}))
