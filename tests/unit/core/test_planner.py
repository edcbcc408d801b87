"""How a video becomes requests."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.core.catalogue import Catalogue
from gsvr_tui.core.failure import Failure
from gsvr_tui.core.models import ProbeFacts
from gsvr_tui.core.planner import MINUTE_SHARE, PROMPT_TOKENS, JobPlan, estimate, plan_job

WALL = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()
MODEL = "gemini-3.8-flash"
CATALOGUE = load_catalogue()
FACTS = ProbeFacts(600.0, 1000, "video/mp4", "mp4", "h264", audio_codec="aac")


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE


@settings(deadline=None)
@given(
    duration=st.floats(0.1, 110_000.0),
    audio=st.booleans(),
    tpm=st.one_of(st.none(), st.integers(20_000, 4_000_000)),
    model=st.sampled_from([m for m in CATALOGUE.ids() if CATALOGUE.find(m).video_in]),
)
def test_the_ranges_cover_the_video_exactly_and_each_fits(
    duration: float, audio: bool, tpm: int | None, model: str
) -> None:
    facts = replace(FACTS, duration_s=duration, audio_codec="aac" if audio else "")
    plan = plan_job(facts, model, CATALOGUE, WALL, tokens_per_minute=tpm)
    if isinstance(plan, Failure):
        assert tpm is not None
        return
    edges = [item.start_s for item in plan.ranges] + [plan.ranges[-1].end_s]
    assert edges[0] == 0.0
    assert edges[-1] == duration
    assert edges == sorted(edges)
    for before, after in zip(plan.ranges, plan.ranges[1:], strict=False):
        assert before.end_s == after.start_s
    assert [item.index for item in plan.ranges] == list(range(len(plan.ranges)))
    info = CATALOGUE.find(model)
    for item in plan.ranges:
        assert item.end_s > item.start_s
        assert item.tokens_in + info.output_tokens <= info.context_tokens
        assert item.usd > 0
        if tpm is not None:
            assert item.tokens_in <= tpm


@settings(deadline=None)
@given(duration=st.floats(60.0, 50_000.0), tpm=st.integers(20_000, 2_000_000))
def test_there_are_as_few_ranges_as_fit(duration: float, tpm: int) -> None:
    facts = replace(FACTS, duration_s=duration)
    plan = plan_job(facts, MODEL, CATALOGUE, WALL, tokens_per_minute=tpm)
    if isinstance(plan, Failure) or len(plan.ranges) == 1:
        return
    fewer = duration / (len(plan.ranges) - 1)
    info = CATALOGUE.find(MODEL)
    limit = min(info.context_tokens * 0.9 - info.output_tokens, tpm * MINUTE_SHARE)
    assert estimate(facts, 0, 0.0, fewer, MODEL, CATALOGUE, WALL).tokens_in > limit - 2


def test_a_short_video_is_one_request(catalogue: Catalogue) -> None:
    plan = plan_job(FACTS, MODEL, catalogue, WALL)
    assert isinstance(plan, JobPlan)
    assert [(r.start_s, r.end_s) for r in plan.ranges] == [(0.0, 600.0)]
    assert plan.tokens_in == PROMPT_TOKENS + catalogue.video_tokens(MODEL, 600.0)
    assert plan.usd == pytest.approx(plan.ranges[0].usd)


def test_sound_counts(catalogue: Catalogue) -> None:
    silent = plan_job(replace(FACTS, audio_codec=""), MODEL, catalogue, WALL)
    loud = plan_job(FACTS, MODEL, catalogue, WALL)
    assert isinstance(silent, JobPlan)
    assert isinstance(loud, JobPlan)
    assert silent.tokens_in < loud.tokens_in


def test_a_minute_limit_below_one_request_splits_the_video(catalogue: Catalogue) -> None:
    facts = replace(FACTS, duration_s=7200.0)
    whole = plan_job(facts, MODEL, catalogue, WALL)
    split = plan_job(facts, MODEL, catalogue, WALL, tokens_per_minute=250_000)
    assert isinstance(whole, JobPlan)
    assert isinstance(split, JobPlan)
    assert len(whole.ranges) == 1
    assert len(split.ranges) == math.ceil((whole.tokens_in - PROMPT_TOKENS) / (250_000 * MINUTE_SHARE - PROMPT_TOKENS))
    assert max(r.tokens_in for r in split.ranges) <= 250_000


def test_a_limit_too_small_for_anything_is_said_before_an_upload(catalogue: Catalogue) -> None:
    failure = plan_job(FACTS, MODEL, catalogue, WALL, tokens_per_minute=2000)
    assert isinstance(failure, Failure)
    assert failure.code == "LIMIT_TOO_SMALL"
    assert failure.advice


def test_a_model_that_takes_no_video_is_said_before_an_upload(catalogue: Catalogue) -> None:
    failure = plan_job(FACTS, "no-such-model", catalogue, WALL)
    assert isinstance(failure, Failure)
    assert failure.code == "NO_VIDEO_MODEL"


def test_what_is_free_costs_nothing(catalogue: Catalogue) -> None:
    plan = plan_job(FACTS, MODEL, catalogue, WALL, free=True)
    assert isinstance(plan, JobPlan)
    assert plan.usd == 0.0
