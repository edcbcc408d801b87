"""`gsvr-tui verify`: are all answers and reports what the records say?"""

from __future__ import annotations

import click

from gsvr_tui.commands.exit_codes import Exit
from gsvr_tui.commands.say import json_line, out, plural
from gsvr_tui.core.text import clean_text

MOST_SHOWN = 200
HARMLESS = frozenset({"REPORT_CHANGED"})
"""Told, but not wrong: people may edit their reports."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON Lines: one per trouble, the sums last.")
def verify(as_json: bool) -> int:
    """Read every answer and report again and compare it with the records. Changes nothing, sends nothing.

    Works while another process is at it; what it is writing at this moment may then be told as missing.
    """
    from gsvr_tui.commands.batches import reading
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.service.verification import Sums, Trouble
    from gsvr_tui.service.verification import verify as look

    here = surroundings()
    sums = Sums()
    wrong = shown = 0

    def tell(trouble: Trouble) -> None:
        nonlocal shown
        if as_json:
            json_line(
                {
                    "event": "trouble",
                    "code": trouble.code,
                    "job": trouble.job_id,
                    "name": trouble.name,
                    "path": trouble.path,
                    "message": trouble.message,
                    "advice": trouble.advice,
                }
            )
            return
        shown += 1
        if shown > MOST_SHOWN:
            return
        sign = "    " if trouble.code in HARMLESS else "FAIL"
        where = f" ({clean_text(trouble.path)})" if trouble.path else ""
        out(f"{sign}  {clean_text(trouble.name)}: {clean_text(trouble.message)}{where}")
        out(f"        → {trouble.advice}")

    with reading(here.places) as store:
        for trouble in look(store, sums):
            wrong += trouble.code not in HARMLESS
            tell(trouble)
        notes = store.recovery.notes
    if as_json:
        facts = {
            "jobs": sums.jobs,
            "answers": sums.answers,
            "answers_spare": sums.spare,
            "answers_spare_damaged": sums.spare_damaged,
            "reports": sums.reports,
            "reports_changed": sums.changed,
            "wrong": wrong,
        }
        json_line({"event": "summary", **facts})
    else:
        if shown > MOST_SHOWN:
            out(f"… and {shown - MOST_SHOWN:,} more: gsvr-tui verify --json")
        for text in notes:
            out(f"!     {text}")
        if sums.spare_damaged:
            out(f"!     {plural(sums.spare_damaged, 'answer')} that no job uses can't be read; nothing depends on them")
        verdict = "All is as recorded" if not wrong else f"{plural(wrong, 'thing')} not as recorded"
        out(
            f"{verdict}: {plural(sums.jobs, 'job')}, {plural(sums.answers, 'answer')}, "
            f"{plural(sums.reports, 'report')}."
        )
    return Exit.SOME_FAILED if wrong else Exit.DONE
