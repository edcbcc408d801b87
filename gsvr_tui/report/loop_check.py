"""The loop check: finds sections that run in circles and cuts the repeats out."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gsvr_tui.core.text import format_time
from gsvr_tui.report import limits
from gsvr_tui.report.findings import Work
from gsvr_tui.report.parse import ParsedItem, ParsedSection
from gsvr_tui.report.repetition import Loop, Token, find_loop, mostly_table, tokens_of, worst_ratio
from gsvr_tui.report.template_model import SectionKind

_MAX_CUTS = 20


def check_loop(work: Work) -> None:
    """No section says the same block over and over. Songs and drills do so honestly: there it is only noted."""
    for section in work.answer.sections:
        if section.kind is SectionKind.TEXT:
            _check_text(work, section)
        elif section.items:
            _check_items(work, section)
    work.close("loop", "nothing is repeated over and over")


def _check_text(work: Work, section: ParsedSection) -> None:
    text = section.text
    if not text or mostly_table(text):
        return
    for _ in range(_MAX_CUTS):
        tokens = tokens_of(text)
        loop = find_loop([token.text for token in tokens])
        if loop is None:
            break
        start, end = tokens[loop.first + loop.period - 1].end, tokens[loop.last - 1].end
        text = f"{text[:start]} […] {text[end:]}".strip()
        _fail(work, section, f"a block of {loop.period} words is there {loop.repeats:.0f} times; repeats were cut")
    else:
        _fail(work, section, "it consists of repetitions")
    if text != section.text:
        work.answer = work.answer.with_section(replace(section, text=text))
    elif (ratio := worst_ratio(text)) >= limits.ZLIB_RATIO:
        _fail_by_weight(work, section, "it says nearly the same again and again", reject=ratio >= limits.ZLIB_HOPELESS)


def _fail(work: Work, section: ParsedSection, message: str) -> None:
    wanted = work.template.section(section.id)
    work.fail("loop", message, section.id, reject=wanted is not None and work.wanted(wanted))


@dataclass(frozen=True, slots=True)
class _Joined:
    """The entries of a section as one text, and which entry a token belongs to."""

    text: str
    tokens: list[Token]
    starts: list[int]

    def item_of(self, token: int) -> int:
        return bisect_right(self.starts, self.tokens[token].start) - 1


def _join(items: Sequence[ParsedItem]) -> _Joined:
    pieces, starts, length = [], [], 0
    for item in items:
        piece = f"{item.title}\n{item.text}\n"
        starts.append(length)
        pieces.append(piece)
        length += len(piece)
    text = "".join(pieces)
    return _Joined(text, tokens_of(text), starts)


def _check_items(work: Work, section: ParsedSection) -> None:
    items = list(section.items)
    transcript = section.kind is SectionKind.TRANSCRIPT
    failed = False
    for _ in range(_MAX_CUTS):
        joined = _join(items)
        loop = find_loop([token.text for token in joined.tokens])
        if loop is None:
            break
        if transcript and _could_be_spoken(items, joined, loop):
            where = format_time(items[joined.item_of(loop.first)].start_s or 0.0)
            work.note("loop", f"the same words {loop.repeats:.0f} times from {where}: a song or a drill?", section.id)
            break
        failed = True
        items, times = _without_repeats(items, joined, loop)
        where = f" from {format_time(times[0])} to {format_time(times[1])}" if times and times[0] < times[1] else ""
        message = f"the same words {loop.repeats:.0f} times{where}; repeats were cut"
        _fail_by_weight(work, section, message, reject=loop.repeats >= limits.HOPELESS_REPEATS)
    else:
        work.rejected = True
    items, same = _same_items(items, transcript)
    if same:
        failed = True
        _fail_by_weight(work, section, f"{same} entries say what an entry before said; they were left out")
    if failed:
        work.answer = work.answer.with_section(replace(section, items=tuple(items)))
    elif (ratio := worst_ratio(joined.text)) >= limits.ZLIB_RATIO:
        if transcript and _spoken_pace(items, len(joined.tokens)):
            work.note("loop", "much of it is nearly the same", section.id)
        else:
            _fail_by_weight(
                work, section, "it says nearly the same again and again", reject=ratio >= limits.ZLIB_HOPELESS
            )


def _fail_by_weight(work: Work, section: ParsedSection, message: str, *, reject: bool = False) -> None:
    # What was cut out of a section that tells the whole video shows as a gap, and its size decides; but a model that
    # derailed for good is asked again.
    wanted = work.template.section(section.id)
    work.fail("loop", message, section.id, reject=reject and wanted is not None and work.wanted(wanted))


def _could_be_spoken(items: Sequence[ParsedItem], joined: _Joined, loop: Loop) -> bool:
    if loop.repeats >= limits.HOPELESS_REPEATS:
        return False
    first, last = joined.item_of(loop.first), joined.item_of(loop.last - 1)
    return _spoken_pace(items[first : last + 1], loop.last - loop.first)


def _spoken_pace(items: Sequence[ParsedItem], tokens: int) -> bool:
    """True when so many words fit into the time the entries claim."""
    if len(items) < 2 or items[0].start_s is None or items[-1].start_s is None:
        return False
    last = items[-1]
    seconds = max(last.end_s or 0.0, (last.start_s or 0.0) + limits.SPEECH_MIN_BLOCK_S) - items[0].start_s
    sample = "".join(item.text for item in items)
    han = sum(1 for char in sample if "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af")
    pace = limits.SPEECH_HAN_PER_S if han > len(sample) / 3 else limits.SPEECH_WORDS_PER_S
    return seconds > 0 and tokens / seconds <= pace and seconds / len(items) >= limits.SPEECH_MIN_BLOCK_S


def _without_repeats(
    items: Sequence[ParsedItem], joined: _Joined, loop: Loop
) -> tuple[list[ParsedItem], tuple[float, float] | None]:
    """The entries without the repeats, and from when to when these claimed to be."""
    begin = joined.item_of(loop.first + loop.period)  # the entry in which the second copy begins
    stop = joined.item_of(loop.last - 1)
    head = joined.item_of(loop.first + loop.period - 1)
    if begin == head:  # all within one entry: keep its first copy
        item = items[head]
        end = joined.tokens[loop.first + loop.period - 1].end - joined.starts[head]
        room = max(0, end - len(item.title) - 1)
        cut = replace(item, text=f"{item.text[:room]} […]", end_s=None)
        kept = [*items[:head], cut, *items[stop + 1 :]]
    else:
        kept = [*items[:begin], *items[stop + 1 :]]
    times = [item.start_s for item in items[begin : stop + 1] if item.start_s is not None]
    return kept, (min(times), max(times)) if times else None


def _same_items(items: Sequence[ParsedItem], transcript: bool) -> tuple[list[ParsedItem], int]:
    """The entries without those that say word for word the same as many others, and how many that were."""
    counts = Counter(item.text for item in items if len(item.text) >= limits.SAME_ITEM_MIN_CHARS)
    often = {text for text, count in counts.items() if count > limits.SAME_ITEM_TIMES}
    if transcript:  # a refrain, "repeat after me": honest until it is most of it
        share = limits.SAME_ITEM_TRANSCRIPT_SHARE * len(items)
        often = {text for text in often if counts[text] >= share and counts[text] >= limits.HOPELESS_REPEATS}
    kept: list[ParsedItem] = []
    seen: set[str] = set()
    for item in items:
        if item.text in often and item.text in seen:
            continue
        seen.add(item.text)
        kept.append(item)
    return kept, len(items) - len(kept)
