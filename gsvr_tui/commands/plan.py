"""`gsvr-tui plan`: what a run would take. Sends nothing, stores nothing."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import json_line, out, plural, table
from gsvr_tui.core.text import clean_text, format_duration, format_time, format_usd, middle_cut

if TYPE_CHECKING:
    from gsvr_tui.commands.estimate import Estimate, VideoPlan
    from gsvr_tui.core.forecast import Forecast
    from gsvr_tui.core.models import Account
    from gsvr_tui.media.files import Found

MOST_SHOWN = 40
_LIMITED_BY = {
    "rpm": "requests per minute",
    "tpm": "input tokens per minute",
    "rpd": "requests per day",
    "workers": "the number of workers",
    "uploads": "uploading",
}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-m", "--model", default="", help="Model (default: the config's).")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one per video, the sums last.")
def plan(paths: tuple[Path, ...], model: str, as_json: bool) -> int:
    """Say what a run over PATHS would take: requests, tokens, money and time, and what would be left out."""
    from gsvr_tui.commands.estimate import estimate_videos, with_forecast
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.config.models_file import load_catalogue
    from gsvr_tui.media.files import find_videos
    from gsvr_tui.service.assembly import settings_of

    here = surroundings()
    settings = settings_of(here.config, here.places, here.env)
    catalogue = load_catalogue(here.places.models_file)
    model = model or settings.model
    catalogue.find(model)
    warning = catalogue.warning(model, time.time())
    found = find_videos(paths)
    if not found.videos:
        raise Complaint(*nothing_found(found))
    estimate = estimate_videos(found.videos, model, catalogue, here.accounts)
    if here.accounts and estimate.good:
        estimate = with_forecast(
            estimate, catalogue, here.accounts, settings.fallback_models, caps=settings.caps, workers=settings.workers
        )
    if as_json:
        _as_json(estimate, found, here.accounts, warning)
    else:
        _as_text(estimate, found, here.accounts, warning)
    return Exit.DONE if not any(video.problem for video in estimate.videos) else Exit.SOME_FAILED


def nothing_found(found: Found) -> tuple[str, str]:
    """Message and advice for a search that gave no video."""
    said = "; ".join(f"{clean_text(str(item.path))}: {item.message}" for item in found.skipped[:5])
    more = f"; and {len(found.skipped) - 5} more" if len(found.skipped) > 5 else ""
    return f"there is no video to work on: {said}{more}", "name video files, or a folder with videos in it"


def money_words(estimate: Estimate) -> str:
    """`about $0.12 ($0.08–$0.19)`, or that it is free."""
    if estimate.free:
        return "free of charge (all accounts are on the free tier)"
    usd, low, high = (estimate.total(figure) for figure in (lambda v: v.usd, lambda v: v.usd_low, lambda v: v.usd_high))
    return f"about {format_usd(usd)} ({format_usd(low)}–{format_usd(high)})"


# ---------------------------------------------------------------- for people


def _as_text(estimate: Estimate, found: Found, accounts: tuple[Account, ...], warning: str) -> None:
    rows = [("video", "length", "requests", "tokens in", "cost")]
    rows += [_row(video) for video in estimate.videos[:MOST_SHOWN]]
    out(table(rows, right=frozenset({1, 2, 3, 4})))
    if len(estimate.videos) > MOST_SHOWN:
        out(f"… and {len(estimate.videos) - MOST_SHOWN:,} more")
    problems = [video for video in estimate.videos if video.problem]
    if problems:
        out(f"\nCan't be used ({len(problems):,}):")
        for video in problems[:MOST_SHOWN]:
            out(f"  {clean_text(video.video.name)}: {video.problem}. {video.advice}".rstrip())
    if found.skipped:
        out(f"\nLeft out ({len(found.skipped):,}):")
        for item in found.skipped[:MOST_SHOWN]:
            out(f"  {clean_text(str(item.path))}: {item.message}")
    requests = round(estimate.total(lambda v: len(v.needs)))
    tokens = round(estimate.total(lambda v: v.tokens_in))
    length = estimate.total(lambda v: v.facts.duration_s if v.facts else 0.0)
    out(
        f"\n{plural(len(estimate.good), 'video')}, {format_duration(length)}: {plural(requests, 'request')} to "
        f"{estimate.model}, {tokens:,} input tokens, {money_words(estimate)}."
    )
    _time_words(estimate.forecast, accounts)
    if warning:
        out(f"! {warning}")


def _row(video: VideoPlan) -> tuple[str, str, str, str, str]:
    name = middle_cut(clean_text(video.video.name), 48)
    if video.facts is None or video.problem:
        return name, format_time(video.facts.duration_s) if video.facts else "–", "–", "–", "–"
    return (
        name,
        format_time(video.facts.duration_s),
        str(len(video.needs)),
        f"{video.tokens_in:,}",
        format_usd(video.usd),
    )


def _time_words(told: Forecast | None, accounts: tuple[Account, ...]) -> None:
    if not accounts:
        out("When: not known without an account. Add one: gsvr-tui accounts add main")
        return
    if told is None:
        return
    if told.ends_at is None:
        stopped = told.stopped
        said = f"{stopped.message}; {stopped.advice}" if stopped is not None else "no account can do it"
        out(f"It would not finish: {told.done:,} done, then {said}")
    else:
        ends = datetime.fromtimestamp(told.ends_at).astimezone()
        left = format_duration(max(0.0, told.ends_at - time.time()))
        out(f"Done in about {left} ({ends:%a %H:%M}), if it starts now; limited by {_limit(told)}.")
    share = ", ".join(f"{project} {count:,}" for project, count in sorted(told.by_project.items()))
    if share:
        out(f"Requests by project: {share}")


def _limit(told: Forecast) -> str:
    return _LIMITED_BY.get(told.limited_by, told.limited_by)


# ---------------------------------------------------------------- for programs


def _as_json(estimate: Estimate, found: Found, accounts: tuple[Account, ...], warning: str) -> None:
    for video in estimate.videos:
        json_line(
            {
                "event": "video",
                "path": str(video.video.path),
                "name": video.video.name,
                "duration_s": video.facts.duration_s if video.facts else None,
                "size_bytes": video.video.size_bytes,
                "requests": len(video.needs),
                "tokens_in": video.tokens_in,
                "tokens_out": video.tokens_out,
                "usd": video.usd,
                "problem": video.problem,
                "advice": video.advice,
            }
        )
    for item in found.skipped:
        json_line({"event": "skipped", "path": str(item.path), "code": item.code, "message": item.message})
    told = estimate.forecast
    json_line(
        {
            "event": "summary",
            "model": estimate.model,
            "warning": warning,
            "videos": len(estimate.good),
            "unusable": len(estimate.videos) - len(estimate.good),
            "skipped": len(found.skipped),
            "requests": round(estimate.total(lambda v: len(v.needs))),
            "tokens_in": round(estimate.total(lambda v: v.tokens_in)),
            "tokens_out": round(estimate.total(lambda v: v.tokens_out)),
            "usd": estimate.total(lambda v: v.usd),
            "usd_low": estimate.total(lambda v: v.usd_low),
            "usd_high": estimate.total(lambda v: v.usd_high),
            "free": estimate.free,
            "accounts": [account.name for account in accounts],
            "ends_at": _ends(told),
            "limited_by": told.limited_by if told is not None else None,
            "requests_by_project": dict(told.by_project) if told is not None else {},
        }
    )


def _ends(told: Any) -> str | None:
    if told is None or told.ends_at is None:
        return None
    return datetime.fromtimestamp(told.ends_at).astimezone().isoformat(timespec="seconds")
