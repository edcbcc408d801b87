"""Finds out whether accounts that are said to be of different projects are of one: a file that one of them uploaded is
readable by the keys of its own project only.

Quota belongs to the project, so two names for one project would promise twice the quota there is. What is found is
said, with what to write in the config, and both are taken as one project for the rest of this run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from gsvr_tui.core.ledger import QuotaView
from gsvr_tui.core.models import Account, Now, RemoteFile
from gsvr_tui.core.pacific import pacific_day
from gsvr_tui.core.scheduling import AccountPut
from gsvr_tui.core.text import clean_text
from gsvr_tui.gemini.errors import GeminiFailure

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service.quota")

MINUTE_S = 60.0


class SharedProjects:
    """See the module. Asks once per pair of projects in a run; a look at a file costs nothing."""

    def __init__(self, engine: Engine, note: Callable[[str, str], None]) -> None:
        """`note` shows a text beside an account."""
        self._engine = engine
        self._note = note
        self._asked: set[frozenset[str]] = set()

    def uploaded(self, account: Account, file: RemoteFile) -> None:
        """A file has come to `account`'s project: have the others look at it, if they have not yet."""
        if self._engine.stopping:
            return
        pool = self._engine.state.pool
        others = []
        for project in pool.projects():
            other = pool.account_for(project)
            pair = frozenset({account.project, project})
            if len(pair) == 2 and pair not in self._asked and other and other.base_url == account.base_url:
                self._asked.add(pair)
                others.append(other)
        if others:
            self._engine.errand(self._ask(account, file, others))

    async def _ask(self, account: Account, file: RemoteFile, others: list[Account]) -> None:
        for other in others:
            try:
                async with self._engine.gateways.use(other) as gateway:
                    readable = await gateway.file(file.name) is not None
            except GeminiFailure as problem:
                log.debug("whether %s can read a file of %s: %s", other.name, account.name, problem.failure.message)
                continue
            if readable:
                await self._found(account, other)

    async def _found(self, one: Account, other: Account) -> None:
        names = [clean_text(text) for text in (one.name, other.name, one.project, other.project)]
        log.warning(
            "accounts %s and %s are keys of one Google project (each can read the files of the other), so they share "
            "its quota; taken as one from now on. Write the same project for both in the config: project: %s",
            *names[:3],
            extra={"account": other.name},
        )
        self._note(one.name, f"shares its Google project with {names[1]}: write project: {names[2]} for both")
        self._note(other.name, f"shares its Google project with {names[0]}: write project: {names[2]} for both")
        await self._merge(one.project, other.project)

    # ---------------------------------------------------------------- taking them as one

    async def _merge(self, into: str, gone: str) -> None:
        """Quota used so far, files and working accounts of `gone` belong to `into` from now on."""
        engine, state = self._engine, self._engine.state
        await self._take_files(into, gone)
        moved = [account for account in state.pool.all() if account.project == gone and state.pool.usable(account.name)]
        now = engine.clock.now()
        self._add_up(into, gone, now)
        for account in moved:
            # without limits of its own: those stated for the project that stays hold
            engine.feed(AccountPut(replace(account, project=into, limits={}), {}))

    def _add_up(self, into: str, gone: str, now: Now) -> None:
        ledger = self._engine.state.ledger
        views = {(view.project, view.model): view for view in ledger.views(now)}
        for (project, model), used in views.items():
            if project != gone:
                continue
            kept = views.get((into, model))
            ledger.restore_day(
                into,
                model,
                pacific_day(now.wall),
                used.day_used + (kept.day_used if kept else 0),
                now,
                used.tokens_day + (kept.tokens_day if kept else 0),
            )
            if kept is not None and _full(kept, used):
                ledger.rest(into, model, MINUTE_S, f"shares its minute with {clean_text(gone)}", now)

    async def _take_files(self, into: str, gone: str) -> None:
        files = self._engine.context.files
        for file in self._engine.desk.store.remote_files():
            if file.project == gone and files.known(into, file.content_hash) is None:
                await files.put(replace(file, project=into))
        for entry in self._engine.state.board.entries.values():
            if gone in entry.file_projects:
                entry.file_projects |= {into}


def _full(one: QuotaView, other: QuotaView) -> bool:
    """True when both together have used up the minute of the project they are."""
    used = sum(view.minute_used + view.minute_reserved for view in (one, other))
    tokens = one.tokens_used + other.tokens_used
    limits = one.limits
    return (limits.rpm is not None and used >= limits.rpm) or (limits.tpm is not None and tokens >= limits.tpm)
