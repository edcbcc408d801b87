"""Keys written into a file in plain text: found wherever they stand, refused, never echoed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gsvr_tui.config.problems import Path, Problem, show_path
from gsvr_tui.config.reader import Document

_KEY = re.compile(r"AIza[\w-]{20,}|AQ\.[\w.-]{16,}")
_VARIABLE = re.compile(r"(?:\$\{?|env:\s*)([A-Z_][A-Z0-9_]{0,60})\}?")
_KEY_NAMES = frozenset(
    {"apikey", "apikeys", "googleapikey", "geminiapikey", "googlegeminiapikey", "key", "keys", "secret", "token"}
    | {"password", "passphrase", "clientsecret", "accesstoken", "refreshtoken"}
)
_PREDECESSOR = {
    ("google_api", "api_key"): "accounts:, one entry with key: {env: GEMINI_API_KEY}",
    ("multi_api_keys", "api_keys"): "accounts:, one entry for each key, each with key: {vault: NAME}",
    ("api_keys",): "accounts:, one entry for each key, each with key: {vault: NAME}",
    ("api_key",): "accounts:, one entry with key: {env: GEMINI_API_KEY}",
}
_INSTEAD = "key: {env: VARIABLE}, {keyring: NAME} or {vault: NAME}; `gsvr-tui accounts add NAME` puts the key there"


def looks_like_key(text: str) -> bool:
    """True when `text` holds something with the shape of a Gemini key. False says nothing: shapes change."""
    return _KEY.search(text) is not None


def find(document: Document) -> list[Problem]:
    """One problem for every place that holds, or was made to hold, a plain key."""
    problems: list[Problem] = []
    for path, value in _walk(document.value, ()):
        found = _judge(path, value)
        if found:
            what, instead, shown = found
            line, column = document.place(path, of_key=True)
            problems.append(Problem(document.file, line, column, show_path(shown), what, instead))
    return problems


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every value with its path. Depth is bounded by the reader."""
    yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _walk(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*path, index))


def _judge(path: Path, value: Any) -> tuple[str, str, Path] | None:
    name = path[-1] if path else ""
    if isinstance(name, str) and looks_like_key(name):
        return "A key stands here in plain text as a name.", _INSTEAD, path[:-1]
    if any(isinstance(part, str) and looks_like_key(part) for part in path):
        return None  # said at the name above
    for old, instead in _PREDECESSOR.items():
        if path == old:
            return f"gs_videoReport keeps keys here in plain text; gsvr-tui does not. {_moved()}", instead, path
        if path[: len(old)] == old:
            return None  # said above
    named_for_keys = isinstance(name, str) and _plain(name) in _KEY_NAMES and path[0] != "keymap"
    if isinstance(value, str):
        if looks_like_key(value):
            return f"A key stands here in plain text. {_moved()}", _INSTEAD, path
        if named_for_keys:
            variable = _VARIABLE.fullmatch(value.strip())
            if variable:
                return "A variable is named in another way.", f"key: {{env: {variable[1]}}}", path
            return f"A key is not written into the config. {_moved()}", _INSTEAD, path
    elif named_for_keys and name != "key" and value is not None:
        return "Keys are not written into the config.", _INSTEAD, path
    return None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()


def _moved() -> str:
    return "Take it out; if others could read this file, make a new key."
