"""Opens the service's session for a command and closes it again, whatever happens in between."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gsvr_tui.commands.guard import Complaint, remember
from gsvr_tui.commands.say import note

if TYPE_CHECKING:
    from gsvr_tui.config.places import Places
    from gsvr_tui.core.models import Account
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.service.assembly import Session
    from gsvr_tui.service.settings import Clock, ServiceSettings
    from gsvr_tui.store.errors import StoreLocked

JOIN_S = 15.0


@contextmanager
def opened(
    places: Places,
    settings: ServiceSettings,
    env: MutableMapping[str, str],
    *,
    log_level: str = "info",
    memory_keys: Mapping[str, Secret] | None = None,
    memory_accounts: tuple[Account, ...] = (),
    clock: Clock | None = None,
) -> Iterator[Session]:
    """A session whose service is not started yet. Raises Complaint when another process has the state.

    `clock`: another time than the machine's, for the demo.
    """
    from gsvr_tui.commands.passphrase import unlock_for
    from gsvr_tui.core.messages import Stop
    from gsvr_tui.secrets.crash import install_hooks
    from gsvr_tui.service.assembly import open_session
    from gsvr_tui.store.errors import StoreLocked

    try:
        session = open_session(
            places,
            settings,
            env,
            run_id=secrets.token_hex(4),
            log_level=log_level,
            memory_keys=memory_keys,
            memory_accounts=memory_accounts,
            clock=clock,
        )
    except StoreLocked as error:
        raise locked(error) from None
    remember(session.parts.redactor)
    undo = install_hooks(places, session.parts.redactor)
    try:
        unlock_for(session.settings.accounts, session.parts.keys)
        yield session
    finally:
        undo()
        if session.service.running:
            session.service.send(Stop("closing", drain=False))
            if not session.service.join(JOIN_S):
                note("the service did not end in time; what was in flight may be sent again")
        if not session.close():
            note("the last changes could not be written: the disk is full or gone")


def locked(error: StoreLocked) -> Complaint:
    """What to say when another process has the state."""
    return Complaint(
        f"another gsvr-tui is at work here: {error.holder}",
        "do it there (in the app p pauses, x cancels, r retries, q leaves), or end it with Ctrl-C; "
        "gsvr-tui status works meanwhile",
    )
