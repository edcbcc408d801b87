"""How long answers take: learned from each model's history, else a guess that errs upwards; and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gsvr_tui.core.catalogue import Catalogue, UnknownModel
from gsvr_tui.core.planner import PROMPT_TOKENS
from gsvr_tui.service.history import Latency
from gsvr_tui.store.codec import UsageDay

ANSWER_S = 15.0
ANSWER_S_PER_MINUTE = 2.0
"""The guess where nothing is learned: seconds of an answer, and more for each minute of video."""
FEWEST = 3
GUESS_SPREAD = 0.6
LEAST_SPREAD, MOST_SPREAD = 0.05, 0.8
HISTORY_DAYS = 14


class ServiceTimes:
    """Seconds from request to answer by model and size of the request."""

    def __init__(self, rows: Iterable[UsageDay], catalogue: Catalogue, first_day: str = "") -> None:
        self._catalogue = catalogue
        self._latency: dict[str, Latency] = {}
        self._tokens: dict[str, int] = {}
        for row in rows:
            if row.day >= first_day and row.latency:
                self._latency.setdefault(row.model, Latency()).merge(Latency.parse(row.latency))
                self._tokens[row.model] = self._tokens.get(row.model, 0) + row.tokens_in

    def learned(self, model: str) -> bool:
        """True when enough answers of this model are known."""
        return model in self._latency and self._latency[model].count >= FEWEST

    def seconds(self, model: str, tokens: int) -> float:
        """What an answer to a request of so many input tokens will take."""
        guess = self._guess(model, tokens)
        if not self.learned(model):
            return guess
        latency = self._latency[model]
        usual = self._guess(model, round(self._tokens[model] / latency.count))
        return (latency.mean() or usual) * guess / usual

    def _guess(self, model: str, tokens: int) -> float:
        try:
            per_minute = self._catalogue.video_tokens(model, 60.0)
        except UnknownModel:
            per_minute = 0
        minutes = max(0, tokens - PROMPT_TOKENS) / per_minute if per_minute else 0.0
        return ANSWER_S + ANSWER_S_PER_MINUTE * minutes

    def means(self) -> dict[str, float]:
        """Seconds on average of the models of which it is known."""
        return {model: mean for model, found in self._latency.items() if (mean := found.mean()) is not None}

    def spread(self, model: str, requests: int) -> float:
        """How far the mean over so many requests may be off, as a share of it: two standard deviations."""
        if not self.learned(model):
            return GUESS_SPREAD
        latency = self._latency[model]
        share = 2.0 * latency.spread() * math.sqrt(1.0 / latency.count + 1.0 / max(1, requests))
        return min(MOST_SPREAD, max(LEAST_SPREAD, share))
