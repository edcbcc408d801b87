"""A YAML text changed where it has to be, every other line left as it is, comments included.

Round-trip libraries tie a comment to the value before it: adding to a section puts the new line below the comment of
the next section, removing takes that comment along. So lines are added and removed by the places our reader knows;
ruamel.yaml replaces single values and does what is written in brackets. Texts are valid for our reader and
have `\\n` line ends.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from gsvr_tui.config.problems import Path
from gsvr_tui.config.reader import Document, read_document

_MISSING = object()
_STEP = 2


def put(text: str, path: Path, value: Any) -> str:
    """`text` with `value` at `path`, sections above it made where they are missing."""
    document = read_document(text.encode(), "")
    if _value(document, path) is not _MISSING:
        return _by_ruamel(text, path, value)
    depth = len(path) - 1
    while depth and _value(document, path[:depth]) is _MISSING:
        depth -= 1
    new: Any = value
    for name in reversed(path[depth + 1 :]):
        new = {name: new}
    place = _room_in(document, text, path[:depth])
    if place is None:
        return _by_ruamel(text, path, value)
    line, indent = place
    return _insert(text, line, indent, _dump({path[depth]: new}))


def append(text: str, path: Path, item: Mapping[str, Any]) -> str:
    """`text` with `item` as the last of the list at `path`."""
    document = read_document(text.encode(), "")
    items = _value(document, path)
    if items is _MISSING:
        return put(text, path, [dict(item)])
    if items is None:
        line, column = document.key_marks[path]
        return _insert(text, line, column - 1 + _STEP, _dump([dict(item)]))
    dash = _dash(text, document.marks[(*path, len(items) - 1)]) if items else None
    if dash is None:
        return _by_ruamel(text, path, [*items, dict(item)])
    return _insert(text, _own_end(document, text, (*path, len(items) - 1), dash), dash, _dump([dict(item)]))


def remove(text: str, path: Path) -> str:
    """`text` without what stands at `path`; the same text when there is nothing."""
    document = read_document(text.encode(), "")
    if _value(document, path) is _MISSING:
        return text
    if isinstance(path[-1], int):
        first, column = document.marks[path]
        indent = _dash(text, (first, column))
    else:
        first, column = document.key_marks[path]
        indent = column - 1 if not text.split("\n")[first - 1][: column - 1].strip() else None
    if indent is None:
        return _by_ruamel(text, path, None)
    lines = text.split("\n")
    del lines[first - 1 : _own_end(document, text, path, indent)]
    return "\n".join(lines)


def _value(document: Document, path: Path) -> Any:
    value = document.value
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _room_in(document: Document, text: str, path: Path) -> tuple[int, int] | None:
    """After which line and how far indented a new name goes in the section at `path`; None: it is in brackets."""
    section = _value(document, path)
    if section is None:
        if not path:  # nothing but comments
            return len(text.rstrip("\n").split("\n")) if text.strip() else 0, 0
        line, column = document.key_marks[path]
        return line, column - 1 + _STEP
    if not isinstance(section, dict) or not section:
        return None
    names = [(*path, name) for name in section]
    columns = {document.key_marks[name][1] for name in names}
    lines = {document.key_marks[name][0] for name in names}
    if len(columns) > 1 or len(lines) < len(names) or _in_brackets(document, path):
        return None
    indent = columns.pop() - 1
    return _own_end(document, text, names[-1], indent), indent


def _in_brackets(document: Document, path: Path) -> bool:
    return any(path[:size] in document.ends for size in range(len(path) + 1))


def _own_end(document: Document, text: str, path: Path, indent: int) -> int:
    """The last line of `path` and of the comments right below it that are indented further than it."""
    lines = text.split("\n")
    end = document.last_line(path)
    while end < len(lines) and re.match(rf" {{{indent + 1},}}#", lines[end]):
        end += 1
    return end


def _dash(text: str, mark: tuple[int, int]) -> int | None:
    """The indentation of a list item's dash when nothing but the dash is before the item."""
    line, column = mark
    match = re.fullmatch(r"( *)- +", text.split("\n")[line - 1][: column - 1])
    return len(match[1]) if match else None


def _insert(text: str, after: int, indent: int, block: str) -> str:
    lines = text.split("\n")
    new = [" " * indent + line if line else line for line in block.rstrip("\n").split("\n")]
    if after >= len(lines) and lines[-1]:
        new.append("")  # the file had no last line end
    lines[after:after] = new
    return "\n".join(lines)


# ---------------------------------------------------------------- ruamel


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # no line is broken that was not
    yaml.indent(mapping=_STEP, sequence=2 + _STEP, offset=_STEP)
    return yaml


def _dump(value: Any) -> str:
    """A new piece of a document. A section of one plain value in a list item, such as a key's place, is in braces."""
    stream = io.StringIO()
    yaml = _yaml()
    if isinstance(value, list):
        yaml.indent(mapping=_STEP, sequence=2, offset=0)
    yaml.dump(_styled(value, in_list=False), stream)
    return stream.getvalue()


def _styled(value: Any, *, in_list: bool) -> Any:
    if isinstance(value, Mapping):
        result = CommentedMap((name, _styled(item, in_list=in_list)) for name, item in value.items())
        for item in result.values() if in_list else ():
            if isinstance(item, CommentedMap) and not any(isinstance(below, CommentedMap) for below in item.values()):
                item.fa.set_flow_style()
        return result
    if isinstance(value, list | tuple):
        items = CommentedSeq(_styled(item, in_list=True) for item in value)
        if not any(isinstance(item, CommentedMap) for item in items):
            items.fa.set_flow_style()
        return items
    return value


def _by_ruamel(text: str, path: Path, value: Any) -> str:
    """`text` with `value` at `path` (None: removed), by ruamel.yaml, which is shown no more than the one section."""
    document = read_document(text.encode(), "")
    first, column = document.key_marks.get(path[:1], (0, 0))
    if column != 1 or () in document.ends:
        return _edit_whole(text, path, value)
    lines = text.split("\n")
    last = document.last_line(path[:1])
    section = _edit_whole("\n".join([*lines[first - 1 : last], ""]), path, value)
    return "\n".join([*lines[: first - 1], *section.rstrip("\n").split("\n"), *lines[last:]])


def _edit_whole(text: str, path: Path, value: Any) -> str:
    yaml = _yaml()
    dashes = re.search(r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)- ", text, re.MULTILINE)
    if dashes:
        offset = max(0, len(dashes[2]) - len(dashes[1]))
        yaml.indent(mapping=_STEP, sequence=offset + 2, offset=offset)
    document = yaml.load(text)
    node = document
    for part in path[:-1]:
        if isinstance(part, str) and node.get(part) is None:
            node[part] = CommentedMap()
        node = node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = _styled(value, in_list=False)
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()
