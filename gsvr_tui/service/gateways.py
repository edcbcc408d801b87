"""One gateway per account, made when it is first needed: keys are looked up late and held nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import Account
from gsvr_tui.core.secret import Secret
from gsvr_tui.gemini.errors import GeminiFailure
from gsvr_tui.gemini.gateway import Gateway
from gsvr_tui.secrets.keystore import KeyProblem
from gsvr_tui.service.settings import Parts, ServiceSettings


class Gateways:
    """Makes, keeps and closes gateways."""

    def __init__(
        self, parts: Parts, settings: ServiceSettings, executor: Executor, on_date: Callable[[float], None]
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._executor = executor
        self._on_date = on_date
        self._ready: dict[str, Gateway] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self.tails: dict[str, str] = {}

    async def get(self, account: Account) -> Gateway:
        """The account's gateway. Raises GeminiFailure (DEAD_KEY) when its key can't be had."""
        lock = self._locks.setdefault(account.name, asyncio.Lock())
        async with lock:
            gateway = self._ready.get(account.name)
            if gateway is None:
                key = await self._key(account)
                self.tails[account.name] = key.tail
                gateway = self._ready[account.name] = self.make(account, key)
            return gateway

    async def _key(self, account: Account) -> Secret:
        loop = asyncio.get_running_loop()
        try:
            key = await loop.run_in_executor(self._executor, self._parts.keys.resolve, account.key)
        except KeyProblem as problem:
            raise GeminiFailure(
                Failure(FailureKind.DEAD_KEY, Scope.KEY, "KEY_NOT_FOUND", problem.message, problem.advice)
            ) from None
        self._parts.redactor.add(key)
        return key

    def make(self, account: Account, key: Secret) -> Gateway:
        """A gateway of its own for an account and key, not kept here."""
        custom = self._settings.allow_custom_endpoint or account.name in self._settings.custom_endpoints
        return Gateway(
            account,
            key,
            base_url=account.base_url or self._settings.base_url,
            allow_custom_endpoint=custom,
            redact=self._parts.redactor.redact,
            random=self._parts.random,
            on_server_date=self._on_date,
        )

    async def forget(self, name: str) -> None:
        """Close an account's gateway: its key was replaced or it is gone."""
        gateway = self._ready.pop(name, None)
        self.tails.pop(name, None)
        if gateway is not None:
            await gateway.aclose()

    async def close(self) -> None:
        """Close all."""
        for name in list(self._ready):
            await self.forget(name)

    @property
    def known_tails(self) -> Mapping[str, str]:
        """Last characters of the keys looked up so far, by account."""
        return self.tails
