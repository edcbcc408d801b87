"""Accounts grouped by project, each project with its use per model: the project is what quota is counted for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from gsvr_tui.core.messages import AccountRow, QuotaRow
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import UNICODE, Marks
from gsvr_tui.ui.read_model import ReadModel
from gsvr_tui.ui.safe import fit, fit_end
from gsvr_tui.ui.screens.account_text import in_use, short
from gsvr_tui.ui.widgets.line_list import LineList, Piece

Entry = tuple[str, list[AccountRow]] | AccountRow | QuotaRow | str | None
"""A project with its accounts, an account, a quota row, a remark, or an empty line."""

_STATE = 16
_WHY = 118  # a screen of 120


class AccountList(LineList):
    """Only accounts can be under the cursor."""

    def __init__(
        self,
        model: ReadModel,
        *,
        clock: Callable[[], float],
        zone: tzinfo | None = None,
        marks: Marks = UNICODE,
        widget_id: str | None = None,
    ) -> None:
        super().__init__(marks=marks, widget_id=widget_id)
        self._model, self._clock, self._zone = model, clock, zone
        self._entries: list[Entry] = []

    def count(self) -> int:
        """Lines."""
        return len(self._entries)

    def line_key(self, index: int) -> object:
        """Times go on, so lines are drawn anew each time."""
        return (self._entries[index], int(self._clock()))

    def rebuild(self) -> None:
        """Group the model's accounts anew; the cursor stays on its account."""
        chosen = self.account.name if self.account else ""
        groups: dict[str, list[AccountRow]] = {}
        for account in self._model.accounts:
            groups.setdefault(account.project, []).append(account)
        entries: list[Entry] = []
        for project, members in groups.items():
            entries += [None] if entries else []
            entries += [(project, members), *members]
            entries += _quota_entries([row for row in self._model.quota if row.project == project])
        self._entries = entries
        self.lines_changed()
        index = next(
            (i for i, entry in enumerate(entries) if isinstance(entry, AccountRow) and entry.name == chosen), None
        )
        self.go_to(self._nearest(self.cursor if index is None else index, 1))

    @property
    def account(self) -> AccountRow | None:
        """The account under the cursor."""
        entry = self._entries[self.cursor] if self.cursor < len(self._entries) else None
        return entry if isinstance(entry, AccountRow) else None

    def step(self, by: int) -> None:
        """To the next account up or down."""
        self.go_to(self._nearest(self.cursor + by, by))

    def _nearest(self, index: int, by: int) -> int:
        size = len(self._entries)
        while 0 <= index < size and not isinstance(self._entries[index], AccountRow):
            index += by
        return index if 0 <= index < size else self.cursor

    def _into_sight(self) -> None:
        """The quota of the account under the cursor is wanted in sight with it."""
        last = self.cursor
        while last + 1 < len(self._entries) and self._entries[last + 1] is not None:
            last += 1
        room = self.size.height
        if room and last >= self.scroll_offset.y + room:
            self.scroll_to(y=last - room + 1, animate=False, immediate=True, force=True)
        super()._into_sight()

    def watch_cursor(self, before: int, now: int) -> None:
        """A click may hit a line that is no account."""
        if now < len(self._entries) and not isinstance(self._entries[now], AccountRow):
            self.cursor = before
            return
        super().watch_cursor(before, now)

    def pieces(self, index: int, width: int) -> list[Piece]:
        """One line."""
        match self._entries[index]:
            case None:
                return []
            case (project, members):
                return self._project(project, members, width)
            case AccountRow() as account:
                return self._account(account, index, width)
            case QuotaRow() as row:
                return self._quota(row, width)
            case remark:
                return [(f"     {remark}", "muted")]

    def _project(self, project: str, members: list[AccountRow], width: int) -> list[Piece]:
        name = fit_end(project or "no project named", min(40, width // 2), ascii_only=self.marks.ascii).rstrip()
        pieces = [(" ", "text"), ("project ", "muted"), (name, "strong")]
        if len(members) > 1:
            pieces.append((f"   {len(members)} accounts share its quota", "muted"))
        return pieces

    def _account(self, account: AccountRow, index: int, width: int) -> list[Piece]:
        look = self.marks.health[account.health]
        cut = self.marks.ascii
        until = f"until {words.clock_time(account.until, self._clock(), self._zone)}" if account.until else ""
        note = " ".join(part for part in (until, account.note) if part)
        why = account.why if width >= _WHY else ""
        tail = f"{'..' if cut else '…'}{account.key_tail}" if account.key_tail else ""
        flying = f"{account.in_flight} in flight" if account.in_flight else ""
        name_width = 16 if width < 100 else 24
        pieces: list[Piece] = [
            (f" {self.marks.cursor if index == self.cursor else ' '} ", "accent"),
            (fit(account.name, name_width, ascii_only=cut), "text"),
            ("  ", "text"),
            (fit(tail, 6), "muted"),
            ("  ", "text"),
            (fit(account.tier, 8), "muted"),
            ("  ", "text"),
            (fit(f"{look.sign} {look.word}", _STATE), look.tone),
            ("  ", "text"),
        ]
        room = width - 3 - name_width - 2 - 6 - 2 - 8 - 2 - _STATE - 2
        return [
            *pieces,
            (fit_end(note or "; ".join(part for part in (flying, why) if part), max(0, room), ascii_only=cut), "muted"),
        ]

    def _quota(self, row: QuotaRow, width: int) -> list[Piece]:
        cut = self.marks.ascii
        cells = 8 if width < 100 else 12
        model = 20 if width < 100 else 26
        pieces: list[Piece] = [("     ", "text"), (fit(row.model, model, ascii_only=cut), "muted")]
        pieces += self._use("  minute ", row.minute_used, row.minute_reserved, row.minute_limit, cells, 6)
        if width >= 130:
            pieces += self._use("  tokens ", row.tokens_used, 0, row.tokens_limit, cells, 10)
        pieces += self._use("  today ", row.day_used, 0, row.day_limit, cells, 8)
        if width >= 110:
            pieces.append((f"  resets {words.clock_time(row.day_resets_at, self._clock(), self._zone)}", "muted"))
        return pieces

    def _use(self, title: str, used: int, reserved: int, limit: int | None, cells: int, width: int) -> list[Piece]:
        pieces: list[Piece] = [(title, "muted")]
        marks = self.marks
        if not limit:
            text = f"{short(used)}/unknown" if limit is None else "no access"
            return [*pieces, (fit_end(text, cells + 1 + width, ascii_only=marks.ascii), "muted")]
        full = min(cells, round(cells * used / limit) or (1 if used else 0))
        half = min(cells - full, round(cells * reserved / limit) or (1 if reserved else 0))
        tone = "rest" if used >= limit else "run"
        pieces += [
            (marks.bar_full * full, tone),
            (("=" if marks.ascii else marks.bar_full) * half, "partial"),
            (marks.bar_empty * (cells - full - half), "rule"),
        ]
        return [*pieces, (f" {short(used)}/{short(limit)}".ljust(width + 1), "text")]


def _quota_entries(rows: list[QuotaRow]) -> list[Entry]:
    """Models in use, and how many are not: a project has limits for every model there is."""
    used: list[Entry] = [row for row in rows if in_use(row)]
    idle = len(rows) - len(used)
    if idle and used:
        used.append(f"{idle} more {'model' if idle == 1 else 'models'} not used today")
    elif idle:
        used.append(f"{idle} {'model' if idle == 1 else 'models'}, none used today")
    return used
