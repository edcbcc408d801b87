"""Requests as the SDK takes them: every model of the catalogue, every level, every offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsvr_tui.config.models_file import load_catalogue
from gsvr_tui.gemini.request import config_of, contents_of, offset
from gsvr_tui.gemini.types import RESOLUTIONS, GenerateRequest, thinking_for

CATALOGUE = load_catalogue()


@pytest.mark.parametrize("model", CATALOGUE.ids())
def test_every_level_of_every_model_can_be_asked_for(model: str) -> None:
    info = CATALOGUE.find(model)
    for wanted in ("", *info.thinking_levels, "off", "minimal", "low", "medium", "high", "xhigh"):
        level, budget = thinking_for(info, wanted)
        assert not (level and budget is not None)
        assert not level or level in info.thinking_levels
        config = config_of(GenerateRequest(model, "q", thinking_level=level, thinking_budget=budget))
        thinking = config.thinking_config
        if level:
            assert thinking is not None
            assert thinking.thinking_level is not None
            assert thinking.thinking_level.value == level.upper()
        elif budget is not None:
            assert thinking is not None
            assert thinking.thinking_budget == budget
        else:
            assert thinking is None


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_every_resolution_can_be_asked_for(resolution: str) -> None:
    config = config_of(GenerateRequest("m", "q", resolution=resolution))
    assert config.media_resolution is not None
    assert config.media_resolution.value == f"MEDIA_RESOLUTION_{resolution.upper()}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (125, "125s"), (0.5, "0.5s"), (100.0, "100s"), (7200.1254, "7200.125s"), (1e6, "1000000s")],
)
def test_offsets_are_written_as_the_api_reads_them(seconds: float, text: str) -> None:
    assert offset(seconds) == text


@given(st.floats(0, 1e6))
def test_an_offset_is_right_to_a_millisecond(seconds: float) -> None:
    text = offset(seconds)
    assert text.endswith("s")
    assert "e" not in text
    assert abs(float(text[:-1]) - seconds) <= 0.000501


def test_a_range_from_the_beginning_says_so() -> None:
    request = GenerateRequest("m", "q", file_uri="u", mime_type="video/mp4", start_s=0, end_s=60)
    content = contents_of(request)[0]
    metadata = content.parts[0].video_metadata  # type: ignore[union-attr,index]
    assert metadata is not None
    assert (metadata.start_offset, metadata.end_offset) == ("0s", "60s")


def test_a_whole_video_has_no_metadata_and_no_video_no_part() -> None:
    whole = contents_of(GenerateRequest("m", "q", file_uri="u", mime_type="video/mp4"))[0]
    assert whole.parts[0].video_metadata is None  # type: ignore[union-attr,index]
    assert len(contents_of(GenerateRequest("m", "q"))[0].parts) == 1  # type: ignore[union-attr,arg-type]
