"""What is to be said about one account and its project's limits, as Content. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from textual.content import Content

from gsvr_tui.core.messages import AccountRow, QuotaRow
from gsvr_tui.ui import words
from gsvr_tui.ui.marks import Marks
from gsvr_tui.ui.safe import join, styled

MOST_MODELS = 3
_AROUND_SPARKS = 40  # columns of the words beside them
_SOURCES = {
    "user": "limits as you state them",
    "429": "limits as the service named them",
    "inferred": "limits as they were found out",
    "tier": "limits as others met them on this tier",
}


def about(
    account: AccountRow, quota: Sequence[QuotaRow], now: float, zone: tzinfo | None, marks: Marks, width: int
) -> Content:
    """How it stands, why work goes there or not, where its limits come from, what to do."""
    look = marks.health[account.health]
    head = join((f"{look.sign} ", f"$status-{look.tone}"), (account.name, "bold $foreground"))
    lines = [join(head, "  ", (account.note or kept_in(account), "$foreground"))]
    if account.why:
        lines.append(styled(f"{account.why[:1].upper()}{account.why[1:]}", "$foreground"))
    if account.advice:
        lines.append(styled(account.advice, "$status-rest"))
    rows = sorted((row for row in quota if in_use(row)), key=lambda row: -row.day_used)
    lines += [_model(row, now, zone, marks, width) for row in rows[:MOST_MODELS]]
    return Content("\n").join(lines)


def kept_in(account: AccountRow) -> str:
    """Where its key is."""
    ref = account.key_ref
    place = {"keyring": "the system's keyring", "vault": "the encrypted file", "memory": "memory, for this run only"}
    return f"key in ${ref.name}" if ref.kind == "env" else f"key in {place.get(ref.kind, ref.kind)}"


def in_use(row: QuotaRow) -> bool:
    """True when the model was asked today or rests."""
    return bool(row.minute_used or row.minute_reserved or row.tokens_used or row.day_used or row.resting_until)


def limits_in_words(row: QuotaRow, now: float, zone: tzinfo | None) -> list[str]:
    """Where the limits come from, what else is limited, each a short phrase."""
    source = _SOURCES.get(row.limit_source, "limits not known")
    if row.learned_at is not None:
        source += f" ({words.clock_time(row.learned_at, now, zone)})"
    parts = [source]
    if row.paced:
        every = f", one every {words.span(60 / row.minute_limit)}" if row.minute_limit else ""
        parts.append(f"taken only evenly spaced{every}")
    if row.tokens_day_limit is not None:
        parts.append(f"tokens today {short(row.tokens_day_used)} of {short(row.tokens_day_limit)}")
    elif row.tokens_day_used:
        parts.append(f"tokens today {short(row.tokens_day_used)}")
    if row.spend_limit_usd is not None:
        parts.append(f"{words.usd(row.spent_10min_usd)} of {words.usd(row.spend_limit_usd)} in ten minutes")
    return parts


def sparkline(counts: Sequence[int], marks: Marks) -> str:
    """One glyph a minute, oldest first; nothing answered is the lowest glyph, one answer is not."""
    most = max(counts, default=0)
    steps = len(marks.spark) - 1
    if not most:
        return marks.spark[0] * len(counts)
    return "".join(marks.spark[-(-count * steps // most)] for count in counts)


def short(value: int) -> str:
    """`412`, `12k`, `1.2M`."""
    if value < 10_000:
        return str(value)
    if value < 1_000_000:
        return f"{value // 1000}k"
    return f"{value / 1e6:.1f}M".replace(".0M", "M")


def _model(row: QuotaRow, now: float, zone: tzinfo | None, marks: Marks, width: int) -> Content:
    parts = [(f"{row.model}: ", "$muted"), ("; ".join(limits_in_words(row, now, zone)), "$muted")]
    recent = row.per_minute[-max(10, min(60, width - _AROUND_SPARKS)) :]
    if not any(recent):
        return join(*parts)
    sparks = [
        (f"  {sparkline(recent, marks)}", "$status-run"),
        (f" answers a minute, last {len(recent)} min", "$muted"),
    ]
    # on a line of its own: a picture broken over two lines can't be read
    return join(*parts, "\n", *sparks)
