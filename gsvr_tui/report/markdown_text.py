"""Makes text of a model harmless in Markdown, and keeps its paragraphs, lists, tables, code and emphasis.

No raw HTML, no images, no embeds, no headings that break the document, no code blocks that a note-taking program would
run, links only to http, https and mailto and with their address in full.
"""

from __future__ import annotations

import re

_PLAIN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$!^=])")
_LEADING = re.compile(r"^(\s*)([-+>]|\d+[.)])(?=\s|$)")


def plain(text: str) -> str:
    """A text on one line in which nothing acts as Markdown: titles, names, speakers."""
    line = " ".join(text.split())
    line = _PLAIN_SPECIAL.sub(r"\\\1", line).replace("&", "&amp;").replace("%%", "%\\%")  # %% hides in Obsidian
    return _LEADING.sub(lambda m: f"{m[1]}{m[2][:-1]}\\{m[2][-1]}", line)


_FENCE = re.compile(r"^\s*(?P<fence>`{3,}(?=[^`]*$)|~{3,})(?P<info>.*)$")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9+#.-]{0,19}")
# What note-taking programs run or embed when a code block is named so.
_ACTIVE = frozenset(
    {
        *("dataview", "dataviewjs", "tasks", "query", "button", "templater", "js-engine", "meta-bind", "run-js"),
        *("html", "embed", "iframe", "customjs", "react", "svelte", "leaflet", "chartsview", "ad", "base"),
    }
)
_RULE = re.compile(r"^\s*(?:=+|-+|(?:\*\s*){3,}|(?:_\s*){3,}|(?:-\s*){3,})\s*$")
_HEADING = re.compile(r"^#{1,6}(?:\s+(?P<text>.*))?$")
_DELIMITERS = re.compile(r"[\s>*+|:\d.)-]+")  # what makes a table of the line before, at its loosest
_CONTAINERS = re.compile(r"^(?:\s*(?:>|(?:[-+*]|\d{1,9}[.)])(?=\s|$)))*\s*")


def block(text: str) -> str:
    """A text of paragraphs, with harmless Markdown in it."""
    tables = any(_DELIMITERS.fullmatch(line) and "-" in line for line in text.splitlines())
    lines: list[str] = []
    code: list[str] | None = None
    fence = info = ""
    for line in text.splitlines():
        opened = _FENCE.match(line)
        if code is None and opened is not None:
            code, fence, info = [], opened["fence"], opened["info"].strip().split(" ")[0]
        elif code is not None and opened is not None and _closes(opened, fence):
            lines.extend(_code(code, info))
            code = None
        elif code is not None:
            code.append(line)
        else:
            lines.append(_line(line, tables))
    if code is not None:
        lines.extend(_code(code, info))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _closes(match: re.Match[str], fence: str) -> bool:
    found = match["fence"]
    return found[0] == fence[0] and len(found) >= len(fence) and not match["info"].strip()


def _code(lines: list[str], info: str) -> list[str]:
    """A code block in a fence of our own, at the margin: where a fence begins must not depend on what is around it."""
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    name = info if _LANGUAGE.fullmatch(info) and info.lower() not in _ACTIVE else ""
    return ["", f"{fence}{name or 'text'}", *lines, fence, ""]


def _line(line: str, tables: bool) -> str:
    line = line.replace("\t", "  ")
    marks = _CONTAINERS.match(line)
    before, rest = (marks.group(), line[marks.end() :]) if marks is not None else ("", line)
    if line.strip() and (_RULE.match(line) or _RULE.match(rest)):
        return before.rstrip(" -=")  # a rule would make a heading of the line before, or front matter
    heading = _HEADING.match(rest)
    if heading is not None:
        words = (heading["text"] or "").strip("#*_ ")
        return f"{before}**{_inline(words, tables)}**" if words else before.rstrip()
    if len(line) - len(line.lstrip(" ")) >= 12:
        line = line.lstrip(" ")
    return _inline(line, tables)


# ---------------------------------------------------------------- within a line

_TICKS = re.compile(r"\\.|`+")
_AUTOLINK = re.compile(r"<(?P<url>(?:https?://|mailto:)[^<>\s\"'`\\]{1,2000})>")
_LINK = re.compile(r"(?P<bang>!?)\[(?P<label>[^\[\]\n]{0,500})\]\(\s*<?(?P<url>[^()\s<>]{0,2000})>?(?:\s+[^()\n]*)?\)")
_ALLOWED_URL = re.compile(r"(?:https?://|mailto:)[^\s<>\"'`\\()]+", re.IGNORECASE)
_TAG = re.compile(r"(?<![\w&/#\\])#(?=[^\W\d_])")


_LINE_START = re.compile(r"^(\d*)([#>=|~+-]|[*](?=\s|$)|(?<=\d)[.)])")


def inline(text: str) -> str:
    """A text on one line, with harmless Markdown within the line only."""
    return _LINE_START.sub(r"\1\\\2", _inline(" ".join(text.split())))


def _inline(line: str, tables: bool = False) -> str:
    """Code spans stay; every run of backticks that closes nothing is escaped, so that no other reader sees code where
    this one saw text.
    """
    pieces: list[str] = []
    text_from = place = 0
    while True:
        match = _TICKS.search(line, place)
        if match is None:
            break
        place = match.end()
        if match.group()[0] == "\\":
            continue
        ticks = match.group()
        close = re.compile(rf"(?<!`){ticks}(?!`)").search(line, match.end())
        pieces.append(_words(line[text_from : match.start()]))
        if close is None:
            pieces.append("\\`" * len(ticks))
            text_from = place
            continue
        span = line[match.end() : close.start()]
        acting = span.lstrip().startswith(("=", "$="))  # inline queries of a note-taking program
        if tables:  # there a bare bar would end the cell before the span does
            span = re.sub(r"\\*\|", r"\|", span)
        pieces.append(plain(span) if acting else f"{ticks}{span}{ticks}")
        text_from = place = close.end()
    pieces.append(_words(line[text_from:]))
    return "".join(pieces)


def _words(text: str) -> str:
    """Text between code spans."""
    kept: list[str] = []
    place = 0
    for match in _links(text):
        kept.append(_escape(text[place : match.start()]))
        kept.append(_link(match))
        place = match.end()
    kept.append(_escape(text[place:]))
    return "".join(kept)


def _links(text: str) -> list[re.Match[str]]:
    found = sorted([*_LINK.finditer(text), *_AUTOLINK.finditer(text)], key=lambda match: match.start())
    kept: list[re.Match[str]] = []
    for match in found:
        if not kept or match.start() >= kept[-1].end():
            kept.append(match)
    return kept


def _link(match: re.Match[str]) -> str:
    groups = match.groupdict()
    url = groups["url"]
    if "label" not in groups:
        return f"<{url}>"
    label = _escape(groups["label"])
    if groups["bang"] or not _ALLOWED_URL.fullmatch(url):
        return label  # pictures would be fetched, other schemes would run something
    return f"<{url}>" if groups["label"].strip() in ("", url) else f"{label} (<{url}>)"


def _escape(text: str) -> str:
    text = text.replace("<", "&lt;")
    text = re.sub(r"\\+$", lambda m: m.group() * 2 if len(m.group()) % 2 else m.group(), text)
    text = (
        text.replace("![", "!\\[")
        .replace("[[", "\\[\\[")
        .replace("](", "]\\(")
        .replace("]:", "]\\:")
        .replace("%%", "%\\%")
        .replace("~~~", "\\~\\~\\~")
    )
    return _TAG.sub(r"\\#", text)
