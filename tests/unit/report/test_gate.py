"""The gate finds every class of fault in an otherwise clean answer, and no fault in clean ones."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from gsvr_tui.core.models import Usage, Verdict
from gsvr_tui.core.text import format_time, parse_time
from gsvr_tui.report.assemble import PartAnswer, judge_parts
from gsvr_tui.report.findings import GateResult, Level
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import TemplateSet

Answer = dict[str, Any]
Fault = Callable[[Answer], Answer | str]
DURATION = 1200.0


def gate(
    answer: Answer | str, template: Template, language: str = "", duration: float = DURATION, **more: Any
) -> GateResult:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return judge_parts([PartAnswer(text, **more)], template, duration, language).gate


def checks(result: GateResult) -> set[str]:
    return {finding.check for finding in result.problems}


# ---------------------------------------------------------------- no false alarms


def test_two_hundred_and_more_clean_answers_pass(templates: TemplateSet, make_answer: Callable[..., Answer]) -> None:
    count = 0
    for template in templates:
        for language in ("en", "zh-Hans"):
            for duration in (24.0, 75.0, 600.0, 2_400.0):
                for seed in range(10):
                    result = gate(make_answer(template, duration, language, seed), template, language, duration)
                    assert result.verdict is Verdict.OK, (template.id, language, duration, seed, result.problems)
                    assert all(finding.level is Level.PASS for finding in result.findings)
                    count += 1
    assert count >= 200


TABLE = (
    "| n | value | unit |\n|---|---|---|\n" + "\n".join("| 1 | 0 | m |" for _ in range(30)) + "\n\nThe table is long."
)
CODE = (
    "The loop is written out:\n\n```python\n"
    + "\n".join("x = x + 1  # add one to x" for _ in range(40))
    + "\nprint('{{ subject_area }}')\n```\n\nThat is what unrolling means. In `{{ title }}` the braces are a template."
)
LYRICS = [
    {
        "start": format_time(10 * n),
        "end": format_time(10 * n + 8),
        "speaker": "歌手",
        "text": "我们一起唱歌，一起走过这条路。",
    }
    for n in range(12)
]
DRILL = [
    {"start": format_time(6 * n), "end": format_time(6 * n + 5), "speaker": "老师" if n % 2 else "学生", "text": text}
    for n, text in enumerate(f"请跟我读第{n // 2 + 1}句：今天天气很好。" for n in range(24))
]


def test_tables_and_code_that_repeat_honestly_pass(lesson: Template, make_answer: Callable[..., Answer]) -> None:
    for text in (TABLE, CODE):
        answer = make_answer(lesson, 600.0, "en")
        answer["overview"] += "\n\n" + text
        assert gate(answer, lesson, "en", 600.0).verdict is Verdict.OK


def test_songs_and_drills_at_the_speed_of_speech_are_noted_but_stay(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    for lines in (LYRICS, DRILL):
        answer = make_answer(transcript, 600.0)
        rest = [entry for entry in answer["transcript"] if (parse_time(entry["start"]) or 0) >= 150]
        answer["transcript"] = [*lines, *rest]
        result = gate(answer, transcript, duration=600.0)
        assert result.verdict is Verdict.OK, result.problems
        assert result.cleaned is not None
        kept = result.cleaned.section("transcript")
        assert kept is not None
        assert len(kept.items) == len(lines) + len(rest)


def test_lessons_about_templates_and_formulas_are_no_leak(lesson: Template, make_answer: Callable[..., Answer]) -> None:
    answer = make_answer(lesson, 600.0, "en")
    answer["overview"] = (
        "In Vue one writes {{ user.name }}, in LaTeX $\\frac{{a}}{{b}}$ is allowed. " + answer["overview"]
    )
    assert gate(answer, lesson, "en", 600.0).verdict is Verdict.OK


def test_english_slides_copied_into_a_chinese_report_are_in_no_wrong_language(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(transcript, 600.0)
    answer["on_screen"] = [
        {
            "time": "01:00",
            "title": "Slide",
            "text": f"Step {n}: compute the gradient of the loss and update all of the weights",
        }
        for n in range(9)
    ]
    assert gate(answer, transcript, duration=600.0).verdict is Verdict.OK


# ---------------------------------------------------------------- faults


def loop_to_the_end(answer: Answer) -> Answer:
    """The shape seen in the wild: two sentences in turns, one entry a second or two, to the end of the video."""
    entries = answer["transcript"][:8]
    at = parse_time(entries[-1]["end"]) or 0.0
    n = 0
    while at < DURATION:
        text = ("现在我们来看这个例子的第一步。", "然后我们再看它的下一步。")[n % 2]
        entries.append({"start": format_time(at), "end": format_time(at + 1), "speaker": "说话人1", "text": text})
        at, n = at + 1.5, n + 1
    return answer | {"transcript": entries}


def shift_by_an_hour(answer: Answer) -> Answer:
    for entry in answer["transcript"]:
        for key in ("start", "end"):
            entry[key] = format_time((parse_time(entry[key]) or 0) + 3600)
    return answer


def some_past_the_end(answer: Answer) -> Answer:
    for entry in answer["transcript"][-20:]:
        entry["start"] = entry["end"] = format_time(DURATION + 60)
    return answer


def numbers_as_times(answer: Answer) -> Answer:
    for entry in answer["transcript"]:
        entry["start"] = 130
    return answer


def shuffled(answer: Answer) -> Answer:
    answer["transcript"] = answer["transcript"][::2] + answer["transcript"][1::2][::-1]
    return answer


def middle_gone(answer: Answer) -> Answer:
    answer["transcript"] = [e for e in answer["transcript"] if not 400 < (parse_time(e["start"]) or 0) < 560]
    return answer


def tail_gone(answer: Answer) -> Answer:
    answer["transcript"] = [e for e in answer["transcript"] if (parse_time(e["start"]) or 0) < 1050]
    return answer


def most_gone(answer: Answer) -> Answer:
    answer["transcript"] = answer["transcript"][:20]
    return answer


def summary_cut(answer: Answer) -> Answer:
    answer["summary"] = answer["summary"] + "最后老师说明了为什么我们在实验中"
    return answer


def summary_gone(answer: Answer) -> Answer:
    del answer["summary"]
    return answer


def english_summary(answer: Answer) -> Answer:
    answer["summary"] = "The lecturer explains how light scatters in air and in water, and why it matters for us. " * 2
    answer["summary"] += "There are three experiments that show it, and questions are collected for the next week."
    return answer


def english_transcript(answer: Answer) -> Answer:
    for n, entry in enumerate(answer["transcript"]):
        entry["text"] = f"Now the lecturer turns to point {n} of the list and shows how it was measured."
    return answer


def traditional(answer: Answer) -> Answer:
    for n, entry in enumerate(answer["transcript"]):
        entry["text"] = f"現在我們來看第{n}個實驗，這裡說明為什麼光會這樣變化，還有問題嗎？"
    return answer


def placeholders(answer: Answer) -> Answer:
    for entry in answer["transcript"]:
        entry["text"] = "{{video_title}}：" + entry["text"]
    return answer


def nothing_seen(answer: Answer) -> Answer:
    return {"title": "抱歉", "transcript": [], "summary": "抱歉，您没有提供视频，我无法观看该视频。"}


def key_in_text(answer: Answer) -> Answer:
    answer["summary"] += "钥匙是AIzaSyA1234567890abcdefghijklmnopqrstuv 。"
    return answer


def fence_around(answer: Answer) -> str:
    return f"```json\n{json.dumps(answer, ensure_ascii=False)}\n```"


def cut_tail(answer: Answer) -> str:
    text = json.dumps(answer, ensure_ascii=False)
    return text[: text.index('"on_screen"') - 400]


def not_json(answer: Answer) -> str:
    return "这段视频讲的是光的散射。" * 3


def near_copies(answer: Answer) -> Answer:
    for n, entry in enumerate(answer["transcript"]):
        entry["text"] = f"现在我们来看第{n}个例子，老师在这里说明它是怎么一步一步做出来的，大家注意看。"
        entry["start"] = entry["end"] = format_time(n)
    return answer


def near_copies_in_prose(answer: Answer) -> Answer:
    answer["summary"] = "".join(f"现在我们来看第{n}个例子，看看它是怎么做的。" for n in range(150))
    return answer


FAULTS: list[tuple[Fault, str, Verdict]] = [
    (loop_to_the_end, "loop", Verdict.REJECTED),
    (near_copies, "loop", Verdict.REJECTED),
    (near_copies_in_prose, "loop", Verdict.REJECTED),
    (shift_by_an_hour, "time range", Verdict.REJECTED),
    (some_past_the_end, "time range", Verdict.PARTIAL),
    (numbers_as_times, "time syntax", Verdict.REJECTED),
    (shuffled, "order", Verdict.REJECTED),
    (middle_gone, "coverage", Verdict.PARTIAL),
    (tail_gone, "coverage", Verdict.PARTIAL),
    (most_gone, "coverage", Verdict.REJECTED),
    (summary_cut, "complete", Verdict.PARTIAL),
    (summary_gone, "complete", Verdict.PARTIAL),
    (english_summary, "language", Verdict.PARTIAL),
    (english_transcript, "language", Verdict.REJECTED),
    (traditional, "language", Verdict.REJECTED),
    (placeholders, "leak", Verdict.REJECTED),
    (nothing_seen, "leak", Verdict.REJECTED),
    (key_in_text, "leak", Verdict.REPAIRED),
    (fence_around, "parse", Verdict.REPAIRED),
    (cut_tail, "parse", Verdict.PARTIAL),
    (not_json, "parse", Verdict.REJECTED),
]


@pytest.mark.parametrize(("fault", "check", "verdict"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS])
def test_a_fault_put_into_clean_answers_is_found(
    fault: Fault, check: str, verdict: Verdict, transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    for seed in range(5):
        clean = make_answer(transcript, DURATION, "", seed)
        assert gate(clean, transcript).verdict is Verdict.OK
        result = gate(fault(copy.deepcopy(clean)), transcript)
        assert check in checks(result), result.problems
        assert result.verdict is verdict, result.problems
        if result.verdict is Verdict.REPAIRED:
            assert result.cleaned is not None
        if check == "coverage":
            assert result.missing
            assert result.covered < 1


@pytest.mark.parametrize("reason", ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "OTHER", "SOMETHING_NEW"])
def test_an_answer_the_service_ended_is_rejected(
    reason: str, lesson: Template, make_answer: Callable[..., Answer]
) -> None:
    result = gate(make_answer(lesson, DURATION), lesson, finish_reason=reason)
    assert result.verdict is Verdict.REJECTED
    assert checks(result) == {"transport"}
    assert result.missing[0].length_s == DURATION


def test_a_refused_video_and_a_missing_answer_are_rejected(lesson: Template) -> None:
    for part in (PartAnswer(None, block_reason="SAFETY"), PartAnswer(None), PartAnswer("", finish_reason="MAX_TOKENS")):
        assert judge_parts([part], lesson, DURATION).gate.verdict is Verdict.REJECTED


def test_an_answer_made_without_seeing_the_video_is_rejected(
    lesson: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(lesson, DURATION)
    assert gate(answer, lesson, usage=Usage(prompt=50, video=0)).verdict is Verdict.REJECTED
    assert gate(answer, lesson, usage=Usage(prompt=50, video=0, tool_use=900)).verdict is Verdict.OK
    assert gate(answer, lesson, usage=Usage(prompt=50, video=9_000), planned_video_tokens=90_000).verdict is Verdict.OK
    assert "seen" in checks(gate(answer, lesson, usage=Usage(video=9_000), planned_video_tokens=90_000))


def test_a_count_without_its_parts_is_no_proof_that_the_video_was_not_seen(
    lesson: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(lesson, DURATION)
    untold = gate(answer, lesson, usage=Usage(prompt=88_000), planned_video_tokens=84_000)
    assert untold.verdict is Verdict.OK
    assert "seen" not in checks(untold)
    assert gate(answer, lesson, usage=Usage(prompt=3_000), planned_video_tokens=84_000).verdict is Verdict.REJECTED


def test_an_answer_cut_by_its_length_keeps_what_was_complete(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(transcript, DURATION)
    text = json.dumps({"title": answer["title"], "transcript": answer["transcript"]}, ensure_ascii=False)
    result = gate(text[: int(len(text) * 0.93)], transcript, finish_reason="MAX_TOKENS")
    assert result.verdict is Verdict.PARTIAL
    assert {"transport", "parse", "complete", "coverage"} <= checks(result)
    assert [gap.end_s for gap in result.missing] == [DURATION]
    assert gate(text[: len(text) // 2], transcript, finish_reason="MAX_TOKENS").verdict is Verdict.REJECTED


def test_times_just_past_the_end_are_set_to_it_and_that_is_said(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(transcript, DURATION)
    answer["transcript"][-1]["end"] = format_time(DURATION + 2)
    result = gate(answer, transcript)
    assert result.verdict is Verdict.REPAIRED
    assert result.cleaned is not None
    section = result.cleaned.section("transcript")
    assert section is not None
    assert section.items[-1].end_s == DURATION


def test_an_entry_that_runs_far_past_the_end_is_cut_there(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(transcript, 24.0)
    answer["transcript"][-1]["end"] = "00:59"
    result = gate(answer, transcript, duration=24.0)
    assert result.verdict is Verdict.REPAIRED
    assert result.cleaned is not None
    section = result.cleaned.section("transcript")
    assert section is not None
    assert section.items[-1].end_s == 24.0


def test_times_within_half_a_second_of_the_end_are_right(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    answer = make_answer(transcript, 1200.0)
    assert gate(answer, transcript, duration=1199.6).verdict is Verdict.OK


def test_one_entry_out_of_order_is_sorted(transcript: Template, make_answer: Callable[..., Answer]) -> None:
    answer = make_answer(transcript, DURATION)
    entries = answer["transcript"]
    entries[10], entries[11] = entries[11], entries[10]
    result = gate(answer, transcript)
    assert result.verdict is Verdict.REPAIRED
    assert result.cleaned is not None
    section = result.cleaned.section("transcript")
    assert section is not None
    starts = [item.start_s or 0.0 for item in section.items]
    assert starts == sorted(starts)


def test_points_in_order_of_weight_are_not_called_out_of_order(
    templates: TemplateSet, make_answer: Callable[..., Answer]
) -> None:
    template = templates.get("summary_report")
    answer = make_answer(template, DURATION, "en")
    answer["main_points"].reverse()
    assert gate(answer, template, "en").verdict is Verdict.OK


def test_a_silent_video_needs_no_transcript(transcript: Template, make_answer: Callable[..., Answer]) -> None:
    answer = make_answer(transcript, DURATION)
    answer["transcript"] = []
    text = json.dumps(answer, ensure_ascii=False)
    silent = judge_parts([PartAnswer(text)], transcript, DURATION, has_audio=False).gate
    assert silent.verdict is Verdict.OK
    assert gate(answer, transcript).verdict is Verdict.REJECTED


def test_a_gate_run_over_its_own_result_finds_nothing_new(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    from gsvr_tui.report.findings import GateFacts
    from gsvr_tui.report.gate import check

    for fault in (middle_gone, tail_gone, some_past_the_end, key_in_text):
        first = gate(fault(make_answer(transcript, DURATION)), transcript)
        assert first.cleaned is not None
        again = check(first.cleaned, transcript, GateFacts(DURATION, "zh-Hans"))
        assert {f.check for f in again.problems} <= {f.check for f in first.problems}
        assert [gap for gap in again.missing if gap not in first.missing] == []


def test_times_at_equal_steps_are_noted_and_pass(transcript: Template, make_answer: Callable[..., Answer]) -> None:
    answer = make_answer(transcript, DURATION)
    entries = answer["transcript"][: int(DURATION // 15)]
    for n, entry in enumerate(entries):
        entry["start"], entry["end"] = format_time(15 * n), format_time(15 * n + 15)
    answer["transcript"] = entries
    result = gate(answer, transcript)
    assert result.verdict is Verdict.OK
    assert checks(result) == {"believable"}


def test_an_answer_in_the_wrong_european_language_is_found(
    lesson: Template, make_answer: Callable[..., Answer]
) -> None:
    result = gate(make_answer(lesson, DURATION, "en"), lesson, "de")
    assert result.verdict is Verdict.REJECTED
    assert "language" in checks(result)
    assert gate(make_answer(lesson, DURATION, "en"), lesson, "sw").verdict is Verdict.OK  # not known here: not judged


# ---------------------------------------------------------------- long videos in parts


def parts_of(template: Template, make_answer: Callable[..., Answer], relative: bool = False) -> list[PartAnswer]:
    parts = []
    for index in range(3):
        start = index * 1200.0
        answer = make_answer(template, 1200.0, "", index, 0.0 if relative else start)
        parts.append(PartAnswer(json.dumps(answer, ensure_ascii=False), start, start + 1200.0))
    return parts


def test_parts_become_one_report_whatever_order_they_came_in(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    parts = parts_of(transcript, make_answer)
    result = judge_parts(parts, transcript, 3600.0)
    assert result.gate.verdict is Verdict.OK, result.gate.problems
    again = judge_parts([parts[2], parts[0], parts[1]], transcript, 3600.0)
    assert again.gate.cleaned == result.gate.cleaned


def test_parts_that_count_from_their_own_start_are_shifted_and_it_is_said(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    absolute = judge_parts(parts_of(transcript, make_answer), transcript, 3600.0).gate
    relative = judge_parts(parts_of(transcript, make_answer, relative=True), transcript, 3600.0).gate
    assert relative.verdict is Verdict.REPAIRED
    assert relative.cleaned is not None
    assert absolute.cleaned is not None
    assert relative.cleaned.sections == absolute.cleaned.sections


def test_a_lost_part_is_a_missing_range(transcript: Template, make_answer: Callable[..., Answer]) -> None:
    parts = [
        PartAnswer(
            json.dumps(make_answer(transcript, 1200.0, "", n, n * 1200.0), ensure_ascii=False),
            n * 1200.0,
            (n + 1) * 1200.0,
        )
        for n in range(6)
    ]
    parts[3] = PartAnswer(None, 3600.0, 4800.0, finish_reason="SAFETY")
    result = judge_parts(parts, transcript, 7200.0).gate
    assert result.verdict is Verdict.PARTIAL
    assert [(gap.start_s, gap.end_s) for gap in result.missing] == [(3600.0, 4800.0)]
    parts[4] = PartAnswer("nonsense", 4800.0, 6000.0)
    assert judge_parts(parts, transcript, 7200.0).gate.verdict is Verdict.REJECTED


def test_a_job_whose_parts_are_all_lost_is_rejected(transcript: Template) -> None:
    result = judge_parts([PartAnswer(None, 0, 600), PartAnswer("x", 600, 1200)], transcript, 1200.0).gate
    assert result.verdict is Verdict.REJECTED
    assert result.cleaned is None
    assert len(result.problems) == 2


def test_a_gap_found_in_a_part_stays_a_gap_of_the_whole(
    transcript: Template, make_answer: Callable[..., Answer]
) -> None:
    parts = []
    for n in range(12):
        answer = make_answer(transcript, 600.0, "", n, n * 600.0)
        if n == 5:  # 100 s: too much for the end of ten minutes, little for two hours
            answer["transcript"] = [e for e in answer["transcript"] if (parse_time(e["start"]) or 0) < 3500]
        parts.append(PartAnswer(json.dumps(answer, ensure_ascii=False), n * 600.0, (n + 1) * 600.0))
    result = judge_parts(parts, transcript, 7200.0).gate
    assert result.verdict is Verdict.PARTIAL
    assert len(result.missing) == 1
    assert result.missing[0].end_s == 3600.0
    assert sum(finding.check == "coverage" for finding in result.problems) == 1
