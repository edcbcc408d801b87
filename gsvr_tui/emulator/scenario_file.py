"""Scenarios as YAML files, with errors that name the file and the key."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

import yaml

from gsvr_tui.emulator.scenario import KeySpec, Scenario

T = TypeVar("T")


class ScenarioError(ValueError):
    """A scenario that can't be used: which file, which key, what is wrong."""


def build(cls: type[T], data: Any, where: str) -> T:
    """A scenario dataclass from plain data. Raises ScenarioError; `where` is the path shown in it."""
    if cls is KeySpec and isinstance(data, str):
        data = {"key": data}
    if not isinstance(data, Mapping):
        raise ScenarioError(f"{where}: must be a mapping of settings, not {_kind(data)}")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            close = difflib.get_close_matches(str(name), fields, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; known are: {', '.join(sorted(fields))}"
            raise ScenarioError(f"{where}: unknown setting {name!r}{hint}")
        values[str(name)] = _convert(hints[str(name)], value, f"{where}.{name}")
    missing = [
        name
        for name, field in fields.items()
        if name not in values and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ScenarioError(f"{where}: {' and '.join(missing)} must be given")
    try:
        return cls(**values)
    except ValueError as problem:  # what the dataclass itself refuses
        raise ScenarioError(f"{where}: {problem}") from None


def _kind(value: Any) -> str:
    names = {"str": "text", "NoneType": "nothing", "int": "a number", "float": "a number", "list": "a list"}
    return names.get(type(value).__name__, "a mapping" if isinstance(value, Mapping) else type(value).__name__)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _optional(hint, value, where)
    if origin is tuple:
        items = value if isinstance(value, list) else [value]
        inner = typing.get_args(hint)[0]
        return tuple(_convert(inner, item, f"{where}[{index}]") for index, item in enumerate(items))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise ScenarioError(f"{where}: must be a mapping, not {_kind(value)}")
        key_hint, item_hint = typing.get_args(hint)
        return {_convert(key_hint, k, where): _convert(item_hint, item, f"{where}.{k}") for k, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    return _scalar(hint, value, where)


def _optional(hint: Any, value: Any, where: str) -> Any:
    if value is None:
        return None
    inner = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return _convert(inner, value, where)


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        known = [str(member.value) for member in hint]
        if str(value) in known:
            return hint(str(value))
        close = difflib.get_close_matches(str(value), known, 1)
        raise ScenarioError(
            f"{where}: {value!r} is not known" + (f"; did you mean {close[0]!r}?" if close else f": {', '.join(known)}")
        )
    if hint is bool:
        if isinstance(value, bool):
            return value
        raise ScenarioError(f"{where}: must be true or false, not {_kind(value)}")
    if hint in (int, float):
        if hint is float and isinstance(value, date):
            return _moment(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or (hint is int and value != int(value)):
            raise ScenarioError(f"{where}: must be a {'whole ' if hint is int else ''}number, not {value!r}")
        if value < 0:
            raise ScenarioError(f"{where}: must not be below 0, is {value}")
        return hint(value)
    if not isinstance(value, str):
        raise ScenarioError(f"{where}: must be text, not {_kind(value)}")
    return value


def _moment(value: date) -> float:
    moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check(scenario: Scenario, source: str) -> Scenario:
    names: set[str] = set()
    keys: set[str] = set()
    if not scenario.projects:
        raise ScenarioError(f"{source}: projects must name at least one project")
    for project in scenario.projects:
        if project.name in names:
            raise ScenarioError(f"{source}: projects: two are called {project.name!r}")
        names.add(project.name)
        for spec in project.keys:
            if not spec.key or spec.key in keys:
                raise ScenarioError(f"{source}: projects: {project.name}: a key is empty or used twice")
            keys.add(spec.key)
    for name, chances in (("faults", scenario.faults), ("upload_faults", scenario.upload_faults)):
        if sum(chances.values()) > 1.0:
            raise ScenarioError(f"{source}: {name}: the probabilities add up to more than 1")
    for index, rule in enumerate(scenario.rules):
        if rule.project and rule.project not in names:
            raise ScenarioError(f"{source}: rules[{index}].project: there is no project {rule.project!r}")
    if scenario.time_factor <= 0:
        raise ScenarioError(f"{source}: time_factor: must be above 0")
    return scenario


def read_scenario(text: str, source: str = "scenario") -> Scenario:
    """A scenario from YAML text. Raises ScenarioError."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        raise ScenarioError(f"{source}{line}: is not YAML: {getattr(problem, 'problem', None) or problem}") from None
    return _check(build(Scenario, data, source), source)


def load_scenario(path: Path) -> Scenario:
    """A scenario from a YAML file. Raises ScenarioError naming the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "is not UTF-8 text"
        raise ScenarioError(f"{path}: can't be read: {reason}") from None
    return read_scenario(text, str(path))


def scenario_names() -> list[str]:
    """The scenarios that come with the program."""
    folder = resources.files("gsvr_tui.emulator") / "scenarios"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def built_in_scenario(name: str) -> Scenario:
    """One of them. Raises ScenarioError for an unknown name."""
    if name not in scenario_names():
        raise ScenarioError(f"there is no scenario {name!r}; known are: {', '.join(scenario_names())}")
    entry = resources.files("gsvr_tui.emulator") / "scenarios" / f"{name}.yaml"
    return read_scenario(entry.read_text(encoding="utf-8"), f"{name}.yaml")
