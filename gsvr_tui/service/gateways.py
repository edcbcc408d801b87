"""One gateway per account, made when it is first needed: keys are looked up late and held nowhere else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager

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
        self._calls: Counter[Gateway] = Counter()  # under way
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

    @asynccontextmanager
    async def use(self, account: Account) -> AsyncIterator[Gateway]:
        """The account's gateway for one call. One forgotten meanwhile is closed when its last call has ended: what is
        in flight may be paid for, whatever becomes of the account."""
        gateway = await self.get(account)
        self._calls[gateway] += 1
        try:
            yield gateway
        finally:
            self._calls[gateway] -= 1
            if not self._calls[gateway]:
                del self._calls[gateway]
                if gateway is not self._ready.get(account.name):
                    await gateway.aclose()

    async def forget(self, name: str) -> None:
        """No more calls over an account's gateway: its key was replaced or it is gone."""
        gateway = self._ready.pop(name, None)
        self.tails.pop(name, None)
        if gateway is not None and not self._calls[gateway]:
            await gateway.aclose()

    async def renew(self) -> None:
        """New connections from now on; calls under way keep theirs to their end."""
        for name in list(self._ready):
            tail = self.tails.get(name)
            await self.forget(name)
            if tail is not None:
                self.tails[name] = tail

    async def close(self) -> None:
        """Close all."""
        for gateway in {*self._ready.values(), *self._calls}:
            await gateway.aclose()
        self._ready.clear()
        self.tails.clear()
