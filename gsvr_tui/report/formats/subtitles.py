"""SRT and VTT from what is spoken, or from any entries with times.

Always: an end after its start, no overlap, at most two lines. Where the video leaves the room: one to seven seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from gsvr_tui.core.text import cell_width, clean_text
from gsvr_tui.report.document import Report, ReportItem
from gsvr_tui.report.formats.extras import Extras, NothingToRender
from gsvr_tui.report.formats.pick import spoken_of
from gsvr_tui.report.formats.rich_text import to_plain

LINES = 2
LINE_CELLS = 42
LINE_CELLS_WIDE = 40
"""Twenty Chinese, Japanese or Korean characters."""
SHORTEST_S = 1.0
LONGEST_S = 7.0
CELLS_PER_S = 15.0
"""Reading speed where an entry has no end of its own."""


@dataclass(frozen=True, slots=True)
class Cue:
    """A subtitle: whole milliseconds, one or two lines, who says it."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speaker: str = ""


def render_srt(report: Report, extras: Extras) -> bytes:
    """Subtitles as SubRip, UTF-8."""
    blocks = []
    for number, cue in enumerate(cues_of(report, name_speakers=True), 1):
        text = "\n".join(_srt_text(line) for line in cue.lines)
        blocks.append(f"{number}\n{_stamp(cue.start_ms, ',')} --> {_stamp(cue.end_ms, ',')}\n{text}\n")
    return "\n".join(blocks).encode("utf-8", "replace")


def render_vtt(report: Report, extras: Extras) -> bytes:
    """Subtitles as WebVTT."""
    parts = ["WEBVTT\n", f"NOTE gsvr_id {_vtt_text(clean_text(report.gsvr_id))}\n"]
    for cue in cues_of(report):
        text = "\n".join(_vtt_text(line) for line in cue.lines)
        voice = f"<v {_vtt_voice(cue.speaker)}>" if cue.speaker else ""
        parts.append(f"{_stamp(cue.start_ms, '.')} --> {_stamp(cue.end_ms, '.')}\n{voice}{text}\n")
    return "\n".join(parts).encode("utf-8", "replace")


