"""A report as Markdown: properties first (as Obsidian reads them), then what a person reads, with times to click on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.labels import label
from gsvr_tui.report.markdown_text import block, inline, plain


def file_href(path: str) -> str:
    """A `file:` address of an absolute path, also of one that is not UTF-8."""
    slashed = path.replace("\\", "/") if re.match(r"[A-Za-z]:[\\/]", path) else path
    return "file://" + ("" if slashed.startswith("/") else "/") + quote_path(slashed)


def quote_path(path: str) -> str:
    """Percent-encoded, with slashes and a drive's colon kept."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/:" if re.match(r"[A-Za-z]:/", path) else "/")


def render_markdown(report: Report, video_href: str | None = None) -> bytes:
    """The document as Markdown. `video_href`: percent-encoded link to the video; None: a `file:` address."""
    href = video_href if video_href is not None else file_href(report.source.path)
    lines = [*_properties(report), "", f"# {plain(report.title)}", "", *_verdict(report)]
    if len(report.sections) > 1:
        lines += ["", f"**{label('contents', report.language)}**", ""]
        lines += [f"- [{plain(section.title)}](#{_anchor(section.title)})" for section in report.sections]
    for section in report.sections:
        lines += ["", f"## {plain(section.title)}", "", *_section(section, href)]
        while lines and not lines[-1]:
            lines.pop()
    lines += _findings(report)
    return ("\n".join(lines).strip("\n") + "\n").encode("utf-8", "replace")


# ---------------------------------------------------------------- properties


def _quoted(text: str) -> str:
    """A YAML double-quoted text: JSON's are ones."""
    return json.dumps(clean_text(text), ensure_ascii=False)


def _tag(text: str) -> str:
    word = re.sub(r"[^\w/-]+", "-", text).strip("-/") or "report"
    return f"t-{word}" if word[0].isdigit() else word


def _properties(report: Report) -> list[str]:
    """Flat, each name always of the same type, so that a whole vault can be queried."""
    return [
        "---",
        f"title: {_quoted(report.title)}",
        "tags:",
        f"  - {_quoted('gsvr/' + _tag(report.template))}",
        f"created: {_quoted(report.provenance.created_at.removesuffix('Z'))}",
        f"source: {_quoted(report.source.name)}",
        f"duration: {round(report.source.duration_s, 1)}",
        f"language: {_quoted(report.language)}",
        f"model: {_quoted(report.provenance.model_version or report.provenance.model)}",
        f"template: {_quoted(f'{report.template} {report.template_version}')}",
        f"verdict: {_quoted(report.gate.verdict)}",
        f"covered: {round(report.gate.covered, 4)}",
        f"gsvr_id: {_quoted(report.gsvr_id)}",
        "---",
    ]


# ---------------------------------------------------------------- body


def _verdict(report: Report) -> list[str]:
    language = report.language
    covered = f"{min(report.gate.covered, 1.0):.0%}"
    made = label("made", language).format(
        model=plain(clean_text(report.provenance.model_version or report.provenance.model)),
        name=plain(clean_text(report.source.name)),
        duration=format_time(report.source.duration_s),
    )
    word = "faulty" if report.gate.verdict == "partial" and not report.gate.missing else report.gate.verdict
    lines = [f"> {label(word, language).format(covered=covered)}", f"> {made}"]
    if report.gate.missing:
        ranges = ", ".join(f"{format_time(gap.start_s)}–{format_time(gap.end_s)}" for gap in report.gate.missing)
        lines.insert(1, f"> **{label('missing', language)}: {ranges}**")
    return lines


def _anchor(title: str) -> str:
    """The address of a heading, as most readers make it."""
    return quote(re.sub(r"[^\w\- ]", "", clean_text(title).lower()).replace(" ", "-"))


def _section(section: ReportSection, href: str) -> Iterator[str]:
    if section.kind == "text":
        yield block(section.text)
        return
    for item in section.items:
        if section.kind == "transcript":
            yield from _spoken(item, href)
        elif section.kind == "terms":
            yield _term(item, href)
        else:
            yield from _entry(item, href)


def time_link(item: ReportItem, href: str) -> str:
    """`[01:23](video#t=83)`, or both ends of a span; empty without a time."""
    if item.start_s is None:
        return ""
    shown, fragment = format_time(item.start_s), _fragment(item.start_s)
    if item.end_s is not None and item.end_s > item.start_s:
        shown, fragment = f"{shown}–{format_time(item.end_s)}", f"{fragment},{_fragment(item.end_s)}"
    return f"[{shown}]({href}#t={fragment})"


def _fragment(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def _entry(item: ReportItem, href: str) -> Iterator[str]:
    head = " · ".join(filter(None, (time_link(item, href), f"**{plain(item.title)}**" if item.title else "")))
    if head:
        yield head
        yield ""
    if item.text:
        yield block(item.text)
        yield ""


def _spoken(item: ReportItem, href: str) -> Iterator[str]:
    link = ReportItem(item.id, start_s=item.start_s)
    speaker = f"**{plain(item.speaker)}:** " if item.speaker else ""
    text = block(item.text)
    between = "\n\n" if text.startswith("```") else ""  # a fence must begin its line
    yield f"{time_link(link, href)} {speaker}{between}{text}".strip()
    yield ""


def _term(item: ReportItem, href: str) -> str:
    head = " ".join(filter(None, (f"- **{plain(item.title)}**" if item.title else "-", time_link(item, href))))
    return f"{head}: {inline(item.text)}" if item.text else head


# ---------------------------------------------------------------- findings


def _findings(report: Report) -> list[str]:
    found = [finding for finding in report.gate.findings if finding.level != "pass"]
    if not found:
        return []
    lines = ["", f"## {label('findings', report.language)}", ""]
    for finding in found:
        level = label("fail" if finding.level == "fail" else "warn", report.language)
        place = f" ({plain(clean_text(finding.place))})" if finding.place else ""
        lines.append(f"- {level}, {plain(finding.check)}{place}: {plain(clean_text(finding.message))}")
    return lines
