"""`gsvr-tui repair`: save what can be read of a damaged state."""

from __future__ import annotations

import click

from gsvr_tui.commands.say import out


@click.command()
def repair() -> None:
    """Save what can be read of a damaged queue. Copies everything as it is first; answers and reports stay.

    Needed only when gsvr-tui says that the state is damaged; an interrupted run needs nothing.
    """
    from gsvr_tui.commands.opening import locked
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.store.errors import StoreLocked
    from gsvr_tui.store.repair import repair as mend

    here = surroundings()
    try:
        report = mend(here.places.state)
    except StoreLocked as error:
        raise locked(error) from None
    out(f"{report.jobs:,} jobs saved ({report.records:,} records behind {report.source}).")
    for name, count in report.unread:
        out(f"! {count:,} bytes of {name} could not be used")
    out(f"Everything as it was found is in {report.copy}")
    out("Next: gsvr-tui status, then gsvr-tui resume")
