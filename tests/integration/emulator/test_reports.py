"""Answers to the program's own prompts: good ones pass the quality gate, spoilt ones do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import types

from gsvr_tui.core.models import Verdict
from gsvr_tui.emulator import Action, Rule, Scenario, simple_scenario
from gsvr_tui.report.gate import GateFacts, check
from gsvr_tui.report.parse import parse_answer
from gsvr_tui.report.prompt import PromptFacts, build_prompt
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import load_templates

from .conftest import KEY, Bench, Start, video_bytes

TEMPLATES = list(load_templates())
SPOILT = (Action.TIMES_PAST_END, Action.SHORT_COVERAGE, Action.WRONG_LANGUAGE, Action.LOOP_TEXT, Action.MAX_TOKENS)


def verdict(
    bench: Bench, file: types.File, template: Template, language: str, seconds: float, start_s: float = 0.0
) -> Verdict:
    facts = PromptFacts(
        seconds, "a lecture.mp4", start_s, part=1 if start_s == 0 else 2, parts=1 if start_s == 0 else 2
    )
    prompt = build_prompt(template, {}, facts, language)
    part = types.Part(
        file_data=types.FileData(file_uri=file.uri, mime_type="video/mp4"),
        video_metadata=types.VideoMetadata(start_offset=f"{start_s}s") if start_s else None,
    )
    config: dict[str, Any] = {"response_mime_type": "application/json", "response_json_schema": prompt.schema}
    answer = bench.ask(part, prompt.text, system_instruction=prompt.system, **config)
    assert answer.candidates is not None
    reason = answer.candidates[0].finish_reason
    judged = GateFacts(seconds, language, finish_reason=reason.value if reason else "", start_s=start_s)
    return check(parse_answer(answer.text or "", template), template, judged).verdict


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("seconds", [12.0, 184.4, 5400.0])
def test_good_answers_pass_the_gate(bench: Bench, seconds: float, language: str) -> None:
    file = bench.upload(video_bytes(seconds))
    for template in TEMPLATES:
        assert verdict(bench, file, template, language, seconds) is Verdict.OK
        assert verdict(bench, file, template, language, seconds, start_s=seconds // 2) is Verdict.OK


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_spoilt_answers_do_not(start: Start, language: str) -> None:
    rules = tuple(Rule(action, count=1) for action in SPOILT)
    for template in TEMPLATES:
        bench = start(Scenario(simple_scenario(KEY).projects, rules=rules))
        file = bench.upload(video_bytes(600))
        verdicts = [verdict(bench, file, template, language, 600) for _ in SPOILT]
        assert Verdict.OK not in verdicts
        assert verdict(bench, file, template, language, 600) is Verdict.OK


def test_answers_that_fit_a_schema_of_ours_are_json(bench: Bench) -> None:
    file = bench.upload()
    for template in TEMPLATES:
        prompt = build_prompt(template, {}, PromptFacts(184.4), "en")
        answer = bench.ask(
            file, prompt.text, response_mime_type="application/json", response_json_schema=dict(prompt.schema)
        )
        assert set(json.loads(answer.text or "")) == set(prompt.schema["properties"])
