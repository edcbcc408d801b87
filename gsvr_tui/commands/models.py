"""`gsvr-tui models`: what the catalogue knows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.say import json_line, out, table

if TYPE_CHECKING:
    from gsvr_tui.core.catalogue import Catalogue, ModelInfo


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per model.")
@click.option("--all", "everything", is_flag=True, help="Also models that have been shut down.")
def models(as_json: bool, everything: bool) -> None:
    """List models with prices, windows, free limits and shutdown dates.

    Prices are US dollars per million tokens. Models of your own go into models.yaml beside the config.
    """
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.config.models_file import load_catalogue

    here = surroundings()
    catalogue = load_catalogue(here.places.models_file)
    now = time.time()
    shown = [info for info in map(catalogue.find, catalogue.ids()) if everything or not info.stopped(now)]
    if as_json:
        for info in shown:
            json_line(_record(info, catalogue, now))
        return
    rows: list[tuple[str, ...]] = [
        ("model", "status", "in $", "out $", "context", "output", "free rpm/tpm/rpd", "shutdown")
    ]
    rows += [_row(info, catalogue, now) for info in shown]
    out(table(rows, right=frozenset({2, 3, 4, 5})))
    out()
    for info in shown:
        warning = catalogue.warning(info.id, now)
        if warning:
            out(f"! {warning}")
    out(f"Catalogue of {catalogue.dated}; prices in USD per million tokens. Configured: {here.config.model}")


def _row(info: ModelInfo, catalogue: Catalogue, now: float) -> tuple[str, ...]:
    price = catalogue.price_at(info.id, now)
    free = "–"
    if info.free_tier:
        limits = info.free_limits
        numbers = (limits.rpm, limits.tpm, limits.rpd) if limits is not None else (None, None, None)
        free = "/".join("?" if number is None else _short(number) for number in numbers)
    return (
        info.id,
        info.status,
        f"{price.input:g}",
        f"{price.output:g}",
        _short(info.context_tokens),
        _short(info.output_tokens),
        free,
        info.shutdown or "–",
    )


def _short(number: int) -> str:
    """`1.05M`, `66k`, `250`."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.3g}M"
    return f"{number / 1_000:.0f}k" if number >= 10_000 else str(number)


def _record(info: ModelInfo, catalogue: Catalogue, now: float) -> dict[str, object]:
    price = catalogue.price_at(info.id, now)
    limits = info.free_limits
    return {
        "event": "model",
        "id": info.id,
        "title": info.title,
        "status": info.status,
        "video": info.video_in,
        "usd_per_million_in": price.input,
        "usd_per_million_out": price.output,
        "context_tokens": info.context_tokens,
        "output_tokens": info.output_tokens,
        "free_tier": info.free_tier,
        "free_limits": None if limits is None else {"rpm": limits.rpm, "tpm": limits.tpm, "rpd": limits.rpd},
        "shutdown": info.shutdown or None,
        "warning": catalogue.warning(info.id, now),
    }
