"""Printing: clean text, JSON Lines that are valid UTF-8 whatever a file is called, and streams that may be gone."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from gsvr_tui.core.text import cell_width, clean_text


def out(text: str = "") -> None:
    """A line on stdout. `text` is clean already, but may hold line breaks."""
    _write(sys.stdout, f"{clean_text(text, newlines=True)}\n")


def note(text: str) -> None:
    """A line for people on stderr, beside what a program may be reading from stdout."""
    _write(sys.stderr, f"{clean_text(text, newlines=True)}\n")


def problem(message: str, advice: str = "") -> None:
    """What is wrong and what to do, on stderr."""
    _write(sys.stderr, f"gsvr-tui: {clean_text(message, newlines=True)}\n")
    if advice:
        _write(sys.stderr, f"          {clean_text(advice)}\n")


def json_line(record: Mapping[str, Any]) -> None:
    """One record as a line of JSON on stdout, in UTF-8 whatever the locale says."""
    text = json.dumps(_sound(record), ensure_ascii=False, separators=(", ", ": "), allow_nan=False)
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        _write(sys.stdout, f"{text}\n")
        return
    try:
        buffer.write(text.encode("utf-8") + b"\n")
        buffer.flush()
    except (OSError, ValueError):
        mute(sys.stdout)


def escaped(text: str) -> str:
    """Text that UTF-8 can hold: bytes of names that were not UTF-8 become `\\xNN`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def is_terminal(stream: TextIO | None) -> bool:
    """True when somebody is looking at, or typing into, this stream."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def mute(stream: TextIO | None) -> None:
    """The reader is gone: from now on this stream leads nowhere, also for what the interpreter flushes at its end."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Columns side by side; the first row is the head. `right` are the columns set to the right."""
    cleaned = [[clean_text(cell) for cell in row] for row in rows]
    widths = [max(cell_width(row[column]) for row in cleaned) for column in range(len(cleaned[0]))]
    lines = []
    for row in cleaned:
        cells = []
        for column, cell in enumerate(row):
            blank = " " * (widths[column] - cell_width(cell))
            cells.append(blank + cell if column in right else cell + blank)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def plural(count: int, noun: str) -> str:
    """`1 video`, `1,200 videos`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun}{'es' if noun.endswith(('s', 'ch', 'sh', 'x')) else 's'}"


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except UnicodeEncodeError:  # a terminal of an old locale
        encoding = stream.encoding or "ascii"
        with contextlib.suppress(OSError, ValueError):
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
    except (OSError, ValueError):  # the reader or the terminal is gone
        mute(stream)


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {escaped(str(key)): _sound(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(item) for item in value]
    if isinstance(value, float):
        return round(value, 6) if abs(value) < 1e300 else None
    return value
