"""How a video becomes requests: how many, over which ranges, with how many tokens and at what price."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.failure import Failure, FailureKind, Scope
from gsvr_tui.core.models import ProbeFacts

CONTEXT_SHARE = 0.9
MINUTE_SHARE = 0.95
"""A single request over a project's tokens a minute can never pass, whatever the waiting."""
PROMPT_TOKENS = 1_500
SHORTEST_SEGMENT_S = 30.0


@dataclass(frozen=True, slots=True)
class Range:
    """A segment: seconds of the video, estimated input and output tokens, and price."""

    index: int
    start_s: float
    end_s: float
    tokens_in: int
    tokens_out: int
    usd: float


@dataclass(frozen=True, slots=True)
class JobPlan:
    """The requests a job needs."""

    ranges: tuple[Range, ...]
    model: str

    @property
    def usd(self) -> float:
        """Estimated price of all requests."""
        return math.fsum(item.usd for item in self.ranges)

    @property
    def tokens_in(self) -> int:
        """Estimated input tokens of all requests."""
        return sum(item.tokens_in for item in self.ranges)


def plan_job(
    facts: ProbeFacts,
    model: str,
    catalogue: Catalogue,
    wall: float,
    *,
    tokens_per_minute: int | None = None,
    free: bool = False,
) -> JobPlan | Failure:
    """Split a video into the fewest equal ranges that fit the model's context and the tokens a minute.

    `tokens_per_minute` is the largest limit among the projects that may take it, None if one is not known. `free`:
    requests cost nothing (free tier). A video that can't be done is a Failure with its reason, before any upload.
    """
    info = catalogue.get(model)
    if info is None or not info.video_in:
        return Failure(
            FailureKind.ITEM,
            Scope.MODEL,
            "NO_VIDEO_MODEL",
            f"the model {model} does not take video",
            "choose a model that does: gsvr-tui models",
        )
    limit = int(info.context_tokens * CONTEXT_SHARE) - info.output_tokens
    if tokens_per_minute is not None:
        limit = min(limit, int(tokens_per_minute * MINUTE_SHARE))
    per_second = catalogue.video_tokens(model, 1000.0, has_audio=facts.has_audio) / 1000.0
    room = limit - PROMPT_TOKENS
    longest = room / per_second if per_second > 0 else math.inf
    if room <= 0 or longest < min(SHORTEST_SEGMENT_S, facts.duration_s):
        return Failure(
            FailureKind.ITEM,
            Scope.ITEM,
            "LIMIT_TOO_SMALL",
            f"no project may send more than {limit:,} tokens in one request to {model}, too few for this video",
            "use a project with a higher limit of tokens a minute",
        )
    count = max(1, math.ceil(facts.duration_s / longest))
    length = facts.duration_s / count
    ranges = []
    for index in range(count):
        end = facts.duration_s if index == count - 1 else (index + 1) * length
        ranges.append(estimate(facts, index, index * length, end, model, catalogue, wall, free=free))
    return JobPlan(tuple(ranges), model)


def estimate(
    facts: ProbeFacts,
    index: int,
    start_s: float,
    end_s: float,
    model: str,
    catalogue: Catalogue,
    wall: float,
    *,
    free: bool = False,
) -> Range:
    """What a request over a range of a video will take, prompt included."""
    length = end_s - start_s
    tokens_in = PROMPT_TOKENS + catalogue.video_tokens(model, length, has_audio=facts.has_audio)
    tokens_out = catalogue.expected_output_tokens(model, length)
    usd = 0.0 if free else catalogue.cost_usd(model, tokens_in=tokens_in, tokens_out=tokens_out, wall=wall)
    return Range(index, start_s, end_s, tokens_in, tokens_out, usd)
