"""The model catalogue: prices by date, token rates, shutdowns, and complaints that name the place."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.core.catalogue import (
    DEFAULT_MODEL,
    FALLBACK_MODEL,
    Catalogue,
    CatalogueError,
    UnknownModel,
    catalogue_from,
)


def wall(day: str) -> float:
    return datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC).timestamp()


NOW = wall("2026-11-24")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue()


def minimal(**changes: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "context_tokens": 1000,
        "output_tokens": 100,
        "prices": [{"from": "2026-01-01", "input": 1.0, "output": 2.0}],
        "frame_tokens": {"medium": 10},
    }
    entry.update(changes)
    return {"dated": "2026-11-23", "models": {"m": {k: v for k, v in entry.items() if v is not ...}}}


def test_the_packaged_catalogue_knows_the_default_and_the_fallback(catalogue: Catalogue) -> None:
    assert catalogue.dated == "2026-11-23"
    for model in (DEFAULT_MODEL, FALLBACK_MODEL):
        info = catalogue.get(model)
        assert info is not None
        assert info.free_tier
        assert info.video_in
        assert info.agentic
        assert catalogue.warning(model, NOW) == ""
    assert len(catalogue.ids()) == 14


def test_a_name_with_the_services_prefix_is_the_same_model(catalogue: Catalogue) -> None:
    assert catalogue.get("models/gemini-3.8-flash") is catalogue.get("gemini-3.8-flash")


def test_an_hour_of_video_costs_the_tokens_of_the_documents(catalogue: Catalogue) -> None:
    assert 340_000 <= catalogue.video_tokens("gemini-3.8-flash", 3600) <= 360_000
    assert 1_040_000 <= catalogue.video_tokens("gemini-2.5-pro", 3600) <= 1_080_000
    assert catalogue.video_tokens("gemini-3.8-flash", 100, has_audio=False) == 100 * 75
    assert catalogue.video_tokens("gemini-3.8-flash", 100, resolution="high", fps=0.5) == math.ceil(50 * 285 + 2500)
    # 2.5 has no rate of its own for `high`, 3.x saves nothing at `low`
    assert catalogue.video_tokens("gemini-3.8-flash", 9, resolution="low") == catalogue.video_tokens(
        "gemini-3.8-flash", 9
    )
    assert catalogue.video_tokens("gemini-3.8-flash", -5) == 0


@pytest.mark.parametrize(
    ("model", "day", "usd"),
    [
        ("gemini-3.8-flash", "2026-11-24", 0.75 + 3.75),
        ("gemini-3.8-flash", "2027-01-01", 1.50 + 7.50),
        ("gemini-4-argon", "2026-11-30", 2.0 + 10.0),
        ("gemini-4-argon", "2026-12-01", 4.0 + 20.0),
        ("gemini-3.5-flash-lite", "2026-11-24", 0.30 + 2.50),
        ("gemini-3.1-pro-preview", "2026-11-24", 4.0 + 18.0),
        ("gemini-2.5-flash", "2026-11-30", 0.30 + 2.50),
        ("gemini-2.5-pro", "2026-12-01", 0.75 + 3.75),  # answered and billed by 3.8-flash
    ],
)
def test_a_request_costs_the_price_of_its_day(catalogue: Catalogue, model: str, day: str, usd: float) -> None:
    cost = catalogue.cost_usd(model, tokens_in=1_000_000, tokens_out=1_000_000, wall=wall(day))
    assert cost == pytest.approx(usd)


def test_a_price_step_holds_for_prompts_above_it_only(catalogue: Catalogue) -> None:
    at = catalogue.cost_usd("gemini-3.1-pro-preview", tokens_in=200_000, tokens_out=0, wall=NOW)
    above = catalogue.cost_usd("gemini-3.1-pro-preview", tokens_in=200_001, tokens_out=0, wall=NOW)
    assert at == pytest.approx(0.4)
    assert above == pytest.approx(0.800004)


def test_cached_and_audio_tokens_have_their_own_prices(catalogue: Catalogue) -> None:
    cost = catalogue.cost_usd(
        "gemini-3.1-flash-lite", tokens_in=1_000_000, tokens_out=0, cached=400_000, audio_in=100_000, wall=NOW
    )
    assert cost == pytest.approx(0.5 * 0.25 + 0.4 * 0.025 + 0.1 * 0.50)


@given(
    tokens_in=st.integers(0, 2_000_000),
    cached=st.integers(0, 2_000_000),
    audio=st.integers(0, 2_000_000),
    tokens_out=st.integers(0, 100_000),
)
def test_a_cost_lies_between_all_cached_and_all_at_the_dearest(
    tokens_in: int, cached: int, audio: int, tokens_out: int
) -> None:
    price = CATALOGUE.price_at("gemini-2.5-flash", NOW)
    cost = CATALOGUE.cost_usd(
        "gemini-2.5-flash", tokens_in=tokens_in, tokens_out=tokens_out, cached=cached, audio_in=audio, wall=NOW
    )
    low = (tokens_in * price.cached + tokens_out * price.output) / 1e6
    high = (tokens_in * price.audio_input + tokens_out * price.output) / 1e6
    assert low - 1e-9 <= cost <= high + 1e-9


CATALOGUE = load_catalogue()


def test_a_shutdown_is_announced_with_its_day_and_successor(catalogue: Catalogue) -> None:
    assert catalogue.warning("gemini-2.5-flash", NOW) == (
        "gemini-2.5-flash stops on 2026-12-01, in 7 days; requests then go to gemini-3.5-flash-lite. "
        "Write model: gemini-3.8-flash"
    )
    assert "tomorrow" in catalogue.warning("gemini-2.5-flash", wall("2026-11-30"))
    assert catalogue.warning("gemini-2.5-pro", wall("2026-12-01")).startswith(
        "gemini-2.5-pro stopped on 2026-12-01; requests go to gemini-3.8-flash."
    )
    assert "deprecated since 2026-10-08" in catalogue.warning("gemini-3.5-flash", NOW)
    assert catalogue.warning("gemini-3.1-flash-lite", NOW) == ""  # 2027-05-07 is far off
    assert "requests then fail" in catalogue.warning("gemini-3.1-flash-lite", wall("2027-04-01"))


def test_after_its_shutdown_a_name_resolves_to_its_successor(catalogue: Catalogue) -> None:
    assert catalogue.resolve("gemini-2.5-flash", NOW).id == "gemini-2.5-flash"
    assert catalogue.resolve("gemini-2.5-flash", wall("2026-12-02")).id == "gemini-3.5-flash-lite"


def test_an_unknown_model_is_refused_with_names_like_it(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownModel, match=r"Did you mean gemini-3\.8-flash") as caught:
        catalogue.resolve("gemini-3.8-flsh", NOW)
    assert "gemini-3.8-flash" in caught.value.nearest
    with pytest.raises(UnknownModel, match="gsvr-tui models"):
        catalogue.resolve("gpt", NOW)
    assert "not in the catalogue" in catalogue.warning("gpt", NOW)


def test_more_thinking_and_longer_videos_mean_more_output(catalogue: Catalogue) -> None:
    def tokens(seconds: float, level: str) -> int:
        return catalogue.expected_output_tokens("gemini-3.8-flash", seconds, thinking_level=level)

    assert tokens(600, "low") < tokens(600, "medium") < tokens(600, "high")
    assert tokens(600, "") == tokens(600, "medium")
    assert tokens(600, "low") < tokens(3600, "low")
    assert tokens(10_000_000, "high") == 65_536


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prices": []}, r"models\.m\.prices"),
        ({"prices": [{"from": "soon", "input": 1, "output": 1}]}, r"models\.m\.prices\[0\]\.from.*YYYY-MM-DD"),
        ({"prices": [{"from": "2026-01-01", "input": -1, "output": 1}]}, r"prices\[0\]\.input"),
        ({"prices": [{"from": "2026-01-01", "input": math.nan, "output": 1}]}, r"prices\[0\]\.input"),
        ({"context_tokens": True}, r"models\.m\.context_tokens"),
        ({"context_tokens": ...}, r"models\.m\.context_tokens"),
        ({"status": "old"}, "one of stable"),
        ({"frame_tokens": {"medum": 1}}, "frame_tokens"),
        ({"frame_tokens": {"low": 1}}, "needs 'medium'"),
        ({"free_limits": {"rpm": -1}}, r"free_limits\.rpm"),
        ({"tier_limits": {"tier9": {}}}, "tier1"),
        ({"routed_to": "nowhere"}, "no model 'nowhere'"),
        ({"shutdwn": "2026-01-01"}, "did you mean 'shutdown'"),
        ({"agentic": "yes"}, "true or false"),
        ({"thinking_levels": [1]}, "list of texts"),
    ],
)
def test_a_wrong_table_is_refused_with_the_place(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(CatalogueError, match=words):
        catalogue_from(minimal(**changes))


def test_prices_are_put_in_order_of_their_dates() -> None:
    prices = [{"from": "2027-01-01", "input": 9, "output": 9}, {"from": "2026-01-01", "input": 1, "output": 1}]
    made = catalogue_from(minimal(prices=prices))
    assert made.price_at("m", NOW).input == 1
    assert made.price_at("m", wall("2025-01-01")).input == 1  # before the first: the first


def test_a_circle_of_successors_ends() -> None:
    table = minimal(shutdown="2026-01-01", routed_to="m")
    assert catalogue_from(table).resolve("m", NOW).id == "m"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
def test_any_value_in_place_of_a_model_is_refused_in_words(value: object) -> None:
    with pytest.raises(CatalogueError, match=r"models\.m"):
        catalogue_from({"dated": "2026-11-23", "models": {"m": value}})


def test_the_users_file_adds_models_and_overrides_single_keys(tmp_path: Path) -> None:
    own = tmp_path / "models.yaml"
    own.write_text(
        "models:\n"
        "  gemini-3.8-flash:\n    free_limits: {rpm: 7}\n"
        "  my-model:\n    context_tokens: 10\n    output_tokens: 5\n    frame_tokens: {medium: 1}\n"
        "    prices: [{from: 2026-01-01, input: 1, output: 1}]\n",
        encoding="utf-8",
    )
    made = load_catalogue(own)
    flash, mine = made.get("gemini-3.8-flash"), made.get("my-model")
    assert flash is not None
    assert flash.free_limits is not None
    assert (flash.free_limits.rpm, flash.free_limits.rpd, flash.output_tokens) == (7, None, 65_536)
    assert mine is not None
    assert mine.context_tokens == 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("models: [", r"own\.yaml:1:"),
        ("models:\n  a: &x {}\n  b: *x\n", "anchors"),
        ("models: {a: {title: x, title: y}}", "twice"),
        ("- a", "mapping"),
        ("modles: {}", "modles"),
        ("models: {gemini-3.8-flash: {status: gone}}", r"own\.yaml: models\.gemini-3\.8-flash\.status"),
        ("models: {gemini-3.8-flash: 3}", "mapping"),
        ("models: 3", "mapping"),
        ("\x00", "YAML"),
    ],
)
def test_a_wrong_user_file_is_refused_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(text, encoding="utf-8")
    with pytest.raises(CatalogueError, match=words):
        load_catalogue(own)


def test_a_user_file_that_is_missing_or_empty_changes_nothing(tmp_path: Path) -> None:
    assert load_catalogue(tmp_path / "none.yaml").ids() == load_catalogue().ids()
    (tmp_path / "empty.yaml").write_text("")
    assert load_catalogue(tmp_path / "empty.yaml").ids() == load_catalogue().ids()


def test_a_user_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_bytes("models: {}  # 视频".encode("gb18030"))
    with pytest.raises(CatalogueError, match="UTF-8"):
        load_catalogue(own)
