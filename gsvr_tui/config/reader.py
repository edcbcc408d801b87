"""YAML and JSON of unknown origin read into plain values with the line and column of each.

Built on the parser's events, one pass, no recursion: size, depth and number of values are bounded, anchors, aliases,
tags and duplicate keys are refused before they can do harm. Plain words follow YAML 1.2: `no` is a text, `true` is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml

from gsvr_tui.config.problems import ConfigError, Path, Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 10_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's parser is twenty times as fast
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Any] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _WORDS |= dict.fromkeys((_word, _word.title(), _word.upper()), _value)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content. `key_marks` and `marks` give line and column, from 1, of each name and of each value;
    `ends` the last line of each text, number and bracketed collection."""

    file: str
    value: Any
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    key_marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    ends: dict[Path, int] = field(default_factory=dict)

    def last_line(self, path: Path) -> int:
        """The last line of what stands at `path`, comments after it left out."""
        size = len(path)
        lines = [line for place, line in self.ends.items() if place[:size] == path]
        lines += [line for place, (line, _) in self.key_marks.items() if place[:size] == path]
        return max(lines, default=0)

    def place(self, path: Path, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column of `path`, or of the nearest thing around it that is in the file; (0, 0) when nothing is."""
        first, second = (self.key_marks, self.marks) if of_key else (self.marks, self.key_marks)
        while True:
            mark = first.get(path) or second.get(path)
            if mark or not path:
                return mark or (0, 0)
            path = path[:-1]


def read_document(data: bytes, file: str) -> Document:
    """`data` as YAML, or as JSON when `file` ends in `.json`. An empty file has the value None.

    Raises ConfigError with the place of the first fault.
    """
    text = _decode(data, file)
    return _read_json(text, file) if file.lower().endswith(".json") else _read_yaml(text, file)


def _fault(file: str, line: int, column: int, what: str, instead: str = "", key_path: str = "") -> ConfigError:
    return ConfigError([Problem(file, line, column, key_path, what, instead)])


def _decode(data: bytes, file: str) -> str:
    if len(data) > MAX_BYTES:
        raise _fault(file, 0, 0, f"The file has {len(data):,} bytes; at most {MAX_BYTES:,} are read.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _fault(file, 1, 1, "The file is UTF-16.", "the same text saved as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise _fault(file, line, column, "This is not UTF-8.", "the same text saved as UTF-8") from None
    bad = _UNPRINTABLE.search(text)
    if bad:
        line, column = _line_column(text, bad.start())
        raise _fault(file, line, column, f"There is an invisible character (U+{ord(bad.group()):04X}); remove it.")
    return text


def _line_column(text: str, index: int) -> tuple[int, int]:
    return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1


# ---------------------------------------------------------------- YAML


def _read_yaml(text: str, file: str) -> Document:
    builder = _Builder(file)
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        quote = "quoted scalar" in (error.context or "")  # where it opens says more than where the file ends
        mark = (error.context_mark if quote else error.problem_mark) or error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise _fault(file, line, column, *_say_syntax(error, text, line)) from None
    except yaml.YAMLError:
        raise _fault(file, 0, 0, "This is not YAML.") from None
    return builder.document


def _events(text: str) -> Iterator[Any]:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()


def _say_syntax(error: yaml.MarkedYAMLError, text: str, line: int) -> tuple[str, str]:
    """The parser's problem in words; never with a piece of the file, which may be a key."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "The line is indented with a tab; YAML wants spaces.", "spaces in place of the tab"
    problem = (error.problem or "").split("'")[0]
    if "mapping values are not allowed" in problem:
        return "There is a second ': ' in this line, or the indentation is wrong.", 'the text in "double quotes"'
    if "could not find expected" in problem:
        return "A ':' after a name is missing here or just above.", "name: value"
    if "expected <block end>" in problem:
        return "The indentation does not fit the lines above.", "all names of one section with the same indentation"
    if "quoted scalar" in (error.context or ""):
        return "A quoted text is not closed.", "the closing quote (\" or ')"
    if "cannot start any token" in problem:
        return "A text can't begin with this character.", 'the text in "double quotes"'
    return "This is not YAML: the structure breaks here.", "name: value, one a line, indented with spaces"


class _Builder:
    """Makes values of events; a stack of open lists and mappings in place of recursion."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.document = Document(file, None)
        self._open: list[tuple[Any, Path]] = []
        self._name: list[str | None] = []  # per open mapping: the name whose value comes next
        self._count = 0
        self._documents = 0

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._fault(event, "A second document begins here ('---'); one is expected.")
        elif isinstance(event, yaml.AliasEvent):
            raise self._fault(event, "Aliases (*name) are not read.", "the values themselves")
        elif isinstance(event, yaml.ScalarEvent):
            self._refuse_anchor(event)
            if self._open and isinstance(self._open[-1][0], dict) and self._name[-1] is None:
                self._start_pair(event)
            else:
                self._put(self._scalar(event), event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._refuse_anchor(event)
            self._start_collection(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            _, path = self._open.pop()
            self._name.pop()
            start, end = cast(yaml.Mark, event.start_mark), cast(yaml.Mark, event.end_mark)
            if end.index > start.index:  # a closing bracket; blocks end without a sign
                self.document.ends[path] = end.line + 1

    def _fault(self, event: Any, what: str, instead: str = "", path: str = "") -> ConfigError:
        mark = event.start_mark
        return _fault(self._file, mark.line + 1, mark.column + 1, what, instead, path)

    def _refuse_anchor(self, event: Any) -> None:
        if event.anchor:
            raise self._fault(event, "Anchors (&name) are not read.", "the values themselves")
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise self._fault(event, "Tags (!name) are not read.", "the plain value")

    def _start_pair(self, event: Any) -> None:
        mapping, path = self._open[-1]
        name = event.value
        if name in mapping:
            line = self.document.key_marks.get((*path, name), (0, 0))[0]
            shown = name if len(name) <= 40 and name.isidentifier() else "this name"
            raise self._fault(event, f"{shown} is there twice, first in line {line}; remove one.")
        self._name[-1] = name
        self.document.key_marks[(*path, name)] = (event.start_mark.line + 1, event.start_mark.column + 1)

    def _start_collection(self, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise self._fault(event, f"The nesting is deeper than {MAX_DEPTH} levels.")
        if self._open and isinstance(self._open[-1][0], dict) and self._name[-1] is None:
            raise self._fault(event, "A list or section can't be a name.", "name: value")
        collection: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._put(collection, event)
        self._open.append((collection, path))
        self._name.append(None)

    def _put(self, value: Any, event: Any) -> Path:
        """Attach `value` to what is open; returns its path."""
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._fault(event, f"There are more than {MAX_VALUES:,} values.")
        path: Path
        if not self._open:
            path = ()
            self.document = Document(
                self._file, value, self.document.marks, self.document.key_marks, self.document.ends
            )
        else:
            parent, above = self._open[-1]
            if isinstance(parent, dict):
                name = self._name[-1]
                assert name is not None  # noqa: S101 (a value follows its name in the event stream)
                path = (*above, name)
                parent[name] = value
                self._name[-1] = None
            else:
                path = (*above, len(parent))
                parent.append(value)
        self.document.marks[path] = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            start, end = cast(yaml.Mark, event.start_mark), cast(yaml.Mark, event.end_mark)
            # a block text ends where the next line begins
            self.document.ends[path] = end.line if end.column == 0 and end.line > start.line else end.line + 1
        return path

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if event.tag or not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        return text


# ---------------------------------------------------------------- JSON


def _read_json(text: str, file: str) -> Document:
    twice: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if len(result) < len(items):
            names = [name for name, _ in items]
            twice.extend(name for name in result if names.count(name) > 1)
        return result

    if not text.strip():
        return Document(file, None)
    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        raise _fault(file, error.lineno, error.colno, f"This is not JSON: {error.msg}.") from None
    except (RecursionError, ValueError):  # ValueError: a number with thousands of digits
        raise _fault(file, 0, 0, "This JSON is nested too deep or holds a monstrous number.") from None
    try:
        marked = _read_yaml(text, file)  # JSON is YAML, nearly: read again for the marks
    except ConfigError as error:
        limits = ("there twice", "nesting is deeper", "There are more than")
        if any(words in error.problems[0].what for words in limits):
            raise
        if twice:
            raise _fault(file, 0, 0, "A name is there twice in one section; remove one.") from None
        _check_size(value, file)
        return Document(file, value)  # valid JSON that YAML does not read, such as some escapes: no marks
    return Document(file, value, marked.marks, marked.key_marks, marked.ends)


def _check_size(value: Any, file: str) -> None:
    """The limits of YAML for what only JSON could read."""
    depth, count, level = 0, 0, [value]
    while level:
        depth += 1
        count += len(level)
        if depth > MAX_DEPTH + 1 or count > MAX_VALUES:
            raise _fault(file, 0, 0, f"There are more than {MAX_VALUES:,} values or {MAX_DEPTH} levels.")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below
