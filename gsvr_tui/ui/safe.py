"""The door for text from outside: a plain str never reaches a widget, `safe(text)` does.

Textual parses markup in strings; a file called `[/red]` would end the app. `Content` is never parsed, and `clean_text`
takes out what could act on the terminal.
"""

from __future__ import annotations

import re

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from gsvr_tui.core.text import clean_text, middle_cut

_CUT = "…"
_IMAGE = re.compile(r"!\[([^\]]*)\]\([^)]*\)|!\[([^\]]*)\]\[[^\]]*\]")
_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_LINK_DEFINITION = re.compile(r"(?m)^ {0,3}\[[^\]]+\]:\s*\S+.*$")
_AUTO_LINK = re.compile(r"<((?:https?|ftp|file|mailto|javascript|data):[^>\s]*)>", re.IGNORECASE)
_HTML = re.compile(r"<(?=[/!?a-zA-Z])")


def safe(text: str, *, newlines: bool = False) -> Content:
    """Text from outside as content that is shown exactly, without markup and control characters."""
    return Content(clean_text(text, newlines=newlines))


def styled(text: str, style: str) -> Content:
    """`safe` text in one style, for example `$status-ok` or `bold $accent`."""
    return Content.styled(clean_text(text), style)


def join(*parts: Content | tuple[str, str] | str) -> Content:
    """Content of several parts; strings and (text, style) pairs are cleaned."""
    pieces: list[Content] = []
    for part in parts:
        if isinstance(part, Content):
            pieces.append(part)
        elif isinstance(part, tuple):
            pieces.append(styled(*part))
        else:
            pieces.append(safe(part, newlines=True))
    return Content("").join(pieces)


def fit(text: str, width: int, *, ascii_only: bool = False) -> str:
    """`text` cleaned and in exactly `width` columns: padded, or cut in the middle keeping the file suffix."""
    clean = clean_text(text)
    if cell_len(clean) > width:
        clean = middle_cut(clean, width)
        if ascii_only and _CUT in clean:
            clean = middle_cut(clean_text(text), max(0, width - 2)).replace(_CUT, "...")
    return set_cell_size(clean, width)


def fit_end(text: str, width: int, *, ascii_only: bool = False) -> str:
    """Like `fit`, but a too long text loses its end: for sentences."""
    clean = clean_text(text)
    if cell_len(clean) <= width:
        return set_cell_size(clean, width)
    sign = "..." if ascii_only else _CUT
    if width <= len(sign):
        return set_cell_size(clean, width)
    kept = set_cell_size(clean, width - len(sign))
    short = kept.rstrip()
    return short + sign + " " * (cell_len(kept) - cell_len(short))


def fit_right(text: str, width: int) -> str:
    """ASCII figures right-aligned in `width` columns."""
    return text.rjust(width)[-width:] if width else ""


def quiet_markdown(markdown: str) -> str:
    """Report Markdown for the preview: nothing in it can load, open or act.

    Images become their alt text, links their text with the target in plain sight, HTML is shown as text.
    """
    text = clean_text(markdown, newlines=True)
    text = _LINK_DEFINITION.sub("", text)
    text = _IMAGE.sub(lambda match: f"(image: {match[1] or match[2] or 'no text'})", text)
    text = _LINK.sub(lambda match: f"{match[1]} ({_plain_target(match[2])})" if match[2] else match[1], text)
    text = _AUTO_LINK.sub(lambda match: f"({_plain_target(match[1])})", text)
    return _HTML.sub("&lt;", text)


def _plain_target(target: str) -> str:
    # a space after the scheme keeps the parser from making it a link again
    return target.replace("://", ":/ /").replace("www.", "www .")
