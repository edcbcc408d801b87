"""Answers are read whatever they look like, and nothing in them can raise or hang."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.report.findings import GateFacts
from gsvr_tui.report.gate import check
from gsvr_tui.report.parse import ParsedAnswer, ParseProblem, parse_answer
from gsvr_tui.report.salvage import close_cut_json
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import load_templates

TEMPLATE = load_templates().get("comprehensive_lesson")
KEYS = [section.id for section in TEMPLATE.sections] + ["title", "start", "end", "time", "text", "term"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["01:02", "9:99"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=30,
)


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_the_parser_raise(text: str) -> None:
    assert isinstance(parse_answer(text, TEMPLATE), (ParsedAnswer, ParseProblem))


@given(json_values, st.integers(0, 400), st.sampled_from(["", "```json\n", "Here:\n"]))
@settings(max_examples=300, deadline=None)
def test_no_document_whole_or_cut_makes_parser_or_gate_raise(value: Any, cut: int, before: str) -> None:
    text = before + json.dumps(value)
    for answer in (text, text[:cut]):
        parsed = parse_answer(answer, TEMPLATE)
        check(parsed, TEMPLATE, GateFacts(600, "en"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n",
        "[]",
        "null",
        "{}",
        '{"else": 1}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"overview": ' + "9" * 50_000,
        '{"chapters": [{"start": 0.' + "0" * 20_000,
        '{"overview": "' + "\\" * 9_999,
        "\x00\ufeff{",
        '{"title": "x", "overview": NaN',
    ],
    ids=range(13),
)
def test_texts_that_are_no_answer_are_problems_with_words(text: str) -> None:
    problem = parse_answer(text, TEMPLATE)
    assert isinstance(problem, ParseProblem)
    assert problem.message


def test_an_answer_too_large_to_read_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsvr_tui.report.limits.MAX_ANSWER_CHARS", 10)
    assert isinstance(parse_answer('{"overview": "text"}', TEMPLATE), ParseProblem)


def read(data: Any) -> ParsedAnswer:
    parsed = parse_answer(data if isinstance(data, str) else json.dumps(data), TEMPLATE)
    assert isinstance(parsed, ParsedAnswer)
    return parsed


def test_fences_and_words_around_are_taken_off_and_told() -> None:
    body = '{"overview": "Text with ``` in it."}'
    for text in (f"```json\n{body}\n```", f"```\n{body}```", f"\ufeff~~~\n{body}\n~~~\n"):
        assert read(text).fenced
    parsed = read(f"Here is the report:\n{body}\nHope it helps!")
    assert not parsed.fenced
    assert len(parsed.notes) == 2
    assert parsed.section("overview").text == "Text with ``` in it."  # type: ignore[union-attr]


def test_times_are_texts_in_the_forms_models_use_and_numbers_are_none() -> None:
    times = ["00:05", "75:55", "1:15:55", "01:13:473", "01:13,250", "[00:07]", 130, 3.37, "5 s", "00:75", None, True]
    parsed = read({"chapters": [{"start": time, "end": "", "title": "t", "text": "x"} for time in times]})
    items = parsed.section("chapters").items  # type: ignore[union-attr]
    assert [item.start_s for item in items] == [5, 4555, 4555, 73.473, 73.25, 7, None, None, None, None, None, None]
    assert [bool(item.bad_time) for item in items] == [False] * 6 + [True] * 4 + [False, True]


def test_odd_shapes_are_read_for_what_they_say_and_noted() -> None:
    parsed = read(
        {
            "overview": ["One.", "Two."],
            "objectives": "Explain it.",
            "terms": [{"term": "ozone", "meaning": 3, "time": "00:01"}, 7, "albedo"],
            "chapters": {"start": "00:00", "end": "01:00", "title": "All\nof it", "text": ""},
            "extra": 1,
        }
    )
    assert parsed.section("overview").text == "One.\n\nTwo."  # type: ignore[union-attr]
    assert parsed.section("objectives").items[0].text == "Explain it."  # type: ignore[union-attr]
    assert [i.title for i in parsed.section("terms").items] == ["ozone", "albedo"]  # type: ignore[union-attr]
    assert parsed.section("chapters").items[0].title == "All of it"  # type: ignore[union-attr]
    assert len(parsed.notes) == 5
    assert not parsed.section("questions").found  # type: ignore[union-attr]


def test_hostile_characters_are_gone_from_all_texts() -> None:
    parsed = read({"title": "a\x1b[31mb\u202ec", "overview": "x\x1b]8;;http://e\x07y\u200bz\r\nnew\x00"})
    assert parsed.title == "abc"
    assert parsed.section("overview").text == "xyz\nnew"  # type: ignore[union-attr]


def test_a_document_cut_anywhere_is_closed_behind_its_last_complete_entry(
    lesson: Template, make_answer: Callable[..., dict[str, Any]]
) -> None:
    answer = make_answer(lesson, 120.0, "en")
    answer["chapters"][0]["text"] = 'braces } ] { [ and "quotes" and \\ and ,'
    text = json.dumps(answer)
    for cut in range(0, len(text), 7):
        closed = close_cut_json(text[:cut])
        if closed is None:
            assert cut < text.index("}") + 2
            continue
        data = json.loads(closed)
        for key, value in data.items():
            whole = answer[key]
            assert value == (whole[: len(value)] if isinstance(whole, list) else whole)
    assert close_cut_json(text) is None


def test_long_answers_are_capped_and_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsvr_tui.report.limits.MAX_ITEMS", 3)
    monkeypatch.setattr("gsvr_tui.report.limits.MAX_TEXT_CHARS", 10)
    parsed = read({"overview": "x" * 99, "chapters": [{"start": "00:00", "text": "a"}] * 9})
    assert len(parsed.section("chapters").items) == 3  # type: ignore[union-attr]
    assert len(parsed.section("overview").text) == 10  # type: ignore[union-attr]
    assert "9 entries" in parsed.notes[0]
