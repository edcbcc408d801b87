"""What answers say: fitted to the schema, true to the video, in the language, and never a loop."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from google.genai import types
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from gsvr_tui.emulator import Scenario, simple_scenario
from gsvr_tui.emulator.answer import Answerer, Scene
from gsvr_tui.emulator.prose import Writer, clock_text
from gsvr_tui.emulator.prose_zh import duration, number

from .conftest import KEY, Bench, Start, video_bytes

TEXT = {"type": "string"}
CHAPTER = {
    "type": "object",
    "properties": {
        "start": TEXT,
        "end": TEXT,
        "title": TEXT,
        "summary": TEXT,
        "key_points": {"type": "array", "items": TEXT},
    },
    "required": ["start", "end", "title"],
}
REPORT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": TEXT,
        "summary": TEXT,
        "chapters": {"type": "array", "items": CHAPTER},
        "moments": {"type": "array", "items": {"type": "object", "properties": {"time": TEXT, "text": TEXT}}},
    },
}


def build(
    schema: dict[str, Any], video_s: float = 600, start: float = 0, end: float | None = None, language: str = "en"
) -> Any:
    scene = Scene(video_s, start, video_s if end is None else end, True, language)
    return Answerer(scene, Writer(f"sha|{start}", language), schema).build()


def seconds(text: str) -> int:
    assert re.fullmatch(r"\d{2}:\d{2}|\d+:\d{2}:\d{2}", text)
    return sum(int(part) * 60**power for power, part in enumerate(reversed(text.split(":"))))


def every_text(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in every_text(item)]
    if isinstance(value, list):
        return [text for item in value for text in every_text(item)]
    return [value] if isinstance(value, str) else []


@given(st.floats(1, 40_000), st.floats(0, 0.9), st.floats(0.01, 1))
@settings(max_examples=40, deadline=None)
def test_times_ascend_without_gaps_from_start_to_the_very_end(video_s: float, from_part: float, share: float) -> None:
    start = video_s * from_part
    end = min(video_s, start + max(1.0, video_s * share))
    answer = build(REPORT, video_s, start, end)
    chapters = answer["chapters"]
    assert 1 <= len(chapters) <= 40
    assert seconds(chapters[0]["start"]) == int(start + 1e-6)
    assert seconds(chapters[-1]["end"]) == int(end + 1e-6)
    for before, after in itertools.pairwise(chapters):
        assert before["end"] == after["start"]
        assert seconds(after["start"]) >= seconds(before["start"])
    moments = [seconds(moment["time"]) for moment in answer["moments"]]
    assert moments == sorted(moments)
    assert moments[-1] == int(end + 1e-6)


def test_longer_videos_have_more_items_within_bounds() -> None:
    assert len(build(REPORT, 20)["chapters"]) == 3
    assert len(build(REPORT, 200)["chapters"]) == 10
    assert len(build(REPORT, 7200)["chapters"]) == 40
    bounded = {"type": "array", "minItems": 5, "maxItems": "6", "items": CHAPTER}
    assert len(build({"type": "object", "properties": {"c": bounded}}, 20)["c"]) == 5
    assert len(build({"type": "object", "properties": {"c": bounded}}, 7200)["c"]) == 6


def test_times_inside_a_chapter_stay_inside_it() -> None:
    nested = {**CHAPTER["properties"], "moments": REPORT["properties"]["moments"]}  # type: ignore[dict-item]
    schema = {"type": "object", "properties": {"chapters": {"type": "array", "items": {"properties": nested}}}}
    for chapter in build(schema, 3000)["chapters"]:
        for moment in chapter["moments"]:
            assert seconds(chapter["start"]) <= seconds(moment["time"]) <= seconds(chapter["end"])


def test_numbers_that_mean_times_follow_the_video() -> None:
    item = {"type": "object", "properties": {"start_s": {"type": "number"}, "endSeconds": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"parts": {"type": "array", "items": item}}}
    parts = build(schema, 100)["parts"]
    assert parts[0]["start_s"] == 0
    assert parts[-1]["endSeconds"] == 100


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_no_sentence_comes_twice_in_a_long_report(language: str) -> None:
    sentences = []
    for text in every_text(build(REPORT, 7200, language=language)):
        sentences += [one for one in re.split(r"(?<=[.!?。？])\s*", text) if len(one) > 12]
    assert len(sentences) > 200
    assert len(set(sentences)) == len(sentences)
    words = " ".join(sentences).split() if language == "en" else list("".join(sentences))
    runs = [tuple(words[at : at + 12]) for at in range(len(words) - 12)]
    assert len(set(runs)) > 0.95 * len(runs)


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_a_writer_never_says_the_same_twice_while_it_has_words(language: str) -> None:
    writer = Writer("seed", language)
    for make, count in ((writer.term, 60), (writer.title, 300), (writer.question, 150), (writer.sentence, 1000)):
        assert len({make(str(place)) for place in range(count)}) == count


def test_segments_of_one_video_say_different_things() -> None:
    first, second = build(REPORT, 1200, 0, 600), build(REPORT, 1200, 600, 1200)
    shared = set(every_text(first)) & set(every_text(second))
    assert not [text for text in shared if len(text) > 25]


def test_chinese_is_chinese() -> None:
    answer = build(REPORT, 3723, language="zh-Hans")
    prose = [text for text in every_text(answer) if not re.fullmatch(r"[\d:]+", text)]
    whole = "".join(prose)
    han = len(re.findall(r"[\u4e00-\u9fff]", whole))
    assert han / len(whole) > 0.9
    assert "一小时二分零三秒" in answer["summary"]
    assert all(text.endswith("。") for text in (answer["summary"], *(c["summary"] for c in answer["chapters"])))


def test_english_summaries_are_full_sentences_and_titles_short() -> None:
    answer = build(REPORT, 184.4)
    assert answer["summary"].startswith("The video runs for 3 minutes and 4 seconds with sound.")
    assert answer["summary"].count(". ") >= 3
    assert answer["summary"].endswith(".")
    assert all(len(chapter["title"]) < 70 for chapter in answer["chapters"])


def test_the_same_request_gets_the_same_answer_and_another_video_another(bench: Bench) -> None:
    one, two = bench.upload(video_bytes(mark="one")), bench.upload(video_bytes(mark="two"))
    texts = [bench.ask(file, "hi").text for file in (one, one, two)]
    assert texts[0] == texts[1] != texts[2]


def test_every_kind_of_schema_is_filled() -> None:
    schema = {
        "type": "OBJECT",
        "required": ["mood"],
        "property_ordering": ["flag", "mood"],
        "properties": {
            "mood": {"type": "STRING", "enum": ["calm", "lively"]},
            "count": {"type": "INTEGER", "minimum": 3, "maximum": 5},
            "confidence": {"type": "NUMBER", "minimum": 0, "maximum": 1},
            "flag": {"type": "BOOLEAN"},
            "either": {"any_of": [{"type": "NULL"}, {"type": "STRING"}]},
            "maybe": {"type": ["string", "null"]},
            "short": {"type": "STRING", "maxLength": "10"},
            "long": {"type": "STRING", "minLength": 400},
            "fixed": {"const": 7},
            "level": {"type": "integer", "enum": [1, 2]},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]},
            "node": {"$ref": "#/$defs/Node"},
            "nothing": {"type": "null"},
        },
        "$defs": {"Node": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    answer = build(schema)
    assert list(answer)[:2] == ["flag", "mood"]
    assert answer["mood"] in ("calm", "lively")
    assert answer["count"] in (3, 4, 5)
    assert 0 <= answer["confidence"] <= 1
    assert isinstance(answer["flag"], bool)
    assert answer["either"]
    assert answer["maybe"]
    assert len(answer["short"]) <= 10
    assert len(answer["long"]) >= 400
    assert answer["fixed"] == 7
    assert answer["level"] in (1, 2)
    assert isinstance(answer["pair"][1], float)
    assert answer["node"]["name"]
    assert answer["nothing"] is None


def test_a_schema_that_holds_itself_ends() -> None:
    schema = {"$defs": {"T": {"type": "object", "properties": {"child": {"$ref": "#/$defs/T"}}}}, "$ref": "#/$defs/T"}
    assert json.dumps(build(schema)).count("child") < 40
    assert build({"$ref": "#"}) is None


class Point(BaseModel):
    time: str
    text: str


class Lecture(BaseModel):
    title: str
    difficulty: int
    points: list[Point]


def test_a_pydantic_schema_comes_back_parsed(bench: Bench) -> None:
    answer = bench.ask(bench.upload(), "hi", response_mime_type="application/json", response_schema=Lecture)
    assert isinstance(answer.parsed, Lecture)
    assert answer.parsed.points[-1].time == "03:04"


def test_offsets_narrow_the_times_and_the_tokens(bench: Bench) -> None:
    file = bench.upload(video_bytes(1200))

    def ask(resolution: types.MediaResolution | None = None, fps: float | None = None) -> Any:
        part = types.Part(
            file_data=types.FileData(file_uri=file.uri, mime_type="video/mp4"),
            video_metadata=types.VideoMetadata(start_offset="600s", end_offset="900.5s", fps=fps),
        )
        return bench.ask(
            part,
            "Output language: en",
            response_mime_type="application/json",
            response_json_schema=REPORT,
            media_resolution=resolution,
        )

    answer = ask()
    chapters = json.loads(answer.text)["chapters"]
    assert (chapters[0]["start"], chapters[-1]["end"]) == ("10:00", "15:00")
    counts = {detail.modality.value: detail.token_count for detail in answer.usage_metadata.prompt_tokens_details}
    assert counts["VIDEO"] == 301 * 70
    assert counts["AUDIO"] == 7513
    usage = answer.usage_metadata
    assert usage.prompt_token_count == sum(counts.values())
    assert usage.total_token_count == (
        usage.prompt_token_count + usage.candidates_token_count + usage.thoughts_token_count
    )
    high = ask(types.MediaResolution.MEDIA_RESOLUTION_HIGH).usage_metadata
    assert high.prompt_tokens_details[0].token_count == 301 * 280
    slow = ask(fps=0.5).usage_metadata
    assert slow.prompt_tokens_details[0].token_count == 151 * 70
    entry = bench.server.log[-1]
    assert (entry.start_offset_s, entry.end_offset_s) == (600.0, 900.5)


def test_a_silent_video_costs_no_audio(bench: Bench) -> None:
    answer = bench.ask(bench.upload(video_bytes(60, silent=True)), "hi")
    assert answer.usage_metadata is not None
    details = {one.modality: one.token_count for one in answer.usage_metadata.prompt_tokens_details or []}
    assert types.MediaModality.AUDIO not in details
    assert "without sound" in (answer.text or "")


def test_the_language_line_decides_then_the_prompt_then_the_scenario(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY).projects, language="zh-Hans"))
    han = re.compile(r"[\u4e00-\u9fff]")
    assert han.search(bench.ask("hi").text or "")
    assert not han.search(bench.ask("hi", "Do it.\n  Output language: en\nNow.").text or "")
    other = start()
    assert han.search(other.ask("请为这段视频写一份完整而详细的中文报告，并列出全部章节和要点。").text or "")
    assert han.search(other.ask("Output language: 简体中文").text or "")
    assert not han.search(
        start(Scenario(simple_scenario(KEY).projects, language="zh")).ask("Output language: English").text or ""
    )
    system = other.ask("hi", system_instruction="Output language: zh-Hans")
    assert han.search(system.text or "")


def test_max_output_tokens_are_kept_and_thinking_eats_first(bench: Bench) -> None:
    file = bench.upload(video_bytes(1200))
    cut = bench.ask(file, "hi", max_output_tokens=600)
    assert cut.candidates is not None
    assert cut.usage_metadata is not None
    assert cut.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert cut.text
    spent = (cut.usage_metadata.candidates_token_count or 0) + (cut.usage_metadata.thoughts_token_count or 0)
    assert spent <= 600
    empty = bench.ask(file, "hi", max_output_tokens=100)
    assert empty.text is None
    assert empty.usage_metadata is not None
    assert empty.usage_metadata.thoughts_token_count == 100


def test_thoughts_are_shown_when_asked_for(bench: Bench) -> None:
    config = types.ThinkingConfig(include_thoughts=True, thinking_level=types.ThinkingLevel.LOW)
    answer = bench.ask("hi", thinking_config=config)
    assert answer.candidates is not None
    content = answer.candidates[0].content
    assert content is not None
    assert [bool(part.thought) for part in content.parts or []] == [True, False]
    assert answer.text
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.thoughts_token_count == 120


def test_agentic_video_answers_with_tool_parts_on_v1beta_only(bench: Bench) -> None:
    file = bench.upload(video_bytes(1200))
    part = types.Part(
        file_data=types.FileData(file_uri=file.uri, mime_type="video/mp4"),
        media_processing=types.MediaProcessing.AGENTIC,
    )
    answer = bench.ask(part, "hi")
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage.tool_use_prompt_token_count or 0) > (usage.prompt_token_count or 0)
    assert answer.candidates is not None
    assert answer.candidates[0].content is not None
    assert any(part.tool_call for part in answer.candidates[0].content.parts or [])
    static = bench.ask(part, "hi", version="v1").usage_metadata
    assert static is not None
    assert static.tool_use_prompt_token_count is None
    assert (static.prompt_token_count or 0) > 100_000


def test_a_video_seen_a_moment_ago_is_cached_when_the_scenario_says_so(start: Start) -> None:
    bench = start(Scenario(simple_scenario(KEY).projects, implicit_cache=True))
    file = bench.upload()
    first, second = bench.ask(file, "a").usage_metadata, bench.ask(file, "b").usage_metadata
    assert first is not None
    assert second is not None
    assert first.cached_content_token_count is None
    assert second.cached_content_token_count == 185 * 70 + 4610


def test_chinese_numbers_and_times() -> None:
    written = {
        0: "零",
        10: "十",
        15: "十五",
        20: "二十",
        105: "一百零五",
        110: "一百一十",
        1005: "一千零五",
        12000: "一万二千",
    }
    assert {value: number(value) for value in written} == written
    assert duration(184.4) == "三分零四秒"
    assert (duration(3600), duration(3605)) == ("一小时", "一小时零五秒")
    assert duration(0.4) == "零秒"
    assert (clock_text(59.9), clock_text(3599), clock_text(3600)) == ("00:59", "59:59", "1:00:00")
