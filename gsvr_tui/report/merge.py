"""Puts the answers to the parts of a long video together into one.

Times are those of the whole video. Models asked for a part sometimes count from its start all the same: decided per
answer, never shifted blindly. At the seams the same thing said by both neighbours becomes one entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from gsvr_tui.report import limits
from gsvr_tui.report.findings import Range
from gsvr_tui.report.parse import ParsedAnswer, ParsedItem, ParsedSection
from gsvr_tui.report.template_model import SectionKind

OUTLIERS_SHARE = 0.05
"""So many times may fit neither reading without undoing the decision."""


@dataclass(frozen=True, slots=True)
class PartTimes:
    """An answer with its times read, and how: absolute, relative (was shifted) or undecided (left as it is)."""

    answer: ParsedAnswer
    reading: str


def settle_part(answer: ParsedAnswer, part: Range) -> PartTimes:
    """The answer with times of the whole video, if its own can be told to count from the start of the part."""
    times = list(_times(answer))
    if part.start_s <= 0 or not times:
        return PartTimes(answer, "absolute")
    slack = limits.SEGMENT_SLACK_S
    allowed = OUTLIERS_SHARE * len(times)
    misses_absolute = sum(1 for t in times if not part.start_s - slack <= t <= part.end_s + slack)
    misses_relative = sum(1 for t in times if t > part.length_s + slack)
    absolute, relative = misses_absolute <= allowed, misses_relative <= allowed
    if absolute and relative:  # both fit: the reading that fills the part better
        low, high = min(times), max(times)
        from_absolute = abs(low - part.start_s) + abs(part.end_s - high)
        from_relative = abs(low) + abs(part.length_s - high)
        relative = from_relative < from_absolute - 0.1 * part.length_s
        absolute = not relative
    if absolute:
        return PartTimes(answer, "absolute")
    if relative:
        return PartTimes(shift(answer, part.start_s), "relative")
    return PartTimes(answer, "undecided")


def _times(answer: ParsedAnswer) -> Iterator[float]:
    for section in answer.sections:
        for item in section.items:
            yield from (t for t in (item.start_s, item.end_s) if t is not None)


def shift(answer: ParsedAnswer, seconds: float) -> ParsedAnswer:
    """All times later by so many seconds."""

    def later(value: float | None) -> float | None:
        return None if value is None else value + seconds

    sections = tuple(
        replace(s, items=tuple(replace(i, start_s=later(i.start_s), end_s=later(i.end_s)) for i in s.items))
        for s in answer.sections
    )
    return replace(answer, sections=sections)


# ---------------------------------------------------------------- together


def merge(parts: Sequence[tuple[Range, ParsedAnswer]]) -> ParsedAnswer:
    """One answer of the answers to parts, in whatever order these came. Times are absolute already (`settle_part`)."""
    ordered = sorted(parts, key=lambda pair: pair[0])
    if not ordered:
        raise ValueError("nothing to merge")
    if len(ordered) == 1:
        return ordered[0][1]
    first = ordered[0][1]
    sections = []
    for section in first.sections:
        pieces = [(part, found) for part, answer in ordered if (found := answer.section(section.id)) is not None]
        sections.append(_merge_section(section, pieces))
    return ParsedAnswer(
        title=next((answer.title for _, answer in ordered if answer.title), ""),
        sections=tuple(sections),
        notes=tuple(dict.fromkeys(note for _, answer in ordered for note in answer.notes)),
        fenced=any(answer.fenced for _, answer in ordered),
        cut=any(answer.cut for _, answer in ordered),
    )


def _merge_section(like: ParsedSection, pieces: Sequence[tuple[Range, ParsedSection]]) -> ParsedSection:
    found = any(section.found for _, section in pieces)
    if like.kind is SectionKind.TEXT:
        texts = [f"**{part}**\n\n{section.text}" for part, section in pieces if section.text]
        return replace(like, text="\n\n".join(texts), found=found)
    items: list[ParsedItem] = []
    before: Range | None = None
    for part, section in pieces:
        if like.kind is SectionKind.TERMS or all(item.start_s is None for item in section.items):
            known = {_plain(item.title or item.text) for item in items}
            items.extend(item for item in section.items if _plain(item.title or item.text) not in known)
        else:
            items = _join_at_seam(items, section.items, before, part)
        before = part
    return replace(like, items=tuple(items), found=found)


def _join_at_seam(
    items: list[ParsedItem], more: Sequence[ParsedItem], before: Range | None, part: Range
) -> list[ParsedItem]:
    """`more` behind `items`; what both say near the seam is kept once, the fuller wording of the two."""
    if before is None:
        return [*items, *more]
    overlap_end = max(before.end_s, part.start_s) + limits.SEAM_S
    joined = list(items)
    near = [
        index
        for index, item in enumerate(joined)
        if item.start_s is not None and item.start_s >= part.start_s - 2 * limits.SEAM_S
    ]
    for item in more:
        twin = None
        if item.start_s is not None and item.start_s <= overlap_end:
            twin = next((index for index in near if _same(joined[index], item)), None)
        if twin is None:
            joined.append(item)
        elif len(item.text) > len(joined[twin].text):
            joined[twin] = replace(item, start_s=joined[twin].start_s)
    if all(item.start_s is not None for item in joined) and before.end_s > part.start_s:
        joined.sort(key=lambda item: item.start_s or 0.0)  # overlapping parts interleave
    return joined


_NOISE = re.compile(r"[\W_]+")


def _plain(text: str) -> str:
    return _NOISE.sub("", text).casefold()


def _same(one: ParsedItem, other: ParsedItem) -> bool:
    if one.start_s is None or other.start_s is None or abs(one.start_s - other.start_s) > limits.SEAM_S:
        return False
    a, b = _plain(one.title + one.text), _plain(other.title + other.text)
    if not a or not b:
        return a == b
    needed = limits.SEAM_SIMILARITY_CJK if any(char > "\u2e80" for char in a[:50]) else limits.SEAM_SIMILARITY
    matcher = SequenceMatcher(None, a[:2_000], b[:2_000], autojunk=False)
    return matcher.real_quick_ratio() >= needed and matcher.quick_ratio() >= needed and matcher.ratio() >= needed
