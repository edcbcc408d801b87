"""Log lines: only those at least as grave as wanted, newest last, fields of chosen lines below them."""

from __future__ import annotations

from datetime import tzinfo

from gsvr_tui.core.messages import LogLine
from gsvr_tui.core.text import clean_text
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import UNICODE, Marks
from gsvr_tui.ui.read_model import ReadModel
from gsvr_tui.ui.safe import fit, fit_end
from gsvr_tui.ui.widgets.line_list import LineList, Piece

LEVELS = ("debug", "info", "warning", "error")
_TONE = {"debug": "muted", "info": "muted", "warning": "rest", "error": "fail"}
_WORD = {"debug": "debug", "info": "info", "warning": "warn", "error": "error"}


class LogList(LineList):
    """Entries are (line number, 0) or (line number, field index + 1). Numbers count all lines ever received."""

    def __init__(
        self, model: ReadModel, *, zone: tzinfo | None = None, marks: Marks = UNICODE, widget_id: str | None = None
    ) -> None:
        super().__init__(marks=marks, widget_id=widget_id)
        self._model, self._zone = model, zone
        self._entries: list[tuple[int, int]] = []
        self._seen = 0  # lines looked at
        self.level = "info"
        self.follow = True
        self.needle = ""
        self._open: set[int] = set()

    def count(self) -> int:
        """Lines shown."""
        return len(self._entries)

    def line_key(self, index: int) -> object:
        """Lines never change; what is searched for does."""
        return (self._entries[index], self.needle)

    # ------------------------------------------------------------ content

    def line_of(self, index: int) -> LogLine | None:
        """The record of a line."""
        if not 0 <= index < len(self._entries):
            return None
        return self._record(self._entries[index][0])

    @property
    def behind(self) -> int:
        """Lines below the last one in sight."""
        return max(0, len(self._entries) - self.scroll_offset.y - self.size.height)

    def rebuild(self) -> None:
        """Choose lines anew; the cursor stays on its line or the nearest later one."""
        here = self._entries[self.cursor][0] if self.cursor < len(self._entries) else -1
        first = self._model.log_end - len(self._model.logs)
        self._entries = []
        for number, line in enumerate(self._model.logs, first):
            self._add(number, line)
        self._seen = self._model.log_end
        self.lines_changed()
        if self.follow or here < 0:
            self.go_to(len(self._entries) - 1)
        else:
            later = next((i for i, (number, _) in enumerate(self._entries) if number >= here), len(self._entries) - 1)
            self.go_to(later)

    def more(self) -> None:
        """Take in the lines that came since."""
        model = self._model
        first = model.log_end - len(model.logs)
        new = model.log_end - max(self._seen, first)
        if self._seen < first and not self._entries:
            self._seen = first
        for back in range(new, 0, -1):
            self._add(model.log_end - back, model.logs[-back])
        self._seen = model.log_end
        gone = 0
        while gone < len(self._entries) and self._entries[gone][0] < first:
            gone += 1
        if gone:
            del self._entries[:gone]
        self._after_more(gone)

    def _after_more(self, gone: int) -> None:
        self.lines_changed()
        if self.follow:
            self.go_to(len(self._entries) - 1)
        elif gone:
            top = max(0, self.scroll_offset.y - gone)
            self.cursor = max(0, self.cursor - gone)
            self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def _add(self, number: int, line: LogLine) -> None:
        if self._rank(line) < LEVELS.index(self.level):
            return
        self._entries.append((number, 0))
        if number in self._open:
            self._entries += [(number, index + 1) for index in range(len(_fields(line)))]

    @staticmethod
    def _rank(line: LogLine) -> int:
        return LEVELS.index(line.level) if line.level in LEVELS else 1

    def _record(self, number: int) -> LogLine | None:
        index = number - (self._model.log_end - len(self._model.logs))
        return self._model.logs[index] if 0 <= index < len(self._model.logs) else None

    def toggle(self) -> bool:
        """Show or hide the fields of the line under the cursor; False when it has none."""
        line = self.line_of(self.cursor)
        if line is None or not _fields(line):
            return False
        number = self._entries[self.cursor][0]
        self._open.symmetric_difference_update((number,))
        self.follow = False
        self.rebuild()
        return True

    def find(self, by: int) -> bool:
        """Go to the next line up or down that has the needle, around the end; False when there is none."""
        needle, size = self.needle.casefold(), len(self._entries)
        for offset in range(1, size + 1):
            index = (self.cursor + by * offset) % size
            number, part = self._entries[index]
            line = self._record(number)
            if part == 0 and line is not None and needle in _plain(line).casefold():
                self.follow = False
                self.go_to(index)
                return True
        return False

    # ------------------------------------------------------------ drawing

    def pieces(self, index: int, width: int) -> list[Piece]:
        """Time, level, source, account, message; or a field."""
        number, part = self._entries[index]
        line = self._record(number)
        if line is None:
            return []
        if part:
            label, value = _fields(line)[part - 1]
            return [(" " * 24, "text"), (fit(label, 10), "muted"), (fit_end(value, width - 34), "text")]
        cursor = self.marks.cursor if index == self.cursor else " "
        pieces: list[Piece] = [
            (f"{cursor} ", "accent"),
            (words.exact_time(line.at, self._zone), "muted"),
            ("  ", "text"),
            (fit(_WORD.get(line.level, line.level), 5), _TONE.get(line.level, "muted")),
            ("  ", "text"),
            (fit_end(line.source.rpartition(".")[2], 10, ascii_only=self.marks.ascii), "muted"),
        ]
        used = 2 + 8 + 2 + 5 + 2 + 10 + 2
        if width >= 100:
            pieces += [("  ", "text"), (fit(line.account, 12, ascii_only=self.marks.ascii), "muted")]
            used += 14
        return [*pieces, ("  ", "text"), *self._message(line.message, width - used)]

    def _message(self, message: str, width: int) -> list[Piece]:
        text = fit_end(message, width, ascii_only=self.marks.ascii)
        at = text.casefold().find(self.needle.casefold()) if self.needle else -1
        if at < 0:
            return [(text, "text")]
        end = at + len(self.needle)
        return [(text[:at], "text"), (text[at:end], "accent"), (text[end:], "text")]


def _fields(line: LogLine) -> list[tuple[str, str]]:
    known = [("job", line.job), ("account", line.account)]
    return [(name, clean_text(value)) for name, value in known if value] + [
        (clean_text(name), clean_text(value)) for name, value in line.fields.items()
    ]


def _plain(line: LogLine) -> str:
    return f"{line.source} {line.account} {line.message} {' '.join(line.fields.values())}"
