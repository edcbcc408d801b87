"""Whether a model can do the work at all: said before anything is uploaded."""

from __future__ import annotations

from gsvr_tui.core.catalogue import Catalogue, ModelInfo

LEAST_OUTPUT_TOKENS = 2_048
"""Below this no report fits into an answer."""


def model_problem(info: ModelInfo, catalogue: Catalogue, wall: float) -> tuple[str, str] | None:
    """What is wrong with using this model now, and what to do; None when it can be used.

    `info` is the model that will answer: `catalogue.resolve` has followed the service's own successors.
    """
    others = _others(info, catalogue, wall)
    advice = f"choose another one: {', '.join(others)}" if others else "see: gsvr-tui models"
    if info.stopped(wall):
        return f"the model {info.id} stopped on {info.shutdown} and has no successor", advice
    if not info.video_in:
        return f"the model {info.id} does not take video", advice
    if info.output_tokens < LEAST_OUTPUT_TOKENS:
        return f"the model {info.id} writes at most {info.output_tokens:,} tokens, too few for a report", advice
    return None


def _others(info: ModelInfo, catalogue: Catalogue, wall: float) -> list[str]:
    usable = (catalogue.find(name) for name in catalogue.ids())
    return [
        other.id
        for other in usable
        if other.id != info.id and other.video_in and other.status == "stable" and not other.stopped(wall)
    ][:3]
