"""Checks of the times: are they times, inside the video, in order, believable, and do they reach from start to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from gsvr_tui.core.text import format_time
from gsvr_tui.report import limits
from gsvr_tui.report.findings import Range, Work
from gsvr_tui.report.parse import ParsedItem
from gsvr_tui.report.template_model import Section, SectionKind, Times

# ---------------------------------------------------------------- syntax and range


def check_times(work: Work) -> None:
    """Drop what has no usable time, mend what is a little past the end; fail when it is too much."""
    for section in work.template.sections:
        parsed = work.answer.section(section.id)
        if parsed is None or section.times is Times.NONE or not parsed.items:
            continue
        tally: Counter[str] = Counter()
        kept = [item for item in (_settle(item, section, work, tally) for item in parsed.items) if item is not None]
        _report(work, section, tally, len(parsed.items))
        if tally:
            work.answer = work.answer.with_section(replace(parsed, items=tuple(kept)))
    work.close("time syntax", "all times can be read")
    work.close("time range", "all times are inside the video")


def _settle(item: ParsedItem, section: Section, work: Work, tally: Counter[str]) -> ParsedItem | None:
    """The entry with its times put right, or None to drop it."""
    part = work.facts.range
    start, end = item.start_s, item.end_s
    if item.bad_time:
        tally["syntax"] += 1
    elif start is None and section.covers:
        tally["without"] += 1
    item = replace(item, bad_time="")
    if start is None:
        # Without a time a line of a transcript has no place; a point or a term still says something.
        return None if section.covers else replace(item, end_s=None)
    low = part.start_s - limits.SEGMENT_SLACK_S if part.start_s > 0 else 0.0
    if start > part.end_s + limits.TIME_CLAMP_S or start < low:
        tally["outside"] += 1
        return None
    if start > part.end_s:
        tally["clamped" if start > part.end_s + limits.TIME_SLACK_S else "touched"] += 1
        start = part.end_s
    if end is not None and end > part.end_s:
        over = end - part.end_s
        word = "outside" if over > limits.TIME_CLAMP_S else "clamped" if over > limits.TIME_SLACK_S else "touched"
        tally[word] += 1
        end = part.end_s
    if end is not None and end < start:
        tally["backwards"] += 1
        end = None
    return replace(item, start_s=start, end_s=end)


def _report(work: Work, section: Section, tally: Counter[str], count: int) -> None:
    bad = tally["syntax"] + tally["outside"] + tally["without"]
    too_many = bad > max(1.0, limits.BAD_ITEMS_SHARE * count)  # one slip in a short list is a slip
    reject = bad > limits.PARTIAL_SHARE * count and bad >= 3
    unread = tally["syntax"] + tally["without"]
    for check, number, words in (
        ("time syntax", unread, "have no time that can be read"),
        ("time range", tally["outside"], "are outside the video and were left out or cut"),
    ):
        if number and too_many:
            work.fail(check, f"{number} of {count} entries {words}", section.id, reject=reject)
        elif number:
            work.repair(check, f"{number} of {count} entries {words}", section.id)
    if tally["clamped"]:
        work.repair("time range", f"{tally['clamped']} times just past the end were set to the end", section.id)
    if tally["backwards"]:
        work.repair("time range", f"{tally['backwards']} entries ended before they began", section.id)


# ---------------------------------------------------------------- order


def check_order(work: Work) -> None:
    """Entries that tell the video from start to end come in its order; few slips are sorted."""
    for section in work.template.sections:
        parsed = work.answer.section(section.id)
        if parsed is None or not section.covers or len(parsed.items) < 2:
            continue
        starts = [item.start_s or 0.0 for item in parsed.items]
        slips = sum(1 for before, after in pairwise(starts) if after < before)
        if not slips:
            continue
        ordered = tuple(sorted(parsed.items, key=lambda item: item.start_s or 0.0))
        work.answer = work.answer.with_section(replace(parsed, items=ordered))
        if slips > max(1.0, limits.INVERSIONS_SHARE * len(starts)):
            work.fail("order", f"{slips} of {len(starts)} entries go back in time", section.id, reject=True)
        else:
            work.repair("order", f"{slips} of {len(starts)} entries were out of order and were sorted", section.id)
    work.close("order", "entries are in order of time")


# ---------------------------------------------------------------- believable


def check_invented(work: Work) -> None:
    """Times at equal steps, on round numbers, or too dense to be spoken: worth a look, no proof."""
    for section in work.template.sections:
        parsed = work.answer.section(section.id)
        if parsed is None or section.times is Times.NONE or len(parsed.items) < limits.INVENTED_MIN_ITEMS:
            continue
        starts = [item.start_s for item in parsed.items if item.start_s is not None]
        if len(starts) < limits.INVENTED_MIN_ITEMS:
            continue
        gaps = Counter(round(b - a, 1) for a, b in pairwise(starts))
        gap, times = gaps.most_common(1)[0]
        round_ones = sum(1 for start in starts if start % limits.INVENTED_ROUND_S == 0)
        if gap > 0 and times >= limits.INVENTED_EQUAL_GAPS * (len(starts) - 1):
            work.note("believable", f"{times} of {len(starts) - 1} steps are exactly {gap:g} s", section.id)
        elif round_ones >= limits.INVENTED_ROUND_TIMES * len(starts):
            work.note("believable", f"{round_ones} of {len(starts)} times are on half minutes", section.id)
        elif section.kind is SectionKind.TRANSCRIPT and _too_dense(starts):
            work.note("believable", "more lines in a minute than anybody speaks", section.id)
    work.close("believable", "times look measured")


def _too_dense(starts: Sequence[float]) -> bool:
    most = int(60 / limits.SPEECH_MIN_BLOCK_S)
    ordered = sorted(starts)
    return any(ordered[i + most] - ordered[i] < 60 for i in range(len(ordered) - most))


# ---------------------------------------------------------------- coverage


def check_coverage(work: Work) -> None:
    """Entries that account for the whole video reach from its start to its end, without large gaps."""
    part = work.facts.range
    gaps: list[Range] = [*work.facts.lost, *work.missing]
    for lost in work.facts.lost:
        work.fail("coverage", f"{lost} has no usable answer", str(lost))
    for gap in work.missing:
        work.fail("coverage", f"nothing is said of {gap}", str(gap))
    for section in work.template.sections:
        parsed = work.answer.section(section.id)
        if not section.covers or parsed is None or not parsed.items:
            continue
        if section.kind is SectionKind.TRANSCRIPT and not work.facts.has_audio:
            continue
        for gap in uncovered(parsed.items, part):
            if any(known.start_s - 1 <= gap.start_s and gap.end_s <= known.end_s + 1 for known in gaps):
                continue
            gaps.append(gap)
            work.fail("coverage", f"nothing is said of {gap}", section.id)
    work.missing = merge_ranges(gaps)
    lost_s = sum(gap.length_s for gap in work.missing)
    if part.length_s > 0 and lost_s > limits.PARTIAL_SHARE * part.length_s:
        work.fail("coverage", f"{lost_s / part.length_s:.0%} of the video is missing", reject=True)
    work.close("coverage", f"it reaches to {format_time(part.end_s)}")


def uncovered(items: Sequence[ParsedItem], part: Range) -> list[Range]:
    """Ranges of `part` that are too long to be without an entry. `items` are in order of time."""
    largest = max(limits.COVER_GAP_S, limits.COVER_GAP_SHARE * part.length_s)
    tail = max(limits.COVER_END_S, limits.COVER_END_SHARE * part.length_s)
    spans = _spans(items, largest)
    gaps: list[Range] = []
    reached = part.start_s
    for span in spans:
        if span.start_s - reached > largest:
            gaps.append(Range(reached, span.start_s))
        reached = max(reached, span.end_s)
    if part.end_s - reached > tail:
        gaps.append(Range(reached, part.end_s))
    if part.length_s >= limits.COVER_FIFTHS_FROM_S:
        fifth = part.length_s / 5
        for index in range(5):
            piece = Range(part.start_s + index * fifth, part.start_s + (index + 1) * fifth)
            told = any(span.start_s < piece.end_s and span.end_s >= piece.start_s for span in spans)
            if not told and not any(gap.start_s < piece.end_s and gap.end_s > piece.start_s for gap in gaps):
                gaps.append(piece)
    return gaps


def _spans(items: Sequence[ParsedItem], longest: float) -> list[Range]:
    """What each entry accounts for: to its end, or without one to the next entry, but not for ever."""
    timed = [item for item in items if item.start_s is not None]
    spans = []
    for index, item in enumerate(timed):
        start = item.start_s or 0.0
        end = item.end_s
        if end is None:
            following = timed[index + 1].start_s if index + 1 < len(timed) else start
            end = min(following or start, start + longest)
        spans.append(Range(start, max(start, end)))
    return spans


def merge_ranges(ranges: Sequence[Range]) -> list[Range]:
    """The same seconds in the fewest ranges, in order."""
    merged: list[Range] = []
    for piece in sorted(ranges):
        if merged and piece.start_s <= merged[-1].end_s:
            merged[-1] = Range(merged[-1].start_s, max(merged[-1].end_s, piece.end_s))
        elif piece.length_s > 0:
            merged.append(piece)
    return merged
