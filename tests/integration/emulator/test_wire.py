"""The request as JSON: both spellings, unknown fields, versions, and what the service refuses."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from gsvr_tui.emulator import ManualClock, ModelSpec, Scenario, simple_scenario
from gsvr_tui.emulator.wire import camel, snake

from .conftest import KEY, Bench, Start, video_bytes

TEXT: dict[str, Any] = {"contents": [{"parts": [{"text": "hi"}]}]}
JSON: dict[str, Any] = {"responseMimeType": "application/json"}


def message(answer: Any, code: int = 400) -> str:
    assert answer.status_code == code
    error = answer.json()["error"]
    assert error["code"] == code
    return str(error["message"])


@pytest.mark.parametrize("version", ["v1", "v1beta"])
@pytest.mark.parametrize("change", [camel, snake])
def test_both_spellings_are_read_alike(bench: Bench, version: str, change: Any) -> None:
    file = bench.upload(video_bytes(100))
    part = {
        change("file_data"): {change("file_uri"): file.uri, change("mime_type"): "video/mp4"},
        change("video_metadata"): {change("start_offset"): "10s", change("end_offset"): "20.5s", "fps": 1},
    }
    body = {
        "contents": {"parts": [part, {"text": "hi"}]},
        change("system_instruction"): {"parts": [{"text": "Output language: en"}]},
        change("generation_config"): {change("media_resolution"): "MEDIA_RESOLUTION_LOW"},
        change("safety_settings"): [],
    }
    answer = bench.post("generateContent", body, version=version)
    assert answer.status_code == 200
    assert answer.json()["usageMetadata"]["promptTokensDetails"][0] == {"modality": "VIDEO", "tokenCount": 11 * 70}
    assert (bench.server.log[-1].start_offset_s, bench.server.log[-1].end_offset_s) == (10.0, 20.5)


def test_an_unknown_field_is_named_with_its_place(bench: Bench) -> None:
    answer = bench.post("generateContent", {**TEXT, "generationConfig": {"temprature": 1}, "nonsense": 2})
    text = "Invalid JSON payload received. Unknown name \"temprature\" at 'generation_config': Cannot find field."
    assert message(answer).splitlines() == [
        text,
        'Invalid JSON payload received. Unknown name "nonsense": Cannot find field.',
    ]
    violations = answer.json()["error"]["details"][0]["fieldViolations"]
    assert violations[0] == {"field": "generation_config", "description": text}


def test_unknown_names_deep_in_lists_have_their_index(bench: Bench) -> None:
    answer = bench.post("generateContent", {"contents": [{"parts": [{"text": "a"}, {"txet": "b"}]}]})
    assert "\"txet\" at 'contents[0].parts[1]'" in message(answer)


def test_a_part_has_its_own_resolution_on_v1beta_only(bench: Bench) -> None:
    body = {"contents": [{"parts": [{"text": "hi", "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}]}]}
    assert bench.post("generateContent", body).status_code == 200
    assert "Cannot find field" in message(bench.post("generateContent", body, version="v1"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("[1]", "Root is not an object"),
        ("{", "Invalid JSON payload received."),
        ({}, "contents is not specified"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 5"),
        ({"contents": ["hi"]}, "Invalid value at 'contents[0]'"),
        ({**TEXT, "generationConfig": {"mediaResolution": "BIG"}}, "media_resolution"),
        ({**TEXT, "generationConfig": {"maxOutputTokens": "many"}}, "max_output_tokens"),
        ({**TEXT, "generationConfig": {"responseSchema": {"type": "OBJECT"}}}, "unsupported mime type"),
        (
            {**TEXT, "generationConfig": {"responseSchema": {"type": "OBJECT", "$ref": "#"}}},
            "Unknown name \"$ref\" at 'generation_config.response_schema'",
        ),
        (
            {**TEXT, "generationConfig": {**JSON, "responseSchema": {}, "responseJsonSchema": {}}},
            "Only one of",
        ),
        ({**TEXT, "generationConfig": {"thinkingConfig": {"thinkingLevel": "MINIMAL"}}}, "MINIMAL is not supported"),
        ({**TEXT, "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 5}}}, "only one"),
        ({"contents": [{"parts": [{"fileData": {"fileUri": "https://youtu.be/x"}}]}]}, "invalid argument"),
    ],
)  # fmt: skip
def test_what_the_service_refuses(bench: Bench, body: Any, words: str) -> None:
    if isinstance(body, str):
        path = "/v1beta/models/gemini-3.8-flash:generateContent"
        answer = bench.http.post(path, content=body, headers={"x-goog-api-key": KEY})
    else:
        answer = bench.post("generateContent", body)
    assert words in message(answer)
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "metadata",
    [
        {"startOffset": "50s", "endOffset": "40s"},
        {"startOffset": "120s"},
        {"startOffset": "ten"},
        {"startOffset": "-1s"},
        {"fps": 25},
        {"fps": 0},
    ],
)
def test_offsets_and_fps_out_of_range_are_refused(bench: Bench, metadata: dict[str, Any]) -> None:
    file = bench.upload(video_bytes(100))
    part = {"fileData": {"fileUri": file.uri}, "videoMetadata": metadata}
    message(bench.post("generateContent", {"contents": [{"parts": [part]}]}))


def test_a_prompt_above_the_window_is_refused_with_the_count(bench: Bench) -> None:
    file = bench.upload(video_bytes(4 * 3600))
    body = {"contents": [{"parts": [{"fileData": {"fileUri": file.uri}}]}]}
    tokens = 4 * 3600 * 95
    text = f"The input token count ({tokens}) exceeds the maximum number of tokens allowed (1048576)."
    assert message(bench.post("generateContent", body)) == text


def test_an_unknown_model_and_a_latest_name_on_v1_are_not_found(bench: Bench) -> None:
    text = message(bench.post("generateContent", TEXT, model="gemini-9-ultra"), 404)
    assert text == (
        "models/gemini-9-ultra is not found for API version v1beta, or is not supported for generateContent. Call "
        "ModelService.ListModels to see the list of available models and their supported methods."
    )
    assert bench.post("generateContent", TEXT, model="gemini-flash-latest").status_code == 200
    message(bench.post("generateContent", TEXT, model="gemini-flash-latest", version="v1"), 404)


def test_a_shut_down_model_is_answered_by_another_or_gone(start: Start) -> None:
    clock = ManualClock(1_796_083_200.0 - 10)  # ten seconds before 1 December 2026
    bench = start(clock=clock)
    assert bench.ask("hi", model="gemini-2.5-pro").model_version == "gemini-2.5-pro"
    clock.advance(10)
    assert bench.ask("hi", model="gemini-2.5-pro").model_version == "gemini-3.8-flash"
    assert bench.ask("hi", model="gemini-3.7-flash").model_version == "gemini-3.8-flash"
    message(bench.post("generateContent", TEXT, model="gemini-2.0-flash"), 404)


def test_older_models_count_more_tokens_a_frame_and_take_a_budget(start: Start) -> None:
    bench = start(clock=ManualClock(1_796_083_200.0 - 10))
    file = bench.upload(video_bytes(10))
    config = types.ThinkingConfig(thinking_budget=50)
    usage = bench.ask(file, "hi", model="gemini-2.5-flash", thinking_config=config).usage_metadata
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    assert usage.prompt_tokens_details[0].token_count == 2580
    assert usage.thoughts_token_count == 50
    level = {**TEXT, "generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}
    assert "not supported" in message(bench.post("generateContent", level, model="gemini-2.5-flash"))


def test_a_scenario_may_bring_its_own_models(start: Start) -> None:
    models = (ModelSpec("house-model", input_tokens=1000),)
    bench = start(Scenario(simple_scenario(KEY).projects, models=models))
    assert bench.ask("hi", model="house-model").text
    message(bench.post("generateContent", TEXT), 404)


@pytest.mark.parametrize("path", ["/", "/v2/models", "/v1beta/models/m:embedContent", "/v1beta/tunedModels"])
def test_other_paths_are_not_found_in_html(bench: Bench, path: str) -> None:
    answer = bench.http.post(path, headers={"x-goog-api-key": KEY})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_the_date_header_tells_the_emulators_time(start: Start, clock: ManualClock) -> None:
    bench = start(clock=clock)
    clock.advance(3600)
    answer = bench.http.get("/v1beta/models", headers={"x-goog-api-key": KEY})
    assert answer.headers["date"] == "Wed, 18 Nov 2026 12:06:40 GMT"
