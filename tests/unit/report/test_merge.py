"""Parts of a long video become one: times read right, seams closed, nothing added and nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gsvr_tui.report.findings import Range
from gsvr_tui.report.merge import merge, settle_part, shift
from gsvr_tui.report.parse import ParsedAnswer, ParsedItem, ParsedSection, parse_answer
from gsvr_tui.report.template_model import SectionKind, Template


def answer(*times: float, texts: list[str] | None = None) -> ParsedAnswer:
    items = tuple(
        ParsedItem(text=(texts[n] if texts else f"sentence number {n} {t}"), start_s=t, end_s=t + 5)
        for n, t in enumerate(times)
    )
    return ParsedAnswer("T", (ParsedSection("transcript", SectionKind.TRANSCRIPT, items=items),))


@pytest.mark.parametrize(
    ("times", "part", "reading"),
    [
        ((0, 300, 590), Range(0, 600), "absolute"),  # the first part can't be told apart and needs not
        ((600, 900, 1190), Range(600, 1200), "absolute"),
        ((0, 300, 590), Range(600, 1200), "relative"),
        ((5, 100, 290), Range(200, 500), "relative"),  # both would fit some; only one fits all
        ((205, 300, 490), Range(200, 500), "absolute"),
        ((100, 1000, 1890), Range(100, 2000), "absolute"),  # both fit: fills the part the same: as asked
        ((1, 500, 895), Range(400, 1300), "relative"),
        ((0, 700, 1190), Range(600, 1200), "undecided"),  # mixed
        ((5000,), Range(600, 1200), "undecided"),
        ((), Range(600, 1200), "absolute"),
    ],
)
def test_how_a_part_counts_its_times_is_decided_from_all_of_them(
    times: tuple[float, ...], part: Range, reading: str
) -> None:
    settled = settle_part(answer(*times), part)
    assert settled.reading == reading
    by = part.start_s if reading == "relative" else 0.0
    section = settled.answer.sections[0]
    assert [item.start_s for item in section.items] == [t + by for t in times]


def test_one_wild_time_among_many_does_not_undo_the_decision() -> None:
    times = [10.0 * n for n in range(59)] + [9999.0]
    assert settle_part(answer(*times), Range(600, 1200)).reading == "relative"


def test_shifting_moves_every_time_and_nothing_else(lesson: Template, make_text: Callable[..., str]) -> None:
    parsed = parse_answer(make_text(lesson, 300.0), lesson)
    assert isinstance(parsed, ParsedAnswer)
    moved = shift(parsed, 60.0)
    assert shift(moved, -60.0) == parsed
    for before, after in zip(parsed.sections, moved.sections, strict=True):
        for one, other in zip(before.items, after.items, strict=True):
            if one.start_s is not None:
                assert other.start_s == one.start_s + 60.0
            assert other.text == one.text


def test_what_both_parts_say_at_the_seam_is_there_once_in_the_fuller_wording() -> None:
    first = answer(560, 592, texts=["We measure the angle of the beam.", "Now the polariser is turned slowly"])
    second = answer(594, 620, texts=["Now the polariser is turned slowly.", "The light fades."])
    merged = merge([(Range(0, 600), first), (Range(590, 1200), second)])
    items = merged.sections[0].items
    assert [item.text for item in items] == [
        "We measure the angle of the beam.",
        "Now the polariser is turned slowly.",
        "The light fades.",
    ]
    assert items[1].start_s == 592


def test_the_same_words_far_from_the_seam_stay_both() -> None:
    first, second = answer(100, texts=["The same sentence."]), answer(900, texts=["The same sentence."])
    assert len(merge([(Range(0, 600), first), (Range(600, 1200), second)]).sections[0].items) == 2


def test_different_things_at_the_seam_stay_both() -> None:
    first, second = answer(598, texts=["光在空气中散射。"]), answer(601, texts=["下面开始第二个实验。"])
    assert len(merge([(Range(0, 600), first), (Range(600, 1200), second)]).sections[0].items) == 2


def test_splitting_anywhere_and_merging_gives_the_same_entries(
    transcript: Template, make_text: Callable[..., str]
) -> None:
    whole = parse_answer(make_text(transcript, 900.0), transcript)
    assert isinstance(whole, ParsedAnswer)
    section = whole.section("transcript")
    assert section is not None
    for cut in (1.0, 333.0, 450.0, 880.0):
        pieces = []
        for part in (Range(0, cut), Range(cut, 900.0)):
            kept = tuple(i for i in section.items if part.start_s <= (i.start_s or 0) < part.end_s)
            pieces.append((part, replace(whole, sections=(replace(section, items=kept),))))
        assert merge(pieces).sections[0].items == section.items
        assert merge(pieces[::-1]).sections[0].items == section.items


def test_texts_of_parts_carry_their_range_and_terms_are_listed_once(
    lesson: Template, make_answer: Callable[..., Any]
) -> None:
    answers = []
    for n in range(2):
        data = make_answer(lesson, 600.0, "en", n, 600.0 * n)
        data["terms"] = [{"term": "Ozone" if n else "ozone", "meaning": f"gas {n}", "time": "00:01"}]
        parsed = parse_answer(json.dumps(data), lesson)
        assert isinstance(parsed, ParsedAnswer)
        answers.append((Range(600.0 * n, 600.0 * (n + 1)), parsed))
    merged = merge(answers)
    overview, terms = merged.section("overview"), merged.section("terms")
    assert overview is not None
    assert terms is not None
    assert overview.text.startswith("**00:00–10:00**\n\n")
    assert "\n\n**10:00–20:00**\n\n" in overview.text
    assert [item.text for item in terms.items] == ["gas 0"]
    assert merged.title == answers[0][1].title


def test_a_single_part_is_left_as_it_is_and_none_is_an_error() -> None:
    one = answer(1, 2)
    assert merge([(Range(0, 10), one)]) is one
    with pytest.raises(ValueError, match="nothing"):
        merge([])
