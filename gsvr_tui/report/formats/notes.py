"""Markdown as two note-taking programs like it: Obsidian (properties, callouts, its own links) and Logseq (blocks)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.extras import Extras
from gsvr_tui.report.labels import label
from gsvr_tui.report.markdown_text import block, inline, plain
from gsvr_tui.report.render_html import shown_verdict, verdict_text
from gsvr_tui.report.render_markdown import file_href, time_link

_NO_NAME = re.compile(r'[*"\\/<>:|?#^\[\]{}%\x00-\x1f]')


def _speakers(report: Report) -> list[str]:
    names = (clean_text(item.speaker).strip() for section in report.sections for item in section.items)
    return list(dict.fromkeys(name for name in names if name))[:50]


def _tag(text: str) -> str:
    word = re.sub(r"[^\w/-]+", "-", clean_text(text)).strip("-/") or "report"
    return f"t-{word}" if word[0].isdigit() else word


def _missing(report: Report) -> str:
    ranges = ", ".join(f"{format_time(gap.start_s)}–{format_time(gap.end_s)}" for gap in report.gate.missing)
    return f"{label('missing', report.language)}: {ranges}" if ranges else ""


def _problems(report: Report) -> Iterator[str]:
    for finding in report.gate.findings:
        if finding.level != "pass":
            level = label("fail" if finding.level == "fail" else "warn", report.language)
            place = f" ({plain(clean_text(finding.place))})" if finding.place else ""
            yield f"{level}, {plain(clean_text(finding.check))}{place}: {plain(clean_text(finding.message))}"


# ---------------------------------------------------------------- Obsidian

_CALLOUTS = {"ok": "success", "repaired": "success", "partial": "warning", "faulty": "warning", "rejected": "danger"}


def render_obsidian(report: Report, extras: Extras) -> bytes:
    """A note: flat properties of constant types, the verdict as a callout, entries that can be linked to."""
    href = extras.video_href if extras.video_href is not None else file_href(report.source.path)
    video = _vault_name(extras.video_href)
    lines = [*_properties(report, video), "", f"# {plain(report.title)}", ""]
    verdict = shown_verdict(report)
    lines.append(f"> [!{_CALLOUTS.get(verdict, 'warning')}] {plain(verdict_text(report))}")
    if report.gate.missing:
        lines.append(f"> **{plain(_missing(report))}**")
    if video:
        lines += ["", f"![[{video}]]"]
    for section in report.sections:
        lines += ["", f"## {plain(section.title)}", ""]
        lines += [block(section.text)] if section.kind == "text" else _obsidian_items(section, href, video)
        while lines and not lines[-1]:
            lines.pop()
    problems = list(_problems(report))
    if problems:
        lines += ["", f"> [!note]- {label('findings', report.language)}", *(f"> - {line}" for line in problems)]
    return ("\n".join(lines).strip("\n") + "\n").encode("utf-8", "replace")


def _vault_name(href: str | None) -> str:
    """The video's name, when it lies near the note and Obsidian can link to it."""
    if href is None or not href.startswith(("./", "../")):
        return ""
    try:
        name = unquote(href.rsplit("/", 1)[-1], errors="strict")
    except UnicodeDecodeError:
        return ""
    return name if clean_text(name) == name and not _NO_NAME.search(name) else ""


def _properties(report: Report, video: str) -> list[str]:
    def text(value: str) -> str:
        return json.dumps(clean_text(value), ensure_ascii=False)

    made = report.provenance
    created = made.created_at.removesuffix("Z")
    stamp = created if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", created) else text(created)
    speakers = _speakers(report)
    return [
        "---",
        f"title: {text(report.title)}",
        "aliases:",
        f"  - {text(report.title)}",
        "tags:",
        f"  - {text('gsvr/' + _tag(report.template))}",
        "cssclasses:",
        '  - "gsvr-report"',
        f"created: {stamp}",
        f"source: {text(report.source.name)}",
        *([f"video: {text(f'[[{video}]]')}"] if video else []),
        f"duration: {round(report.source.duration_s, 1)}",
        f"language: {text(report.language)}",
        f"model: {text(made.model_version or made.model)}",
        f"template: {text(f'{report.template} {report.template_version}')}",
        f"verdict: {text(report.gate.verdict)}",
        f"covered: {round(report.gate.covered, 4)}",
        *(["speakers:", *(f"  - {text(name)}" for name in speakers)] if speakers else []),
        f"gsvr_id: {text(report.gsvr_id)}",
        "---",
    ]


def _obsidian_items(section: ReportSection, href: str, video: str) -> Iterator[str]:
    for item in section.items:
        time = _obsidian_time(item, href, video)
        mark = f" ^{item.id}" if re.fullmatch(r"[A-Za-z0-9-]{1,40}", item.id) else ""
        if section.kind == "terms":
            head = " ".join(filter(None, (f"- **{plain(item.title)}**", time)))
            yield (f"{head}: {inline(item.text)}" if item.text else head) + mark
            continue
        name = f"**{plain(item.speaker)}:**" if item.speaker else f"**{plain(item.title)}**" if item.title else ""
        head = " ".join(filter(None, (time, name)))
        if section.kind == "transcript" and "\n" not in item.text:
            yield f"{head} {inline(item.text)}".strip() + mark
        else:
            yield head + (mark if head else "")
            yield ""
            yield block(item.text)
        yield ""


