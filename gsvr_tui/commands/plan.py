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
    from gsvr_tui.commands.surroundings import Surroundings
    from gsvr_tui.core.messages import PlanOption, PlanReady
    from gsvr_tui.core.models import Account
    from gsvr_tui.media.files import Found
    from gsvr_tui.service.plan_desk import Question
    from gsvr_tui.service.planning import Estimate, VideoPlan

MOST_SHOWN = 40


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-m", "--model", default="", help="Model (default: the config's).")
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Say whether it stays within this sum.")
@click.option(
    "--json", "as_json", is_flag=True, help="JSON Lines: one per video, then the ways to do it, the sums last."
)
def plan(paths: tuple[Path, ...], model: str, max_cost: float | None, as_json: bool) -> int:
    """Say what a run over PATHS would take: requests, tokens, money and time, and what would be left out.

    The finishing time comes from the scheduler itself, played ahead over your accounts with what is used of today's
    quota; beside it stands what another account, the fallback model or the paid tier would change.
    """
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.media.files import find_videos
    from gsvr_tui.service.plan_desk import look_into, plan_ready

    here = surroundings()
    found = find_videos(paths)
    question, template, caps = _question(here, found, model)
    if not found.videos:
        raise Complaint(*nothing_found(found))
    cap = min((c for c in (max_cost, *caps) if c is not None), default=None)
    estimate = look_into(question)
    ready = plan_ready("plan", question, estimate, template, cap)
    if as_json:
        _as_json(estimate, ready, found, here.accounts)
    else:
        _as_text(estimate, ready, found, here.accounts)
    return Exit.DONE if not any(video.problem for video in estimate.videos) else Exit.SOME_FAILED


def _question(here: Surroundings, found: Found, model: str) -> tuple[Question, str, tuple[float | None, ...]]:
    """What to plan, from the config and from what the state knows of quota; the template, and the caps."""
    from gsvr_tui.commands.batches import reading
    from gsvr_tui.config.models_file import load_catalogue
    from gsvr_tui.core.models import Now
    from gsvr_tui.service.assembly import settings_of
    from gsvr_tui.service.capability import model_problem
    from gsvr_tui.service.plan_desk import Question
    from gsvr_tui.service.standing import offline_standing

    settings = settings_of(here.config, here.places, here.env)
    catalogue = load_catalogue(here.places.models_file)
    now = Now(time.monotonic(), time.time())
    info = catalogue.resolve(model or settings.model, now.wall)
    problem = model_problem(info, catalogue, now.wall)
    if problem is not None:
        raise Complaint(*problem)
    with reading(here.places) as store:
        standing, times = offline_standing(store, here.accounts, catalogue, settings.caps, settings.workers, now)
    question = Question(info, found, standing, times, catalogue, settings.fallback_models, now)
    return question, settings.template, (settings.caps.run, settings.caps.day)


def nothing_found(found: Found) -> tuple[str, str]:
    """Message and advice for a search that gave no video."""
    said = "; ".join(f"{clean_text(str(item.path))}: {item.message}" for item in found.skipped[:5])
    more = f"; and {len(found.skipped) - 5} more" if len(found.skipped) > 5 else ""
    return f"there is no video to work on: {said}{more}", "name video files, or a folder with videos in it"


def money_words(estimate: Estimate) -> str:
    """`about $0.12 ($0.08–$0.19)`, or that it is free."""
    if estimate.free:
        return "free of charge (all accounts are on the free tier)"
    usd, low, high = estimate.usd()
    return f"about {format_usd(usd)} ({format_usd(low)}–{format_usd(high)})"


# ---------------------------------------------------------------- for people


def _as_text(estimate: Estimate, ready: PlanReady, found: Found, accounts: tuple[Account, ...]) -> None:
    rows = [("video", "length", "requests", "tokens in", "cost")]
    rows += [_row(video, estimate.free) for video in estimate.videos[:MOST_SHOWN]]
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
    split = f" ({plural(ready.split, 'video')} in parts)" if ready.split else ""
    out(
        f"\n{plural(ready.videos, 'video')}, {format_duration(ready.seconds)}: {plural(requests, 'request')} to "
        f"{estimate.model}{split}, {tokens:,} input tokens, {_price(estimate, ready)}."
    )
    if not accounts:
        out("When: not known without an account. Add one: gsvr-tui accounts add main")
    elif ready.videos:
        _time_words(ready)
    if ready.cap_usd is not None:
        within = "within" if ready.inside_cap else "over: the run would stop at"
        out(f"This is {within} the cap of {format_usd(ready.cap_usd)}.")
    for warning in ready.warnings:
        out(f"! {warning}")


def _price(estimate: Estimate, ready: PlanReady) -> str:
    """What it costs as things are; where some accounts are free, only a part of it is paid for."""
    now = ready.options[0]
    if estimate.free or now.ends_at is None:
        return money_words(estimate)
    return f"about {format_usd(now.cost_usd)} ({format_usd(now.cost_low_usd)}–{format_usd(now.cost_high_usd)})"


def _row(video: VideoPlan, free: bool) -> tuple[str, str, str, str, str]:
    name = middle_cut(clean_text(video.video.name), 48)
    if video.facts is None or video.problem:
        return name, format_time(video.facts.duration_s) if video.facts else "–", "–", "–", "–"
    return (
        name,
        format_time(video.facts.duration_s),
        str(len(video.needs)),
        f"{video.tokens_in:,}",
        format_usd(0.0 if free else video.usd),
    )


def _time_words(ready: PlanReady) -> None:
    now = ready.options[0]
    if now.ends_at is None:
        out(f"It would not finish: {now.note or 'no account can do it'}.")
    else:
        moment = datetime.fromtimestamp(now.ends_at).astimezone()
        left = format_duration(max(0.0, now.ends_at - time.time()))
        out(f"Done in about {left} ({moment:%a %H:%M}), if it starts now; limited by {now.limited_by}.")
    share = ", ".join(f"{clean_text(name)} {count:,}" for name, count in now.by_account)
    if share:
        out(f"Requests by account: {share}")
    out()
    rows = [("", "done in about", "between", "cost", "limited by", "")]
    rows += [_option_row(option) for option in ready.options]
    out(table(rows))


def _option_row(option: PlanOption) -> tuple[str, str, str, str, str, str]:
    cost = f"{format_usd(option.cost_usd)} ({format_usd(option.cost_low_usd)}–{format_usd(option.cost_high_usd)})"
    cost = cost if option.cost_high_usd else "free"
    if option.ends_at is None or option.ends_low is None or option.ends_high is None:
        return option.name, "never", "–", cost, option.limited_by, option.note
    wall = time.time()
    left, low, high = (
        format_duration(max(0.0, at - wall)) for at in (option.ends_at, option.ends_low, option.ends_high)
    )
    between = f"{low} and {high}" if low != high else "–"
    return option.name, left, between, cost, option.limited_by, option.note


# ---------------------------------------------------------------- for programs


def _as_json(estimate: Estimate, ready: PlanReady, found: Found, accounts: tuple[Account, ...]) -> None:
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
                "usd": 0.0 if estimate.free else video.usd,
                "problem": video.problem,
                "advice": video.advice,
            }
        )
    for item in found.skipped:
        json_line({"event": "skipped", "path": str(item.path), "code": item.code, "message": item.message})
    timed = ready.options if accounts else ()
    for option in timed:
        json_line({"event": "option", **_option(option)})
    projects = {account.name: account.project for account in accounts}
    usd, low, high = estimate.usd()
    if timed and timed[0].ends_at is not None:
        usd, low, high = timed[0].cost_usd, timed[0].cost_low_usd, timed[0].cost_high_usd
    json_line(
        {
            "event": "summary",
            "model": estimate.model,
            "warnings": list(ready.warnings),
            "videos": ready.videos,
            "unusable": len(estimate.videos) - ready.videos,
            "skipped": len(found.skipped),
            "split": ready.split,
            "requests": round(estimate.total(lambda v: len(v.needs))),
            "tokens_in": round(estimate.total(lambda v: v.tokens_in)),
            "tokens_out": round(estimate.total(lambda v: v.tokens_out)),
            "usd": usd,
            "usd_low": low,
            "usd_high": high,
            "free": estimate.free,
            "cap_usd": ready.cap_usd,
            "inside_cap": ready.inside_cap,
            "accounts": [account.name for account in accounts],
            "ends_at": _iso(timed[0].ends_at) if timed else None,
            "limited_by": timed[0].limited_by if timed else None,
            "requests_by_project": {projects.get(n, n): count for n, count in timed[0].by_account} if timed else {},
        }
    )


def _option(option: PlanOption) -> dict[str, Any]:
    return {
        "name": option.name,
        "ends_at": _iso(option.ends_at),
        "ends_low": _iso(option.ends_low),
        "ends_high": _iso(option.ends_high),
        "usd": option.cost_usd,
        "usd_low": option.cost_low_usd,
        "usd_high": option.cost_high_usd,
        "requests": option.requests,
        "tokens_in": option.tokens_in,
        "limited_by": option.limited_by,
        "note": option.note,
        "requests_by_account": dict(option.by_account),
    }


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")
