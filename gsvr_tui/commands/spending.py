"""The question before money is spent, and the rule where nobody can be asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.guard import Complaint
from gsvr_tui.commands.say import is_terminal, note, plural
from gsvr_tui.core.text import format_usd

if TYPE_CHECKING:
    from gsvr_tui.service.planning import Estimate

ASK_FROM_USD = 1.0


def agree(estimate: Estimate, *, cap: float | None, output: str) -> None:
    """Return when the run may spend what it takes; raise Complaint when it may not.

    Free accounts are never asked about. On a terminal a person is asked when the run may cost more than $1, or when no
    cap is set. In a pipe nobody can be asked: the run goes on when a cap is set or it costs at most $1.
    """
    from gsvr_tui.commands.plan import money_words

    videos = plural(len(estimate.videos), "video")
    capped = f", cap {format_usd(cap)}" if cap is not None else ""
    note(f"{videos} with {estimate.model}, {money_words(estimate)}{capped}; reports go to {output}")
    if estimate.free:
        return
    dear = estimate.usd()[2] > ASK_FROM_USD
    if is_terminal(sys.stdin) and is_terminal(sys.stderr):
        if (dear or cap is None) and not click.confirm("Start?", default=not dear, err=True):
            raise Complaint("not started; nothing was sent", "--max-cost USD sets a cap", Exit.USAGE)
    elif dear and cap is None:
        raise Complaint(
            "this may cost more than $1 and nobody can be asked", "set a cap with --max-cost USD, or agree with --yes"
        )
