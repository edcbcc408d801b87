"""What the schema objects to, in words, with the place in the file and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gsvr_tui.config.plain_keys import looks_like_key
from gsvr_tui.config.problems import Path, Problem, show_path
from gsvr_tui.config.reader import Document
from gsvr_tui.config.schema import SECTIONS

_MOST = 20  # a file of another program gives hundreds

_PREDECESSOR = {
    "google_api": "model: NAME and accounts:",
    "multi_api_keys": "accounts:",
    "qa_testing": "output: {directory: …}; videos are named on the command line",
    "default_output_path": "output: {directory: …}",
    "default_prompt_template": "template: NAME",
    "auth_type": "nothing; keys are the only way in",
    "oauth": "nothing; keys are the only way in",
    "video_processing": "nothing; every format that can be opened is used",
    "api_config": "nothing; waiting and retrying are computed",
    "output_config": "output: {formats: […]}",
    "error_handling": "nothing; waiting and retrying are computed",
    "batch_processing": "workers: auto",
    "templates": "template: NAME",
    "processing": "nothing; waiting and retrying are computed",
    "video": "nothing; videos of any length are taken",
    "model_name": "model: NAME",
    "default_model": "model: NAME",
    "default_template": "template: NAME",
    "parallel_workers": "workers: NUMBER",
    "max_concurrent_keys": "nothing; all accounts are used at once",
    "logging": "log: {level: info}",
    "performance": "workers: auto",
    "monitoring": "nothing; quotas are watched by themselves",
    "advanced": "fallback_models: [NAME]",
    "alerts": "nothing; the screens show it",
}


def problems(document: Document, errors: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """The schema's errors as problems, in the order of the file, each place once, at most twenty."""
    found: dict[Path, Problem] = {}
    for error in errors:
        path = _real_path(document, tuple(error["loc"]), error["type"])
        what, instead = _say(document, path, error)
        line, column = document.place(path, of_key=error["type"] == "extra_forbidden")
        shown = show_path(tuple("…" if isinstance(part, str) and looks_like_key(part) else part for part in path))
        found.setdefault(path, Problem(document.file, line, column, shown[:120], what, instead))
    ordered = sorted(found.values(), key=lambda problem: (problem.line, problem.column))
    if len(ordered) > _MOST:
        rest = len(ordered) - _MOST
        ordered = [*ordered[:_MOST], Problem(document.file, 0, 0, "", f"There are {rest} more problems.")]
    return ordered


def same_names(document: Document, names: Sequence[str]) -> list[Problem]:
    """A problem for every account whose name another one has already."""
    result = []
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in first:
            line, column = document.place(("accounts", index, "name"))
            what = f"The account of line {document.place(('accounts', first[name]))[0]} has this name too."
            path = show_path(("accounts", index, "name"))
            result.append(Problem(document.file, line, column, path, what, "another name"))
        first.setdefault(name, index)
    return result


def _real_path(document: Document, location: Path, kind: str) -> Path:
    """Pydantic's location without what is not in the file, such as the names of a union's members."""
    if kind == "missing":
        return location
    value = document.value
    for depth, part in enumerate(location):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return location[:depth]
    return location


def _say(document: Document, path: Path, error: Mapping[str, Any]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx") or {}
    value = _value(document, path)
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return _say_unknown(path)
    if kind == "missing":
        return f"{name} is missing.", _EXAMPLES.get(name, f"{name}: …")
    if kind == "gsvr":
        return str(context["what"]), str(context["instead"])
    if kind == "literal_error":
        names = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        near = difflib.get_close_matches(str(value).lower(), names, 1, 0.5)
        return f"{_shown(value)} is not one of {', '.join(names)}.", near[0] if near else f"one of {', '.join(names)}"
    if kind in ("greater_than_equal", "less_than_equal"):
        least, most = context.get("ge"), context.get("le")
        bound = f"at least {least:g}" if least is not None else f"at most {most:g}"
        return f"{_shown(value)} is out of range; the number is {bound}.", f"{name}: a number, {bound}"
    expected, example = _EXPECTED.get(kind, ("something else", ""))
    return f"{expected.capitalize()} is expected here, not {_kind_of(value)}.", _EXAMPLES.get(name, example)


_EXPECTED = {
    "string_type": ("a text", '"text in quotes"'),
    "bool_type": ("true or false", "true or false"),
    "int_type": ("a whole number", "a whole number"),
    "float_type": ("a number", "a number such as 5.00"),
    "finite_number": ("a number", "a number such as 5.00"),
    "tuple_type": ("a list", "[one, two]"),
    "dict_type": ("a section with names", "name: value, indented below"),
    "mapping_type": ("a section with names", "name: value, indented below"),
    "model_type": ("a section with names", "name: value, indented below"),
    "model_attributes_type": ("a section with names", "name: value, indented below"),
}
_EXAMPLES = {
    "key": "key: {env: VARIABLE}, {keyring: NAME} or {vault: NAME}",
    "name": "name: a short name such as main",
    "workers": "workers: auto, or a number from 1 to 64",
    "formats": "formats: [markdown, json]",
    "accounts": "accounts: a list; each entry begins with - name: …",
}


def _value(document: Document, path: Path) -> Any:
    value = document.value
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value:g}"
    names: tuple[tuple[type, str], ...] = ((str, "a text"), (list, "a list"), (dict, "a section"))
    return next((name for kind, name in names if isinstance(value, kind)), "this")


def _shown(value: Any) -> str:
    """A value only when it can't be a key: short, one word or a number."""
    if isinstance(value, str) and re.fullmatch(r"[\w-]{1,16}", value):
        return f'"{value}"'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    return "This"


def _say_unknown(path: Path) -> tuple[str, str]:
    name = str(path[-1])
    if len(path) == 1 and name in _PREDECESSOR:
        return "This is a setting of gs_videoReport.", _PREDECESSOR[name]
    place = _place(path[:-1])
    known = list(SECTIONS[place].model_fields) if place in SECTIONS else []
    plain = re.sub(r"[\s-]", "_", name).lower()
    near = difflib.get_close_matches(plain, known, 1, 0.6)
    if near:
        return "There is no such setting.", near[0]
    for other, model in SECTIONS.items():
        if other != place and "*" not in other and plain in model.model_fields:
            home = f"{plain} under {other[0]}:" if other else f"{plain} at the left margin, outside of any section"
            return "This setting has another place.", home
    return f"There is no such setting; here are: {', '.join(known)}.", "one of these, or remove the line"


def _place(path: Path) -> tuple[str, ...]:
    """A path with `*` where any index or free name may stand."""
    place: list[str] = []
    for part in path:
        free = isinstance(part, int) or (len(place) == 3 and place[-1] == "limits")
        place.append("*" if free else str(part))
    return tuple(place)
