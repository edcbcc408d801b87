"""`gsvr-tui usage`: what each account used of each model over the last days; works while another process is at it."""

from __future__ import annotations

import csv
import io
import time
from typing import TYPE_CHECKING, Any

import click

from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import json_line, out, plural, table
from gsvr_tui.core.text import clean_text, format_usd

if TYPE_CHECKING:
    from gsvr_tui.service.history import UsageSum

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula."""
COLUMNS = (
    "account",
    "project",
    "model",
    "requests",
    "answered",
    "failed",
    "rejected_429",
    "tokens_in",
    "tokens_out",
    "cost_usd",
    "success",
    "p50_s",
    "p95_s",
)


@click.command()
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 3_660), help="Pacific days, with today.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one per account and model, the sum last.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV for a spreadsheet, with a head.")
def usage(days: int, as_json: bool, as_csv: bool) -> None:
    """Say what each account has used of each model: requests, tokens, money, success, rejections and service times."""
    from gsvr_tui.commands.batches import reading
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.service.history import days_back, usage_sums

    if as_json and as_csv:
        raise Complaint("--json and --csv are two forms of the same", "choose one of them")
    here = surroundings()
    first = days_back(days, time.time())
    with reading(here.places) as store:
        sums, everything = usage_sums(store.usage(), first)
    if as_json:
        for item in sums:
            json_line({"event": "usage", **_record(item)})
        totals = {
            key: value for key, value in _record(everything).items() if key not in ("account", "project", "model")
        }
        json_line({"event": "summary", "days": days, "first_day": first, **totals})
    elif as_csv:
        out(_csv(sums))
    else:
        _as_text(sums, everything, days, first)


def _record(item: UsageSum) -> dict[str, Any]:
    return {
        "account": item.account,
        "project": item.project,
        "model": item.model,
        "requests": item.requests,
        "answered": item.answered,
        "failed": item.failed,
        "rejected_429": item.rejected,
        "tokens_in": item.tokens_in,
        "tokens_out": item.tokens_out,
        "cost_usd": round(item.cost_usd, 6),
        "success": None if item.success is None else round(item.success, 4),
        "p50_s": None if item.p50_s is None else round(item.p50_s, 2),
        "p95_s": None if item.p95_s is None else round(item.p95_s, 2),
    }


def _csv(sums: tuple[UsageSum, ...]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in sums:
        record = _record(item)
        writer.writerow([_cell(record[name]) for name in COLUMNS])
    return text.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: names are what somebody typed."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = clean_text(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _as_text(sums: tuple[UsageSum, ...], everything: UsageSum, days: int, first: str) -> None:
    if not sums:
        out(f"Nothing was sent since {first} (Pacific day). Start with: gsvr-tui run FOLDER")
        return
    head = (
        "account",
        "project",
        "model",
        "requests",
        "tokens in",
        "tokens out",
        "cost",
        "success",
        "429",
        "p50",
        "p95",
    )
    rows = [head, *(_row(item) for item in sums)]
    if len(sums) > 1:
        rows.append(_row(everything, "all"))
    out(table(rows, right=frozenset(range(3, len(head)))))
    out(f"\n{plural(days, 'Pacific day')} with today, since {first}. p50, p95: seconds from request to answer.")


def _row(item: UsageSum, name: str = "") -> tuple[str, ...]:
    return (
        name or item.account or "–",
        item.project,
        item.model,
        f"{item.requests:,}",
        f"{item.tokens_in:,}",
        f"{item.tokens_out:,}",
        format_usd(item.cost_usd),
        "–" if item.success is None else f"{item.success:.0%}",
        f"{item.rejected:,}",
        _seconds(item.p50_s),
        _seconds(item.p95_s),
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
