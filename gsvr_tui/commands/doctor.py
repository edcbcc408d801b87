"""`gsvr-tui doctor`: what is well here, what is not, and what to do about it. Changes nothing."""

from __future__ import annotations

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.say import json_line, out, plural

_SIGNS = {"ok": "ok  ", "info": "    ", "warn": "!   ", "error": "FAIL"}


@click.command()
@click.option("--check", is_flag=True, help="Also ask the service about every key. Costs nothing.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one per finding, the sums last.")
def doctor(check: bool, as_json: bool) -> int:
    """Check versions, terminal, folders, config, key stores, state, clock and accounts."""
    from gsvr_tui.commands.examination import examine

    errors = warnings = 0
    for finding in examine(check=check):
        errors += finding.level == "error"
        warnings += finding.level == "warn"
        if as_json:
            json_line(
                {
                    "event": "finding",
                    "level": finding.level,
                    "what": finding.what,
                    "message": finding.message,
                    "advice": finding.advice,
                }
            )
            continue
        out(f"{_SIGNS[finding.level]}  {finding.what:<10} {finding.message}")
        if finding.advice:
            out(f"      {'':<10} → {finding.advice}")
    if as_json:
        json_line({"event": "summary", "errors": errors, "warnings": warnings})
    else:
        out(f"\n{plural(errors, 'error')}, {plural(warnings, 'warning')}.")
    return Exit.SOME_FAILED if errors else Exit.DONE
