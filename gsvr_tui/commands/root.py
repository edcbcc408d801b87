"""The tree of commands. Each is imported when it is called, so that `--help` and `--version` answer at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from gsvr_tui import __version__

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "See it work: sample videos and a local Gemini, no key, no network."),
    "run": ("run", "Turn videos into reports."),
    "resume": ("resume", "Go on with what an earlier run left."),
    "plan": ("plan", "Say what a run would take: requests, money, time. Sends nothing."),
    "status": ("status", "Show the queue."),
    "retry": ("jobs", "Queue failed jobs again."),
    "pause": ("jobs", "Hold jobs."),
    "cancel": ("jobs", "Cancel jobs that are not finished."),
    "render": ("render", "Write reports again from the stored answers. Sends nothing."),
    "usage": ("usage", "Say what each account has used: requests, tokens, money, how well it went."),
    "accounts": ("accounts", "Add, check, list and remove accounts."),
    "templates": ("templates", "List and show the kinds of report."),
    "models": ("models", "List models with prices, limits and shutdown dates."),
    "doctor": ("doctor", "Check terminal, folders, config, keys and state."),
    "verify": ("verify", "Read every answer and report again: is it what the records say?"),
    "repair": ("repair", "Save what can be read of a damaged queue."),
    "report-bug": ("report_bug", "Write a file for a bug report. It holds no key and no name of yours."),
}
"""Command → (its module, its line in the help). The module names the command as the key does, `-` written `_`."""


class LazyGroup(click.Group):
    """A group whose commands are modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        if cmd_name not in COMMANDS:
            return None
        found = getattr(import_module(f"gsvr_tui.commands.{COMMANDS[cmd_name][0]}"), cmd_name.replace("-", "_"))
        assert isinstance(found, click.Command)  # noqa: S101 - a test goes through the table
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for one that is not known."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


EPILOG = (
    "Without a command the app opens. Exit codes: 0 all done, 1 some failed, 2 usage or config, "
    "3 stopped by budget or quota, 130 interrupted and resumable."
)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@click.version_option(__version__, "-V", "--version", prog_name="gsvr-tui", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context) -> Any:
    """Turn libraries of videos into checked reports with Google Gemini."""
    if ctx.invoked_subcommand is None:
        from gsvr_tui.commands.screens import open_app

        return open_app()
    return None
