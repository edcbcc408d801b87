"""Reads the packaged model catalogue and the user's additions to it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from gsvr_tui.core.catalogue import Catalogue, CatalogueError, catalogue_from

_MAX_BYTES = 1 << 20


class _PlainLoader(yaml.SafeLoader):
    """Safe YAML without anchors (alias bombs) and without silently lost duplicate keys."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.constructor.ConstructorError(None, None, "anchors and aliases are not allowed", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is there twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


def _read(text: str, place: str) -> Mapping[str, Any]:
    if len(text) > _MAX_BYTES:
        raise CatalogueError(f"{place}: larger than 1 MiB")
    try:
        loaded = yaml.load(text, _PlainLoader)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{place}:{mark.line + 1}:{mark.column + 1}" if mark else place
        raise CatalogueError(f"{where}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CatalogueError(f"{place}: not readable as YAML: {error}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, Mapping):
        raise CatalogueError(f"{place}: expected a mapping with the key 'models'")
    return loaded


def load_catalogue(user_file: Path | None = None) -> Catalogue:
    """The packaged catalogue; models of `user_file` are added to it, their keys override those of the same id.

    A user file that does not exist is no error. Raises CatalogueError with file, line or key of what is wrong.
    """
    packaged = _read(files("gsvr_tui.data").joinpath("models.yaml").read_text("utf-8"), "models.yaml")
    if user_file is None:
        return catalogue_from(packaged)
    try:
        text = user_file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return catalogue_from(packaged)
    except UnicodeDecodeError:
        raise CatalogueError(f"{user_file}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise CatalogueError(f"{user_file}: not readable: {error.strerror}") from None
    own = _read(text, str(user_file))
    added = own.get("models") or {}
    if not isinstance(added, Mapping):
        raise CatalogueError(f"{user_file}: models: expected a mapping of model ids")
    stray = [str(key) for key in own if key not in ("models", "dated")]
    if stray:
        raise CatalogueError(f"{user_file}: unknown key {stray[0]!r}; models are listed under 'models:'")
    models: dict[str, Any] = dict(packaged["models"])
    for name, entry in added.items():
        before = models.get(name)
        if isinstance(before, Mapping) and isinstance(entry, Mapping):
            models[name] = {**before, **entry}
        else:
            models[name] = entry
    try:
        return catalogue_from({"dated": own.get("dated") or packaged["dated"], "models": models})
    except CatalogueError as error:
        raise CatalogueError(f"{user_file}: {error}") from None
