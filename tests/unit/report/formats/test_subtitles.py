"""Subtitles are read by parsers that are not ours, and keep to what players and readers need."""

from __future__ import annotations

import io

import pytest
import srt
import webvtt
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.core.text import cell_width
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.clean import cleaned
from gsvr_tui.report.formats.subtitles import LINE_CELLS, cues_of, split_text, wrap
from gsvr_tui.report.render import render

from .conftest import HOSTILE, make_report


def spoken(*items: ReportItem, duration_s: float = 75.0) -> Report:
    return make_report((ReportSection("t", "Said", "transcript", items=items),), duration_s=duration_s)


def read_vtt(report: Report) -> list[webvtt.Caption]:
    return list(webvtt.from_buffer(io.StringIO(render(report, "vtt").decode("utf-8"))).captions)


def read_srt(report: Report) -> list[srt.Subtitle]:
    return list(srt.parse(render(report, "srt").decode("utf-8"), ignore_errors=False))


def check(report: Report) -> None:
    """The promises of the module, as two other programs read the files."""
    cues = cues_of(report)
    for parsed in (read_vtt(report), read_srt(report)):
        assert parsed
    assert len(read_vtt(report)) == len(cues)
    ends = 0
    for cue in cues:
        assert cue.start_ms >= ends
        assert cue.start_ms < cue.end_ms <= cue.start_ms + 7000
        assert 1 <= len(cue.lines) <= 2
        assert all(line.strip() and cell_width(line) <= LINE_CELLS for line in cue.lines)
        ends = cue.end_ms
    room = report.source.duration_s >= len(cues)
    if room:
        assert all(cue.end_ms - cue.start_ms >= 1000 for cue in cues)
        assert ends <= round(report.source.duration_s * 1000)


def test_what_is_said_is_read_back_with_its_times_and_speakers(lesson_report: Report) -> None:
    check(lesson_report)
    captions = read_vtt(lesson_report)
    assert [(c.start, c.end, c.voice, c.text) for c in captions] == [
        ("00:00:01.000", "00:00:06.000", "Dr. Lim", "Good morning. Why is the sky blue?"),
        ("00:00:12.000", "00:00:14.000", "Student", "It scatters!"),
    ]
    subtitles = read_srt(lesson_report)
    assert [s.index for s in subtitles] == [1, 2]
    assert subtitles[0].content == "Dr. Lim: Good morning.\nWhy is the sky blue?"
    assert subtitles[1].start.total_seconds() == 12.0


def test_a_long_speech_is_cut_at_sentences_and_shares_its_time() -> None:
    text = "The first sentence is here. The second one follows it and is a good deal longer. And a third."
    report = spoken(ReportItem("e1", "", text, 10.0, 22.0), duration_s=60)
    check(report)
    cues = cues_of(report)
    assert " ".join(line for cue in cues for line in cue.lines) == text
    assert cues[0].start_ms == 10_000
    assert cues[-1].end_ms == 22_000
    assert len(cues) > 1


def test_chinese_is_cut_between_characters_but_not_before_a_closing_sign() -> None:
    text = (
        "短波长的光散射得更强，所以白天的天空看起来是蓝色的；日落时光在大气中走的路更长，红光几乎不受影响地穿过。" * 2
    )
    report = spoken(ReportItem("e1", "", text, 0.0, 20.0), duration_s=60)
    check(report)
    lines = [line for cue in cues_of(report) for line in cue.lines]
    assert "".join(lines) == text
    assert all(cell_width(line) <= 40 + 2 for line in lines)
    assert not [line for line in lines if line[0] in "，。；、"]


def test_entries_in_the_same_second_follow_each_other() -> None:
    items = [ReportItem(f"e{n}", "", f"Line {n}.", 5.0) for n in range(6)]
    report = spoken(*items, ReportItem("e9", "", "Later.", 30.0), duration_s=60)
    check(report)
    assert cues_of(report)[-1].start_ms == 30_000


def test_a_cue_never_ends_after_the_video() -> None:
    report = spoken(ReportItem("e1", "", "One.", 9.5, 9.6), ReportItem("e2", "", "Two.", 9.9), duration_s=10)
    check(report)


def test_chapters_are_shown_where_nothing_is_spoken() -> None:
    section = ReportSection("c", "C", "items", items=(ReportItem("e1", "Welcome", "", 0.0, 20.0),))
    report = make_report((section,))
    assert [cue.lines for cue in cues_of(report)] == [("Welcome",)]
    check(report)


times = st.floats(0, 70, allow_nan=False).map(lambda t: round(t, 3))
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=150), st.text("ab 你好，。 .\n", min_size=1, max_size=200))
entries = st.builds(
    lambda start, length, text: ReportItem("e1", "", text, start, None if length is None else start + length),
    times,
    st.none() | st.floats(0, 30, allow_nan=False),
    texts,
)


@given(st.lists(entries, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_the_promises_hold(items: list[ReportItem]) -> None:
    check(spoken(ReportItem("e0", "", "Always something.", 0.0), *items, duration_s=75.0))


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_wrapping_loses_no_word(text: str) -> None:
    kept = "".join("".join(text.split()))
    assert "".join("".join("".join(wrap(" ".join(text.split())))).split()) == kept
    assert "".join("".join("".join(lines) for lines in split_text(text)).split()) == kept


def test_hostile_texts_start_no_cue_and_no_tag_of_their_own(hostile_report: Report) -> None:
    check(hostile_report)
    vtt = render(hostile_report, "vtt").decode()
    arrows = [line for line in vtt.splitlines() if "-->" in line]
    assert len(arrows) == len(cues_of(hostile_report))
    assert "\nSTYLE" not in vtt
    for caption in webvtt.from_buffer(io.StringIO(vtt)).captions:
        assert not any(tag in caption.raw_text for tag in ("<c.", "<script", "<00:"))
    parsed = read_srt(hostile_report)
    assert not any("<font" in s.content or "{\\" in s.content or "<script" in s.content for s in parsed)
    assert len(parsed) == len(cues_of(cleaned(hostile_report), name_speakers=True))


@pytest.mark.parametrize("name", ["Eve\n\n00:00:09.000 --> 00:00:10.000\nfake", "<b>Eve</b>", "E-->e"])
def test_a_speaker_is_a_name_and_nothing_else(name: str) -> None:
    report = spoken(ReportItem("e1", "", "Hi.", 1.0, 3.0, name), ReportItem("e2", "", "Ho.", 4.0, 6.0, "B"))
    assert len(read_vtt(report)) == len(read_srt(report)) == 2
