"""Finds text that runs in circles: the same block of words again and again, as models do when they derail.

Contiguous repetition is looked for, word by word, Chinese, Japanese and Korean per character; counting phrases
anywhere would fire on tables and refrains. A second opinion is how well the text compresses.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gsvr_tui.report import limits

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
_WORD = re.compile(f"[{_CJK}]|[^\\W{_CJK}]+")
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.MULTILINE | re.DOTALL)
_HEADING_OR_TABLE = re.compile(r"^[ \t]*(?:#{1,6}[ \t].*|\|.*)$", re.MULTILINE)
_LIST_MARK = re.compile(r"^[ \t]*(?:[-*+•]|\d{1,3}[.)、])[ \t]+", re.MULTILINE)
_TIME = re.compile(r"\[?\(?\b\d{1,3}:\d{2}(?::\d{2,3})?(?:[.,]\d{1,3})?\b\)?\]?")
_TABLE_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)


class Token(NamedTuple):
    """A word or a character, and where it begins and ends in the text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Loop:
    """A block of `period` tokens said `repeats` times in a row, from token `first` to before token `last`."""

    first: int
    last: int
    period: int

    @property
    def repeats(self) -> float:
        """How often the block is there, with the part of the last one."""
        return (self.last - self.first) / self.period

    @property
    def long(self) -> bool:
        """True for a block that is so long that few repeats prove it."""
        return self.period > limits.BLOCK_MAX_TOKENS


def tokens_of(text: str) -> list[Token]:
    """Words outside code, headings, tables, times and list marks. Places are those in `text`."""
    for pattern in (_FENCED, _HEADING_OR_TABLE, _LIST_MARK, _TIME):
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return [Token(match.group().casefold(), match.start(), match.end()) for match in _WORD.finditer(text)]


def mostly_table(text: str) -> bool:
    """True when so much of it is table rows that repetition says nothing."""
    lines = sum(1 for line in text.splitlines() if line.strip())
    return lines >= 4 and len(_TABLE_ROW.findall(text)) > limits.TABLE_SHARE * lines


def find_loop(
    words: Sequence[str], repeats: float = limits.FLAG_REPEATS, long_repeats: float = limits.FLAG_LONG_REPEATS
) -> Loop | None:
    """The longest contiguous repetition of at least `repeats` (long blocks: `long_repeats`), or None.

    Linear in practice: a distance is tried only where the same four words stood that far back, and no stretch twice.
    """
    size = limits.BLOCK_MIN_TOKENS
    seen: dict[tuple[str, ...], list[int]] = {}
    tried: dict[int, int] = {}
    best: Loop | None = None
    for here, gram in enumerate(zip(*(words[offset:] for offset in range(size)), strict=False)):
        places = seen.get(gram)
        if places is None:
            seen[gram] = [here]
            continue
        for before in places:
            if here - before > limits.LONG_BLOCK_MAX_TOKENS:
                continue
            loop = _loop_at(words, here, here - before, tried)
            if loop is None or loop.repeats < (long_repeats if loop.long else repeats):
                continue
            if best is None or loop.last - loop.first > best.last - best.first:
                best = loop
        places.append(here)
        if len(places) > 4:
            del places[0]
    return best


def _loop_at(words: Sequence[str], here: int, distance: int, tried: dict[int, int]) -> Loop | None:
    period = distance * -(-limits.BLOCK_MIN_TOKENS // distance)  # "ha ha" counts in blocks of four
    if period > limits.LONG_BLOCK_MAX_TOKENS or tried.get(period, -1) >= here:
        return None
    end = here
    while end < len(words) and end >= period and words[end] == words[end - period]:
        end += 1
    tried[period] = end
    first = here - period
    if first < 0 or len(set(words[first : first + period])) < limits.BLOCK_MIN_DISTINCT:
        return None
    return Loop(first, end, period)


def worst_ratio(text: str) -> float:
    """How many times smaller the most compressible window of the text gets. Clean texts stay below 4.2."""
    kept = _HEADING_OR_TABLE.sub("", _FENCED.sub("", text))
    kept = _TIME.sub("", kept)
    worst = 0.0
    for start in range(0, max(1, len(kept) - limits.ZLIB_WINDOW // 2), limits.ZLIB_STEP):
        window = kept[start : start + limits.ZLIB_WINDOW].encode("utf-8", "replace")
        if len(window) >= limits.ZLIB_WINDOW // 2:
            worst = max(worst, len(window) / len(zlib.compress(window, 6)))
    return worst


class LoopWatch:
    """Watches a stream of text and says when it has begun to run in circles, so that it can be stopped early."""

    _TAIL_CHARS = 12_000
    _EVERY_CHARS = 1_000

    def __init__(self, repeats: float = limits.ABORT_REPEATS, long_repeats: float = limits.ABORT_LONG_REPEATS) -> None:
        self._repeats, self._long_repeats = repeats, long_repeats
        self._tail = ""
        self._unchecked = 0
        self.looping = False

    def feed(self, text: str) -> bool:
        """Take the next piece; True from the moment a loop is seen."""
        self._tail = (self._tail + text)[-self._TAIL_CHARS :]
        self._unchecked += len(text)
        if not self.looping and self._unchecked >= self._EVERY_CHARS:
            self._unchecked = 0
            words = [token.text for token in tokens_of(self._tail)]
            self.looping = find_loop(words, self._repeats, self._long_repeats) is not None
        return self.looping
