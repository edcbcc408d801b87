"""Changes to the user's config that leave its comments, order and quotes as they are.

Every change is checked as a whole config before it replaces the file; a file that is wrong already is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from gsvr_tui.config import yaml_lines
from gsvr_tui.config.load import load_config, parse_config, read_bytes
from gsvr_tui.config.private_file import write_private
from gsvr_tui.config.problems import ConfigError, Problem
from gsvr_tui.config.schema import Config

Place = str | Sequence[str | int]
"""`"output.directory"`, or a sequence where a name has dots: `("accounts", 0, "limits", "gemini-3.8-flash", "rpm")`."""

_HEADER = """\
# gsvr-tui's settings. Everything is optional; config.yaml.example shows all of it.
# Keys are never written here: an account says where its key lies.
version: 1
"""


def add_account(path: Path, entry: Mapping[str, Any]) -> Config:
    """Append an account: `{name, project, key: {vault: NAME}, …}`. Returns the config as it is now.

    Raises ConfigError when the entry or the file is wrong, also for a name that is there already.
    """
    new = _plain_entry(entry)

    def change(document: Any) -> None:
        document["accounts"] = [*(document.get("accounts") or ()), new]

    return _edit(path, change, lambda text: yaml_lines.append(text, ("accounts",), new))


def remove_account(path: Path, name: str) -> Config:
    """Remove an account. Raises KeyError when there is none of that name."""
    place = ("accounts", _index(path, name))

    def change(document: Any) -> None:
        del document[place[0]][place[1]]

    return _edit(path, change, lambda text: yaml_lines.remove(text, place))


def set_account_value(path: Path, name: str, field: Place, value: Any) -> Config:
    """Set a field of the account called `name`, such as `"enabled"`. Raises KeyError when there is none."""
    return set_value(path, ("accounts", _index(path, name), *_parts(field)), value)


def set_value(path: Path, dotted: Place, value: Any) -> Config:
    """Set one value, making the sections above it. None removes it, which brings the default back."""
    parts = _parts(dotted)
    value = list(value) if isinstance(value, tuple) else value

    def change(document: Any) -> None:
        *above, last = parts
        for part in above:
            if isinstance(part, str) and document.get(part) is None:
                document[part] = {}
            document = document[part]
        if value is None:
            document.pop(last, None)
        else:
            document[last] = value

    def rewrite(text: str) -> str:
        return yaml_lines.remove(text, parts) if value is None else yaml_lines.put(text, parts, value)

    return _edit(path, change, rewrite)


# ---------------------------------------------------------------- the one way in


def _edit(path: Path, change: Callable[[Any], None], rewrite: Callable[[str], str]) -> Config:
    """Change a JSON document by `change`, a YAML text by `rewrite`."""
    before = read_bytes(path)
    if before is not None:
        parse_config(before, str(path))
    text = (before or b"").decode("utf-8-sig")
    if path.suffix.lower() == ".json":
        after = _edit_json(text, change)
    else:
        windows = "\r\n" in text
        try:
            after = rewrite(text.replace("\r\n", "\n") or _HEADER)
        except YAMLError:  # what our reader takes and ruamel does not
            raise _problem(path, "This YAML can't be edited by program; edit it by hand.") from None
        after = after.replace("\n", "\r\n") if windows else after
    data = after.encode("utf-8")
    config = parse_config(data, str(path))
    if data != before:
        if read_bytes(path) != before:
            raise _problem(path, "The file was changed by someone else meanwhile; try again.")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, data)
        except OSError as error:
            raise _problem(path, f"The file can't be written: {error.strerror or 'unknown error'}.") from None
    return config


def _problem(path: Path, what: str) -> ConfigError:
    return ConfigError([Problem(str(path), 0, 0, "", what)])


def _edit_json(text: str, change: Callable[[Any], None]) -> str:
    document = (json.loads(text) if text.strip() else None) or {"version": 1}
    change(document)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


# ---------------------------------------------------------------- steps


def _parts(place: Place) -> tuple[str | int, ...]:
    return tuple(place.split(".")) if isinstance(place, str) else tuple(place)


def _index(path: Path, name: str) -> int:
    for index, account in enumerate(load_config(path).accounts):
        if account.name == name:
            return index
    raise KeyError(name)


def _plain_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry without what says nothing, so that the file stays short."""
    return {
        key: dict(value) if isinstance(value, Mapping) else value
        for key, value in entry.items()
        if value not in (None, "", {}, ())
    }
