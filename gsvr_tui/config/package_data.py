"""Files that come with the program, and the user's own that go before them.

In a wheel everything lies in `gsvr_tui/data`; in a checkout `themes/` and `config.yaml.example` lie at its top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import gsvr_tui
from gsvr_tui.config.load import read_bytes
from gsvr_tui.config.places import Places
from gsvr_tui.config.problems import ConfigError, Problem
from gsvr_tui.config.reader import read_document

_EXAMPLE = "config.yaml.example"
_YAML = (".yaml", ".yml")
_CHECKOUT_TOP = frozenset({"themes", _EXAMPLE})


def data_file(*parts: str) -> Traversable:
    """A packaged file or folder by its path below `data/`. Raises FileNotFoundError when there is none."""
    found = files("gsvr_tui.data").joinpath(*parts)
    if not (found.is_file() or found.is_dir()) and parts[0] in _CHECKOUT_TOP:
        found = Path(gsvr_tui.__file__).parent.parent.joinpath(*parts)
    if not (found.is_file() or found.is_dir()):
        raise FileNotFoundError(f"not in the package: {'/'.join(parts)}")
    return found


def data_text(*parts: str) -> str:
    """A packaged text file's content."""
    return data_file(*parts).read_text(encoding="utf-8")


def example_config() -> str:
    """The commented example of a config."""
    return data_text(_EXAMPLE)


def layered_files(folder: str, own: Path, suffixes: tuple[str, ...] = _YAML) -> dict[str, Traversable | Path]:
    """Files by stem: those packaged in `data/<folder>`, with the user's own from `own` in front; sorted by stem."""
    found: dict[str, Traversable | Path] = {}
    for file in _listed(data_file(folder), suffixes):
        found[Path(file.name).stem] = file
    if own.is_dir():
        for file in _listed(own, suffixes):
            found[Path(file.name).stem] = file
    return dict(sorted(found.items()))


def read_themes(places: Places) -> tuple[list[tuple[str, Mapping[str, Any]]], list[Problem]]:
    """All themes by name, and the problems of those that can't be read: a broken one takes no other with it."""
    themes: list[tuple[str, Mapping[str, Any]]] = []
    problems: list[Problem] = []
    for name, file in layered_files("themes", places.themes).items():
        try:
            data = read_bytes(file) if isinstance(file, Path) else file.read_bytes()
            value = read_document(data or b"", str(file)).value
            if not isinstance(value, dict):
                raise ConfigError([Problem(str(file), 1, 1, "", "A theme is a list of settings.", "name: value")])
        except ConfigError as error:
            problems.extend(error.problems)
        else:
            themes.append((name, value))
    return themes, problems


def theme_files(places: Places) -> list[tuple[str, Mapping[str, Any]]]:
    """Name and content of every theme that can be read; a user's own goes before a packaged one of its name."""
    return read_themes(places)[0]


def _listed(folder: Traversable | Path, suffixes: tuple[str, ...]) -> Iterator[Traversable | Path]:
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(suffixes) and not file.name.startswith(".") and file.is_file():
            yield file
