"""The table that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.balance.figures import Row

COLUMNS = (
    ("contestant", 26),
    ("seconds", 9),
    ("of bound", 9),
    ("spread", 13),
    ("429/100", 9),
    ("most", 6),
    ("exc.", 6),
    ("done", 9),
    ("again", 7),
    ("moved", 7),
    ("CPU s", 7),
    ("$ / cap", 14),
)
LEGEND = """\
seconds   from the start to the last job done, in the emulator's time (median)
of bound  lower bound / seconds; – when jobs stayed undone
spread    least and greatest share of the runs
429/100   requests answered 429 per 100 jobs; most: on one project, model and dimension in any run
exc.      exceptions raised in the caller; for gsvr-tui, jobs that failed
again     jobs that were sent more than once; moved: transfers of a video beyond its first
CPU s     of the contestant's process, between start and end
$ / cap   spent (the most of all runs) and the cap"""


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _money(row: Row) -> str:
    if row.spent_usd is None:
        return "–"
    return f"{row.spent_usd:.3f}" + (f" / {row.cap_usd:.2f}" if row.cap_usd is not None else "")


def cells(row: Row) -> tuple[str, ...]:
    """One line, as texts."""
    spread = "–" if row.low is None or row.high is None else f"{row.low * 100:.1f}–{row.high * 100:.1f}"
    return (
        row.contestant,
        f"{row.seconds:,.1f}",
        _percent(row.share),
        spread,
        f"{row.rejected_per_100:.1f}",
        str(row.rejected_most),
        f"{row.exceptions:g}",
        f"{row.done:g}/{row.jobs}",
        f"{row.attempted_again:g}",
        f"{row.uploads_again:g}",
        f"{row.cpu_s:.2f}",
        _money(row),
    )


def _line(texts: Sequence[str]) -> str:
    first, *others = zip(texts, (width for _, width in COLUMNS), strict=True)
    return f"{first[0]:<{first[1]}}" + "".join(f"{text:>{width}}" for text, width in others)


def table(title: str, bound: str, rows: Sequence[Row], absent: Mapping[str, str]) -> str:
    """The lines of one scene. `absent` says of contestants that did not take part why."""
    lines = [f"{title}", f"  {bound}", _line([name for name, _ in COLUMNS])]
    lines += [_line(cells(row)) for row in rows]
    lines += [f"{name:<26}  {why}" for name, why in absent.items()]
    return "\n".join(lines)
