"""Text from outside made harmless, and numbers made readable.

Everything that comes from videos, file names, the model or a server goes through `clean_text` before a terminal sees
it, through `slug` before a path does. The rest turns seconds, bytes and money into the forms the screens show.
"""

from __future__ import annotations

import math
import re
import unicodedata

_ESCAPES = re.compile(
    # OSC, DCS, SOS, PM, APC with their payload; the payload holds no control character, which keeps this linear
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x80-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[ -/]*[0-~]"  # the other escape sequences
)
_BREAKS = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # C0 (tab and breaks are dealt with before), DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiner, fillers
    "\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, bidi controls, annotations
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"  # invisible music controls, tags
)
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d+|\u200d+(?![{_EMOJI}\u200d])")
_VARIATION = "[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
_VARIATION_RUN = re.compile(f"({_VARIATION}){_VARIATION}+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(s: str, *, newlines: bool = False) -> str:
    """`s` without anything that could act on a terminal or hide in it. Cleaning twice changes nothing more.

    Escape sequences, control characters, bidi controls and zero-width characters go (joiners inside emoji stay); bytes
    that were not UTF-8 are shown as `\\xNN`; tabs become spaces. Line breaks of all kinds become `\\n` with `newlines`,
    else spaces.
    """
    if s.isascii() and s.isprintable():
        return s
    s = _ESCAPES.sub("", s)
    s = _BREAKS.sub("\n" if newlines else " ", s).replace("\t", " ")
    s = _DROPPED.sub("", s)
    s = _SURROGATE.sub(_show_surrogate, s)
    s = _VARIATION_RUN.sub(r"\1", s)
    return _STRAY_JOINER.sub("", s) if "\u200d" in s else s


def _show_surrogate(match: re.Match[str]) -> str:
    code = ord(match.group())
    # os.fsdecode keeps the byte NN of a name that is not UTF-8 as U+DCNN
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


# ---------------------------------------------------------------- names of files

_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_SAFE_ASCII = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_UNNAMED = "video"
SHORTEST_SLUG = 16


def slug(stem: str, max_bytes: int = 120) -> str:
    """A part of a file name made of `stem`: safe on every system and in every shell, still readable, never empty.

    NFC; letters, digits and signs of all scripts stay; separators, blanks, ASCII signs and invisible characters become
    `-`; no leading or trailing dot, no name Windows keeps for itself; at most `max_bytes` (≥ 16) bytes of UTF-8.
    Different stems may give the same slug: add an id where names must differ.
    """
    if max_bytes < SHORTEST_SLUG:
        raise ValueError(f"a slug needs at least {SHORTEST_SLUG} bytes, not {max_bytes}")
    text = unicodedata.normalize("NFC", clean_text(stem))
    text = "".join(char if _may_stay(char) else "-" for char in text)
    text = _tidy(text)
    if _RESERVED.match(text):
        text = f"_{text}"
    return _cut_bytes(text, max_bytes) or _UNNAMED


def _may_stay(char: str) -> bool:
    if char.isascii():
        return char in _SAFE_ASCII
    return unicodedata.category(char)[0] in "LMNPS"  # not: separators, controls, unassigned, private


def _tidy(text: str) -> str:
    text = re.sub(r"\.{2,}", ".", text)
    text = re.sub(r"-{2,}", "-", text)
    return text.strip("-. ")


def _cut_bytes(text: str, max_bytes: int) -> str:
    data = text.encode("utf-8")
    if len(data) <= max_bytes:
        return text
    return data[:max_bytes].decode("utf-8", "ignore").rstrip("-. ")


# ---------------------------------------------------------------- widths

_CUT = "…"
_LONGEST_SUFFIX = 10


def cell_width(s: str) -> int:
    """Columns `s` takes in a terminal, by Unicode's East Asian width. `s` is clean text."""
    return len(s) if s.isascii() else sum(map(_char_width, s))


def _char_width(char: str) -> int:
    if char.isascii():
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def middle_cut(s: str, width: int) -> str:
    """`s` in at most `width` columns; a too long one loses its middle, so that start, end and file suffix stay."""
    if width <= 0:
        return ""
    if cell_width(s) <= width:
        return s
    stem, suffix = s, ""
    dot = s.rfind(".")
    if dot > 0 and 1 < len(s) - dot <= _LONGEST_SUFFIX and cell_width(s[dot:]) + 3 <= width:
        stem, suffix = s[:dot], s[dot:]
    room = width - 1 - cell_width(suffix)
    tail = room // 3
    return _take_left(stem, room - tail) + _CUT + _take_right(stem, tail) + suffix


def _take_left(s: str, width: int) -> str:
    used = 0
    for index, char in enumerate(s):
        used += _char_width(char)
        if used > width:
            return s[:index]
    return s


def _take_right(s: str, width: int) -> str:
    used = 0
    start = len(s)
    for index in range(len(s) - 1, -1, -1):
        step = _char_width(s[index])
        used += step
        if used > width:
            break
        if step:  # a mark without its base is left out
            start = index
    return s[start:]


# ---------------------------------------------------------------- times

_TIME = re.compile(
    r"(?:(?P<h>[0-9]{1,4}):(?P<hm>[0-5]?[0-9])|(?P<m>[0-9]{1,5})):(?P<s>[0-5][0-9])(?:[.,](?P<f>[0-9]{1,3})|:(?P<ms>[0-9]{3}))?"
)


def parse_time(text: str) -> float | None:
    """Seconds of a time written as `M:SS`, `H:MM:SS`, with `.mmm` or `,mmm`; None for anything else.

    Seconds, and minutes behind hours, are below 60. Three digits after a last colon are milliseconds, as models
    sometimes write them: `1:02:345` is 62.345.
    """
    match = _TIME.fullmatch(text.strip().replace("：", ":"))
    if match is None:
        return None
    hours, minutes = int(match["h"] or 0), int(match["hm"] or match["m"] or 0)
    fraction = match["f"] or match["ms"] or "0"
    return hours * 3600 + minutes * 60 + int(match["s"]) + int(fraction) / float(10 ** len(fraction))


def format_time(seconds: float) -> str:
    """A place in a video as `MM:SS` or `H:MM:SS`, rounded down; below zero is `00:00`, not finite `--:--`."""
    if not math.isfinite(seconds):
        return "--:--"
    minutes, secs = divmod(max(0, math.floor(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{secs:02d}" if hours else f"{minutes:02d}:{secs:02d}"


def format_duration(seconds: float) -> str:
    """A span in words: `0.4 s`, `45 s`, `12 min`, `3 h 05 min`, `2 d 04 h`."""
    if not math.isfinite(seconds):
        return "–"
    seconds = max(0.0, seconds)
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours:02d} h"


# ---------------------------------------------------------------- sizes and money


def format_bytes(count: int) -> str:
    """A size with a decimal unit and about three digits: `512 B`, `8.4 MB`, `1.25 GB`."""
    if abs(count) < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if abs(value) < 999.5 or unit == "PB":
            break
    size = abs(value)
    digits = 2 if size < 9.995 and unit in ("GB", "TB", "PB") else 1 if size < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def format_usd(amount: float) -> str:
    """Money: `$0.00`, `$0.0042` below a cent, `$12.30`, `$1,234.50`. A cost above zero never reads as zero."""
    if not math.isfinite(amount):
        return "$–"
    sign, size = ("-" if amount < 0 else ""), abs(amount)
    if size == 0:
        return "$0.00"
    if size < 0.0001:
        return f"{sign}<$0.0001"
    return f"{sign}${size:.4f}" if size < 0.01 else f"{sign}${size:,.2f}"
