"""A log of sends that is safe for every kind of limiter: never more than a limit in any stretch of 60 seconds.

A send counts from its reservation on. Until it is known when the request left, it counts with no end; from then on for
`span_s` seconds. That passes a sliding window, any fixed window, and a token bucket of the same capacity.
"""

from __future__ import annotations

import math
from collections import deque

MINUTE_S = 60.0
NETWORK_MARGIN_S = 0.25
"""Two sends 60.0 s apart may arrive 59.9 s apart; every wait is this much longer."""
LONGEST_MARGIN_S = 3.0
EDGE_S = 5.0
"""A refusal so soon after a place came free was early, not beyond the limit: the line is slower than the margin."""


class _Send:
    __slots__ = ("at", "pruned", "tokens")

    def __init__(self, tokens: int) -> None:
        self.at: float | None = None
        self.pruned = False
        self.tokens = tokens


class SlidingWindow:
    """Requests and input tokens of one project × model over the last minute."""

    __slots__ = ("_gone", "_log", "_open", "_tokens", "_unsent", "_unsent_tokens", "_widened_at", "span_s")

    def __init__(self, span_s: float = MINUTE_S + NETWORK_MARGIN_S) -> None:
        self.span_s = span_s
        self._open: dict[str, _Send] = {}  # reserved, and those still to be settled
        self._log: deque[_Send] = deque()  # left already, oldest first
        self._gone: deque[float] = deque(maxlen=256)  # when the latest of those forgotten left
        self._widened_at = -math.inf
        self._tokens = 0  # in _log
        self._unsent = 0  # reserved, not known to have left
        self._unsent_tokens = 0

    def prune(self, mono: float) -> None:
        """Forget what left more than a span ago."""
        while self._log and self._log[0].at is not None and self._log[0].at + self.span_s <= mono:
            send = self._log.popleft()
            send.pruned = True
            self._gone.append(send.at or 0.0)
            self._tokens -= send.tokens

    def reserve(self, key: str, tokens: int) -> None:
        """Take one request and its estimated tokens."""
        self._open[key] = _Send(tokens)
        self._unsent += 1
        self._unsent_tokens += tokens

    def mark_sent(self, key: str, mono: float) -> None:
        """The request left at `mono`; a second call for the same key changes nothing."""
        send = self._open.get(key)
        if send is None or send.at is not None:
            return
        last = self._log[-1].at if self._log else None
        send.at = mono if last is None else max(mono, last)
        self._unsent -= 1
        self._unsent_tokens -= send.tokens
        self._tokens += send.tokens
        self._log.append(send)

    def settle(self, key: str, tokens: int, mono: float) -> None:
        """Replace the estimate by what the service counted."""
        self.mark_sent(key, mono)
        send = self._open.pop(key, None)
        if send is None:
            return
        self.prune(mono)  # one that has left the log must not change its sum
        if not send.pruned:
            self._tokens += tokens - send.tokens
        send.tokens = tokens

    def release(self, key: str) -> None:
        """The request never left: give back what was reserved. One that left stays counted."""
        send = self._open.pop(key, None)
        if send is not None and send.at is None:
            self._unsent -= 1
            self._unsent_tokens -= send.tokens

    def remember(self, mono: float, tokens: int) -> None:
        """Add a send of an earlier run, in order of time."""
        send = _Send(tokens)
        send.at = mono
        self._log.append(send)
        self._tokens += tokens

    def used(self, mono: float) -> tuple[int, int, int]:
        """(requests that left, requests reserved and not known to have left, tokens of both) in the last span."""
        self.prune(mono)
        return len(self._log), self._unsent, self._tokens + self._unsent_tokens

    def was_early(self, mono: float, limit: int) -> bool:
        """True when a refusal within the limit is one of seconds: a little earlier the log was full."""
        self.prune(mono)
        lately = sum(1 for at in self._gone if at + self.span_s + EDGE_S > mono)
        return self._unsent + len(self._log) - 1 + lately >= limit

    def widen(self, mono: float) -> None:
        """Keep a larger distance from the edge of the minute from now on; once for a burst of refusals."""
        if mono >= self._widened_at + EDGE_S:
            self._widened_at = mono
            self.span_s = min(MINUTE_S + LONGEST_MARGIN_S, self.span_s + NETWORK_MARGIN_S * 2)

    def earliest(self, mono: float, tokens: int, requests_limit: int | None, tokens_limit: int | None) -> float:
        """The first moment at which one more request of `tokens` fits; `inf` if it never can."""
        self.prune(mono)
        at = mono
        if requests_limit is not None:
            if requests_limit <= 0:
                return math.inf
            excess = self._unsent + len(self._log) - requests_limit + 1
            if excess > len(self._log):
                at = mono + self.span_s  # those in the way have not left yet; asked again when they have
            elif excess > 0:
                at = self._expiry(excess - 1)
        if tokens_limit is not None:
            if tokens > tokens_limit:
                return math.inf
            excess = self._tokens + self._unsent_tokens + tokens - tokens_limit
            if excess > 0:
                at = max(at, self._freed_at(excess, mono))
        return at

    def _expiry(self, index: int) -> float:
        left_at = self._log[index].at
        return math.inf if left_at is None else left_at + self.span_s

    def _freed_at(self, tokens: int, mono: float) -> float:
        freed = 0
        for index, send in enumerate(self._log):
            freed += send.tokens
            if freed >= tokens:
                return self._expiry(index)
        return mono + self.span_s
