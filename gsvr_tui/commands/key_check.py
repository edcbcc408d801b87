"""Asks the service whether a key works, with no service of ours running."""

from __future__ import annotations

import asyncio
from random import SystemRandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gsvr_tui.core.models import Account
    from gsvr_tui.core.secret import Secret
    from gsvr_tui.gemini.types import KeyCheck


def check_keys(keys: list[tuple[Account, Secret]], model: str, base_url: str, custom: frozenset[str]) -> list[KeyCheck]:
    """What the service says of each key, asked in parallel. Costs nothing. Raises BadEndpoint.

    `base_url` is for accounts that name none; `custom` are the accounts whose own endpoint was allowed.
    """
    return asyncio.run(_all(keys, model, base_url, custom))


async def _all(keys: list[tuple[Account, Secret]], model: str, base_url: str, custom: frozenset[str]) -> list[KeyCheck]:
    return list(await asyncio.gather(*(_one(account, key, model, base_url, custom) for account, key in keys)))


async def _one(account: Account, key: Secret, model: str, base_url: str, custom: frozenset[str]) -> KeyCheck:
    from gsvr_tui.gemini.gateway import Gateway

    gateway = Gateway(
        account,
        key,
        base_url=account.base_url or base_url,
        allow_custom_endpoint=account.name in custom,
        random=SystemRandom(),
    )
    try:
        return await gateway.check(model)
    finally:
        await gateway.aclose()