def _obsidian_time(item: ReportItem, href: str, video: str) -> str:
    if item.start_s is None or not video:
        return time_link(item, href)
    start = f"{item.start_s:.3f}".rstrip("0").rstrip(".")
    shown = format_time(item.start_s)
    if item.end_s is not None and item.end_s > item.start_s:
        end = f"{item.end_s:.3f}".rstrip("0").rstrip(".")
        return f"[[{video}#t={start},{end}|{shown}–{format_time(item.end_s)}]]"
    return f"[[{video}#t={start}|{shown}]]"


# ---------------------------------------------------------------- Logseq


def render_logseq(report: Report, extras: Extras) -> bytes:
    """A page of blocks: properties in the first, everything else as bullets within bullets."""
    href = extras.video_href if extras.video_href is not None else file_href(report.source.path)
    made = report.provenance
    lines = [
        f"alias:: {_value(report.title)}",
        f"tags:: gsvr/{_tag(report.template)}",
        f"created:: {_value(made.created_at)}",
        f"source:: {_value(report.source.name)}",
        f"duration:: {round(report.source.duration_s, 1)}",
        f"language:: {_value(report.language)}",
        f"model:: {_value(made.model_version or made.model)}",
        f"template:: {_value(f'{report.template} {report.template_version}')}",
        f"verdict:: {_value(report.gate.verdict)}",
        f"covered:: {round(report.gate.covered, 4)}",
        f"gsvr_id:: {_value(report.gsvr_id)}",
        "",
        f"- {_calm(plain(verdict_text(report)))}",
    ]
    if report.gate.missing:
        lines.append(f"- **{plain(_missing(report))}**")
    lines.append(f"- {{{{video {href}}}}}")
    for section in report.sections:
        lines.append(f"- ## {_calm(plain(section.title))}")
        if section.kind == "text":
            lines += _blocks(section.text, 1)
        for item in section.items:
            lines += _logseq_item(item, section, href)
    problems = list(_problems(report))
    if problems:
        lines.append(f"- ## {label('findings', report.language)}")
        lines += [f"\t- {_calm(line)}" for line in problems]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _value(text: str) -> str:
    """A property's value: commas would make a list of it, brackets and hashes links to pages."""
    words = " ".join(clean_text(text).split()).replace(",", "，")
    return re.sub(r"([\[\]#`<])", r"\\\1", _calm(words)) or "-"


def _calm(text: str) -> str:
    """No property, macro, block reference, query or task of Logseq's can begin in it."""
    text = text.replace("::", ":\u2009:").replace("{{", "{ {").replace("((", "( (").replace("}}", "} }")
    text = re.sub(r"#\+", "# +", text)
    text = re.sub(r"^(\s*)(SCHEDULED|DEADLINE|CLOCK)(?=:)", r"\1\2 ", text)
    return re.sub(r"^(\s*)(TODO|DOING|NOW|LATER|DONE|WAITING|WAIT|IN-PROGRESS|CANCELL?ED)(?=\s)", r"\1\\\2", text)


def _logseq_item(item: ReportItem, section: ReportSection, href: str) -> Iterator[str]:
    time = time_link(item, href)
    title = _calm(plain(item.speaker + ":" if item.speaker else item.title))
    head = " ".join(filter(None, (time, f"**{title}**" if title else "")))
    short = section.kind != "items" and "\n" not in item.text
    if short:
        yield "\t- " + " ".join(filter(None, (head, _calm(inline(item.text)))))
        return
    if head:
        yield f"\t- {head}"
    yield from _blocks(item.text, 2 if head else 1)


def _blocks(text: str, depth: int) -> Iterator[str]:
    """Paragraphs and list entries as bullets; the lines of a code block stay one."""
    indent = "\t" * depth
    fence = ""
    begun = False
    for line in block(text).split("\n"):
        mark = re.match(r"(\s*)(?:[-*+]|\d+[.)])\s+(.*)", line) if not fence else None
        if fence:
            yield f"{indent}  {line if line.startswith(fence) else _calm(line)}"
            if line == fence:
                fence, begun = "", False
        elif line.startswith("```"):
            fence = re.match(r"`+", line)[0]  # type: ignore[index]
            yield f"{indent}- {line}"
        elif not line.strip():
            begun = False
        elif mark is not None:
            yield f"{indent}{chr(9) * min(3, len(mark[1]) // 2 + 1)}- {_calm(mark[2])}"
            begun = False
        else:
            yield f"{indent}{'  ' if begun else '- '}{_calm(line.strip())}"
            begun = True