def _stamp(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{ms:03d}"


def _srt_text(text: str) -> str:
    """SubRip has no escapes: what a player would take for a tag gets another sign."""
    text = re.sub(r"<(?=[A-Za-z/!?])", "‹", text)
    return re.sub(r"\{(?=\s*\\)", "(", text).replace("-->", "→")


def _vtt_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _vtt_voice(name: str) -> str:
    """A name in a voice tag; two hyphens before the tag's end would make an arrow of it."""
    return _vtt_text(re.sub("-{2,}", "–", " ".join(name.split())))


# ---------------------------------------------------------------- cues


def cues_of(report: Report, *, name_speakers: bool = False) -> tuple[Cue, ...]:
    """The subtitles of a report. `name_speakers`: where several speak, each turn begins with the name.

    Raises NothingToRender when nothing in it has a time.
    """
    items = spoken_of(report)
    turns = _turns(items) if name_speakers else [""] * len(items)
    wanted = [
        piece
        for turn, (item, after) in zip(turns, _with_next(items), strict=True)
        for piece in _pieces(item, after, turn)
    ]
    if not wanted:
        raise NothingToRender("nothing in this report has a time to show it at")
    return tuple(_placed(wanted, round(report.source.duration_s * 1000)))


def _turns(items: Sequence[ReportItem]) -> list[str]:
    """What stands before each entry's words: the speaker's name where it changes, if several speak."""
    names = [" ".join(clean_text(item.speaker).split()) for item in items]
    if len(set(filter(None, names))) < 2:
        return [""] * len(items)
    turns, last = [], ""
    for name in names:
        turns.append(f"{name}: " if name and name != last else "")
        last = name or last
    return turns


def _with_next(items: Sequence[ReportItem]) -> Iterator[tuple[ReportItem, float | None]]:
    """Each entry, and when the next one that begins later does."""
    found: list[tuple[ReportItem, float | None]] = []
    later: float | None = None
    for index in range(len(items) - 1, -1, -1):
        start = items[index].start_s or 0.0
        if index + 1 < len(items) and (items[index + 1].start_s or 0.0) > start:
            later = items[index + 1].start_s
        found.append((items[index], later))
    return reversed(found)


def _pieces(item: ReportItem, after: float | None, turn: str) -> Iterator[Cue]:
    """An entry as cues of at most two lines; each gets of the entry's time what its length is of the text."""
    words = item.text or item.title
    pieces = split_text(turn + clean_text(to_plain(words), newlines=True))
    if not pieces:
        return
    start = item.start_s or 0.0
    sizes = [max(1, sum(cell_width(line) for line in lines)) for lines in pieces]
    natural = sum(max(SHORTEST_S, size / CELLS_PER_S) for size in sizes)
    end = item.end_s if item.end_s is not None and item.end_s > start else start + natural
    if after is not None and after - start >= SHORTEST_S:
        end = min(end, after)
    total, at = sum(sizes), start
    speaker = clean_text(item.speaker).strip()
    for lines, size in zip(pieces, sizes, strict=True):
        until = at + (end - start) * size / total
        yield Cue(round(at * 1000), round(until * 1000), lines, speaker)
        at = until


def _placed(wanted: Iterable[Cue], duration_ms: int) -> list[Cue]:
    """The cues one after the other: crowded ones are pushed on, and back from the end of the video."""
    cues: list[Cue] = []
    shortest, longest = round(SHORTEST_S * 1000), round(LONGEST_S * 1000)
    wanted = list(wanted)
    if duration_ms > 0:
        shortest = max(1, min(shortest, duration_ms // len(wanted)))
    at = 0
    for cue in wanted:
        start = max(cue.start_ms, at, 0)
        at = min(max(cue.end_ms, start + shortest), start + longest)
        cues.append(replace(cue, start_ms=start, end_ms=at))
    limit = max(duration_ms, len(cues) * shortest)
    for index in range(len(cues) - 1, -1, -1):
        cue = cues[index]
        if cue.end_ms <= limit:
            break
        start = min(cue.start_ms, limit - shortest)
        cues[index] = replace(cue, start_ms=start, end_ms=limit)
        limit = start
    return cues


# ---------------------------------------------------------------- lines

_SENTENCE = re.compile(r"[^.!?…。！？；\n]*(?:[.!?…]+(?=\s|$)[\"'”’)]*|[。！？；]+[”’」』）]*|[.!?…]+|\n|$)")
_CLOSING = "、，。．・：；！？）］｝」』】〉》〕…—～”’,.;:!?)]}%"
_OPENING = "（［｛「『【〈《〔“‘([{"


def split_text(text: str) -> list[tuple[str, ...]]:
    """The text in pieces of at most two lines, cut at the ends of sentences where they fit."""
    pieces: list[tuple[str, ...]] = []
    held = ""
    for sentence in filter(None, (match.strip() for match in _SENTENCE.findall(text))):
        joined = f"{held}{_joint(held, sentence)}{sentence}"
        if len(wrap(joined)) <= LINES:
            held = joined
            continue
        if held:
            pieces.append(_balanced(wrap(held)))
        lines = wrap(sentence)
        while len(lines) > LINES:
            pieces.append(_balanced(lines[:LINES]))
            lines = lines[LINES:]
        held = _joined(lines)
    if held:
        pieces.append(_balanced(wrap(held)))
    return pieces


_AT_SIGN = 24
"""So many columns of unevenness are worth a break behind a comma or a full stop."""


def _balanced(lines: Sequence[str]) -> tuple[str, ...]:
    """Two lines broken where it reads best: behind a sign, or else in the middle."""
    if len(lines) != 2:
        return tuple(lines)
    text = _joined(lines)
    limit = _limit(text)
    words = list(_words(text))
    best: tuple[int, tuple[str, ...]] = (LINE_CELLS + _AT_SIGN, tuple(lines))
    for place in range(1, len(words)):
        left, right = "".join(words[:place]).strip(), "".join(words[place:]).strip()
        widths = cell_width(left), cell_width(right)
        if not left or not right or max(widths) > limit:
            continue
        cost = abs(widths[0] - widths[1]) - (_AT_SIGN if left[-1] in _CLOSING else 0)
        best = min(best, (cost, (left, right)))
    return best[1]


def _limit(text: str) -> int:
    return LINE_CELLS_WIDE if any(map(_wide, text)) else LINE_CELLS


def _joint(before: str, after: str) -> str:
    return "" if not before or (_wide(before[-1]) and _wide(after[0])) else " "


def _joined(lines: Sequence[str]) -> str:
    text = ""
    for line in lines:
        text += _joint(text, line) + line
    return text


def _wide(char: str) -> bool:
    return cell_width(char) == 2


def wrap(text: str) -> list[str]:
    """Lines of at most LINE_CELLS columns: broken at blanks and between wide characters, never before a closing sign.
    A word longer than a line is cut.
    """
    limit = _limit(text)
    lines: list[str] = []
    line = ""
    for word in _words(text):
        if cell_width((line + word).rstrip()) <= limit:
            line += word
            continue
        if line.strip():
            lines.append(line.strip())
        line = word.lstrip()
        while cell_width(line.rstrip()) > limit:
            head = _head(line, limit)
            lines.append(head)
            line = line[len(head) :]
    if line.strip():
        lines.append(line.strip())
    return lines


def _head(text: str, cells: int) -> str:
    used = 0
    for index, char in enumerate(text):
        used += cell_width(char)
        if used > cells:
            return text[: max(1, index)]
    return text


def _words(text: str) -> Iterator[str]:
    """What must stay on one line: words with the blank before them, single wide characters with their signs."""
    held = ""
    for char in text:
        breaks = char.isspace() or (_wide(char) and char not in _CLOSING and not (held and held[-1] in _OPENING))
        after_wide = bool(held) and _wide(held[-1]) and char not in _CLOSING and held[-1] not in _OPENING
        if held and (breaks or after_wide):
            yield held
            held = ""
        held += " " if char.isspace() else char
    if held:
        yield held
