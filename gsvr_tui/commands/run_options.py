"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gsvr_tui.commands.say import is_terminal, note

if TYPE_CHECKING:
    from gsvr_tui.commands.run_facts import Show, Summary

F = TypeVar("F", bound=Callable[..., Any])

USUAL_WORKERS = 8
MOST_WORKERS = 64


class Workers(click.ParamType[int]):
    """`auto`, or a number; 0 is auto."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; 0 means computed."""
        if value == "auto":
            return 0
        try:
            number = int(value)
        except (TypeError, ValueError):
            self.fail(f"{value!r} is not auto nor a number from 1 to {USUAL_WORKERS}.", param, ctx)
        if not 0 <= number <= MOST_WORKERS:
            self.fail(f"{number} is not from 1 to {MOST_WORKERS}.", param, ctx)
        return number


class Setting(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and text."""
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign or not name.strip():
            self.fail(f"{value!r} is not written as NAME=VALUE.", param, ctx)
        return name.strip(), text


class Dollars(click.ParamType[float]):
    """An amount of money, with or without the sign."""

    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """US dollars, 0 or more."""
        try:
            amount = float(str(value).strip().removeprefix("$"))
        except ValueError:
            amount = -1.0
        if not 0 <= amount < 1e9:
            self.fail(f"{value!r} is not an amount in US dollars.", param, ctx)
        return amount


def working_options(command: F) -> F:
    """How to work: for run and resume."""
    for option in reversed(
        (
            click.option("--workers", type=Workers(), help="Requests at once, 1–8; auto (default) computes it."),
            click.option("--max-cost", type=Dollars(), help="Stop before more than this is spent."),
            click.option("--no-wait", is_flag=True, help="End with code 3 when budget or quota is used up."),
            click.option("--json", "as_json", is_flag=True, help="JSON Lines of events, the summary as last line."),
        )
    ):
        command = option(command)
    return command


def show_for(as_json: bool) -> Show:
    """The way to show a run: for programs, for a terminal, for a pipe."""
    if as_json:
        from gsvr_tui.commands.json_show import JsonShow

        return JsonShow()
    if is_terminal(sys.stdout):
        from gsvr_tui.commands.rich_show import RichShow

        return RichShow()
    from gsvr_tui.commands.plain_show import PlainShow

    return PlainShow()


def farewell(summary: Summary) -> int:
    """The last words on stderr; the exit code."""
    if summary.reason or summary.advice:
        said = [part for part in (summary.reason, summary.advice) if part]
        note(f"gsvr-tui: {'. '.join(part.rstrip('.') for part in said)}")
    return summary.code


def tell_workers(workers: int | None) -> None:
    """More than usual is allowed, and seldom wise."""
    if workers is not None and workers > USUAL_WORKERS:
        note(f"{workers} workers are more than usual; quota, not workers, is what limits most runs")
