"""Closes a JSON document that breaks off, behind its last complete entry."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[{}\[\],]', re.DOTALL)
MAX_DEPTH = 60


def close_cut_json(text: str) -> str | None:
    """`text` cut after the last complete element of a list or value of an object, with its brackets closed.

    None when there is no complete element. Nothing is invented: an entry that broke off is left out whole.
    """
    closers: list[str] = []
    safe: tuple[int, str] | None = None  # where to cut, and what closes it there
    for match in _TOKEN.finditer(text):
        mark = match.group()
        if mark in "{[":
            closers.append("}" if mark == "{" else "]")
            if len(closers) > MAX_DEPTH:
                return None
        elif mark in "}]":
            if not closers or closers.pop() != mark:
                break  # not cut, but wrong
            if not closers:
                return None  # complete: what is wrong with it is not its end
            if len(closers) <= 2:
                safe = match.end(), "".join(reversed(closers))
        elif mark == "," and len(closers) == 1:
            safe = match.start(), "".join(reversed(closers))
    return text[: safe[0]] + safe[1] if safe is not None else None
