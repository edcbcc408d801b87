"""Runs one call under a deadline and turns every ending but success into a GeminiFailure; repeats harmless ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

import tenacity

from gsvr_tui.gemini.errors import GeminiFailure, Redactor, failure_of
from gsvr_tui.gemini.source import SourceProblem, UploadCancelled
from gsvr_tui.gemini.transport import Exchange, watched_by

T = TypeVar("T")

# Only what a blind repeat can cure; quota, keys and bad requests are the scheduler's business.
PASSING = frozenset({"CONNECT", "DROPPED", "TIMEOUT", "TRUNCATED", "NOT_JSON", "GATEWAY", "INTERNAL", "OVERLOADED"})
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 16.0


def _passes(error: BaseException) -> bool:
    return isinstance(error, GeminiFailure) and error.failure.code in PASSING


class Calls:
    """The one way from a method of the gateway to the line."""

    def __init__(self, redactor: Redactor, random: Random, *, first_wait_s: float = _FIRST_WAIT_S) -> None:
        self.redactor = redactor
        self._random = random
        self._first_wait_s = first_wait_s

    async def once(
        self,
        action: Callable[[], Awaitable[T]],
        exchange: Exchange,
        *,
        timeout_s: float,
        model: str = "",
        paid: bool = False,
    ) -> T:
        """`action` under `exchange`, within `timeout_s` in all. Raises GeminiFailure; cancelling passes through."""
        error: BaseException | None = None
        with watched_by(exchange):
            try:
                async with asyncio.timeout(timeout_s):
                    result = await action()
            except (GeminiFailure, SourceProblem, UploadCancelled):
                raise
            except Exception as caught:  # the border to the SDK and the HTTP library: any of theirs may come here
                error = caught
        if exchange.callback_error is not None:
            raise exchange.callback_error
        if error is None:
            return result
        failure = failure_of(error, exchange, self.redactor, model=model, paid_call=paid)
        error = None  # raised outside of `except` and without this: no traceback leads to a text that holds the key
        raise failure

    async def patiently(self, action: Callable[[], Awaitable[T]], *, attempts: int = 4, within_s: float = 60.0) -> T:
        """`action`, repeated with growing, spread waits while its failures are ones that pass."""
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(_passes),
            stop=tenacity.stop_any(tenacity.stop_after_attempt(attempts), tenacity.stop_after_delay(within_s)),
            wait=lambda state: self.wait_s(state.attempt_number),
            reraise=True,
        )

        async def attempt() -> T:  # tenacity awaits functions it can see to be `async` only
            return await action()

        return await retrying(attempt)

    def wait_s(self, attempt: int) -> float:
        """Seconds before the next attempt after `attempt` (from 1) failed, spread so that many do not come at once."""
        return float(min(_LONGEST_WAIT_S, self._first_wait_s * 2 ** (attempt - 1)) * self._random.uniform(0.5, 1.0))
