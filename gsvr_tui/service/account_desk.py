"""Keys and accounts while the service runs: check, add, replace, remove, switch."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from gsvr_tui.config.edit import add_account, remove_account, set_account_value
from gsvr_tui.config.problems import ConfigError
from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.messages import (
    AddAccount,
    CheckAccount,
    CheckKey,
    CommandDone,
    CommandRefused,
    EnableAccount,
    KeyChecked,
    RemoveAccount,
    ReplaceKey,
)
from gsvr_tui.core.models import Account, KeyRef
from gsvr_tui.core.scheduling import AccountGone, AccountPut, AccountRefused, AccountSwitched, AccountVerified
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.errors import GeminiFailure
from gsvr_tui.gemini.types import KeyCheck
from gsvr_tui.secrets.keystore import KeyProblem

if TYPE_CHECKING:
    from gsvr_tui.service.engine import Engine

log = logging.getLogger("gsvr_tui.service.accounts")


class AccountDesk:
    """See the module. Every method is an errand that answers its command."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()  # one change of config and key stores at a time

    def _refuse(self, command_id: str, message: str, advice: str = "") -> None:
        self._engine.outbox.put(CommandRefused(command_id, message, advice))

    async def check_key(self, command: CheckKey) -> None:
        """Ask the service about a key that is not kept."""
        engine = self._engine
        engine.parts.redactor.add(command.key)
        account = Account("check", "check", KeyRef("memory", "check"), base_url=command.base_url)
        try:
            gateway = engine.gateways.make(account, command.key)
        except (GeminiFailure, ValueError) as error:
            message = error.failure.message if isinstance(error, GeminiFailure) else str(error)
            engine.outbox.put(KeyChecked(command.id, ok=False, message=message))
            return
        try:
            found = await gateway.check(engine.settings.model)
        finally:
            await gateway.aclose()
        known = set(engine.parts.catalogue.ids())
        engine.outbox.put(
            KeyChecked(
                command.id,
                ok=found.ok,
                message=found.message,
                advice=found.advice,
                latency_ms=found.latency_ms,
                models=tuple(m for m in found.models if m in known),
                dead=found.dead,
            )
        )

    async def add(self, command: AddAccount) -> None:
        """Keep the key, write the config, use the account."""
        engine = self._engine
        if engine.state.pool.get(command.name) is not None:
            self._refuse(command.id, f"there is an account named {command.name}", "choose another name")
            return
        name = command.env if command.store == "env" else command.name
        ref = KeyRef(command.store, name)
        account = Account(
            command.name, command.project or command.name, ref, tier=command.tier, base_url=command.base_url
        )
        try:
            await engine.context.in_thread(self._keep, command, account)
        except (KeyProblem, ConfigError) as problem:
            self._refuse(command.id, *_words(problem))
            return
        if command.key is not None:
            engine.parts.redactor.add(command.key)
            engine.gateways.tails[account.name] = command.key.tail
        engine.put_account(account)
        log.info("account %s added to project %s", account.name, account.project, extra={"account": account.name})
        engine.outbox.put(CommandDone(command.id, f"account {account.name} added", 1))

    def _keep(self, command: AddAccount, account: Account) -> None:
        """In a thread: key stores and files may be slow."""
        with self._writing:
            self._keep_alone(command, account)

    def _keep_alone(self, command: AddAccount, account: Account) -> None:
        parts, settings = self._engine.parts, self._engine.settings
        if command.store == "env":
            parts.keys.resolve(account.key)  # a variable that is not set is said now, not at the first job
        if command.key is not None and command.store != "env":
            parts.keys.put(account.key.kind, account.key.name, command.key, passphrase=command.passphrase)
        if not settings.keep_config:
            return
        entry: dict[str, object] = {
            "name": account.name,
            "project": account.project,
            "key": {account.key.kind: account.key.name},
        }
        if account.tier != "unknown":
            entry["tier"] = account.tier
        if account.base_url:
            entry["base_url"] = account.base_url
        try:
            add_account(parts.places.config_file, entry)
        except ConfigError:
            if command.key is not None and command.store != "env":
                parts.keys.delete(account.key)
            raise

    async def replace(self, command: ReplaceKey) -> None:
        """Put another key where the account's key is kept, and use it at once. One that is dead is not taken."""
        engine = self._engine
        account = engine.state.pool.get(command.name)
        if account is None:
            self._refuse(command.id, f"there is no account named {command.name}")
            return
        engine.parts.redactor.add(command.key)
        try:
            found = await self._look_at(account, command.key)
            if found.dead:
                self._refuse(command.id, f"the key of {account.name} was not replaced: {found.message}", found.advice)
                return
            keep = (account.key.kind, account.key.name, command.key)
            await engine.context.in_thread(engine.parts.keys.put, *keep, passphrase=command.passphrase)
        except GeminiFailure as problem:
            self._refuse(command.id, problem.failure.message, problem.failure.advice)
            return
        except (KeyProblem, ValueError) as problem:
            self._refuse(command.id, *(_words(problem) if isinstance(problem, KeyProblem) else (str(problem), "")))
            return
        await engine.gateways.forget(account.name)
        engine.gateways.tails[account.name] = command.key.tail
        # a check that reached nobody says nothing of the key: the account starts afresh
        engine.feed(AccountVerified(account.name) if found.ok else AccountPut(account, engine.tier_limits(account)))
        log.info("the key of account %s was replaced", account.name, extra={"account": account.name})
        said = found.message if found.ok else f"it could not be checked: {found.message}"
        engine.outbox.put(CommandDone(command.id, f"{account.name}: key replaced; {said}", 1))

    async def _look_at(self, account: Account, key: Secret) -> KeyCheck:
        gateway = self._engine.gateways.make(account, key)
        try:
            return await gateway.check(self._engine.settings.model)
        finally:
            await gateway.aclose()

    async def remove(self, command: RemoveAccount) -> None:
        """Forget the key and the account."""
        engine = self._engine
        account = engine.state.pool.get(command.name)
        if account is None:
            self._refuse(command.id, f"there is no account named {command.name}")
            return
        try:
            await engine.context.in_thread(self._forget, account)
        except (KeyProblem, ConfigError) as problem:
            self._refuse(command.id, *_words(problem))
            return
        engine.feed(AccountGone(command.name))
        await engine.gateways.forget(command.name)
        log.info("account %s removed", command.name)
        engine.outbox.put(CommandDone(command.id, f"account {command.name} removed", 1))

    def _forget(self, account: Account) -> None:
        parts = self._engine.parts
        with self._writing:
            if self._engine.settings.keep_config:
                with contextlib.suppress(KeyError):  # not in the file: the demo's, or removed there by hand
                    remove_account(parts.places.config_file, account.name)
            if account.key.kind in ("keyring", "vault"):
                parts.keys.delete(account.key)

    async def enable(self, command: EnableAccount) -> None:
        """Use or stop using an account."""
        engine = self._engine
        if engine.state.pool.get(command.name) is None:
            self._refuse(command.id, f"there is no account named {command.name}")
            return
        if engine.settings.keep_config:
            try:
                await engine.context.in_thread(self._keep_switch, command.name, command.enabled)
            except ConfigError as problem:
                self._refuse(command.id, *_words(problem))
                return
        engine.feed(AccountSwitched(command.name, command.enabled))
        engine.outbox.put(CommandDone(command.id, f"{command.name} {'on' if command.enabled else 'off'}", 1))

    def _keep_switch(self, name: str, enabled: bool) -> None:
        with self._writing, contextlib.suppress(KeyError):
            set_account_value(self._engine.parts.places.config_file, name, "enabled", enabled)

    async def check(self, command: CheckAccount) -> None:
        """Check an account's key now."""
        engine = self._engine
        account = engine.state.pool.get(command.name)
        if account is None:
            self._refuse(command.id, f"there is no account named {command.name}")
            return
        try:
            await engine.gateways.forget(account.name)  # a key replaced meanwhile is looked up again
            async with engine.gateways.use(account) as gateway:
                found = await gateway.check(engine.settings.model)
        except GeminiFailure as problem:
            engine.feed(AccountRefused(account.name, problem.failure))
            self._refuse(command.id, problem.failure.message, problem.failure.advice)
            return
        if found.ok:
            engine.feed(AccountVerified(account.name))
            engine.outbox.put(CommandDone(command.id, f"{account.name}: {found.message}", 1))
            return
        if found.dead:
            failure = Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_REFUSED", found.message, found.advice)
            engine.feed(AccountRefused(account.name, failure))
        self._refuse(command.id, f"{account.name}: {found.message}", found.advice)


def _words(problem: KeyProblem | ConfigError) -> tuple[str, str]:
    """What is wrong and what to do."""
    return (problem.message, problem.advice) if isinstance(problem, KeyProblem) else (str(problem), "")
