"""A report as one HTML file: reads well on screen, in the dark and on paper, asks no network, runs only our script."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from markupsafe import Markup

from gsvr_tui.core.text import clean_text, format_bytes, format_time, format_usd
from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.formats.extras import Extras, Picture
from gsvr_tui.report.formats.page import asset, environment, policy
from gsvr_tui.report.formats.pick import chapters_of
from gsvr_tui.report.formats.rich_text import to_html, to_inline_html
from gsvr_tui.report.formats.words import word
from gsvr_tui.report.labels import label
from gsvr_tui.report.render_markdown import file_href
from gsvr_tui.report.template_model import is_language

_SIGNS = {"ok": "✓", "repaired": "✓", "partial": "!", "faulty": "!", "rejected": "✕"}
_IMAGE = re.compile(r"image/(?:jpeg|webp|png)")
_ANCHOR = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def render_html(report: Report, extras: Extras) -> bytes:
    """The document as a page."""
    language = report.language
    href = _safe_href(extras.video_href) or file_href(report.source.path)
    style, script = asset("report.css"), asset("report.js")
    timeline = list(_timeline(report, href))
    verdict = shown_verdict(report)
    page = (
        environment()
        .get_template("report.html")
        .render(
            lang=language if is_language(language) else "und",
            policy=policy(style, script),
            style=style,
            script=script,
            id=clean_text(report.gsvr_id),
            title=clean_text(report.title),
            source_name=clean_text(report.source.name),
            facts=facts(report),
            verdict=verdict,
            sign=_SIGNS.get(verdict, "!"),
            verdict_text=verdict_text(report),
            missing=[f"{format_time(gap.start_s)}–{format_time(gap.end_s)}" for gap in report.gate.missing],
            timeline=timeline,
            gaps=[_bar(gap.start_s, gap.end_s, report, "") for gap in report.gate.missing] if timeline else [],
            video=href,
            poster=_poster(report, extras),
            sections=[_section(section, n, href, extras) for n, section in enumerate(report.sections, 1)],
            findings=list(_findings(report)),
            about=list(about(report)),
            passed=_passed(report),
            words={
                **{key: label(key, language) for key in ("contents", "missing", "findings")},
                **{key: word(key, language) for key in ("about", "no_player", "timeline")},
            },
        )
    )
    return page.encode("utf-8", "replace")


def shown_verdict(report: Report) -> str:
    """The verdict as shown: a partial report with nothing missing is faulty."""
    return "faulty" if report.gate.verdict == "partial" and not report.gate.missing else report.gate.verdict


def verdict_text(report: Report) -> str:
    """The verdict in words, in the report's language."""
    verdict = shown_verdict(report)
    known = verdict if verdict in _SIGNS else "faulty"
    return label(known, report.language).format(covered=f"{min(report.gate.covered, 1.0):.0%}")


def _safe_href(href: str | None) -> str | None:
    """A relative link or a `file:` address; anything else is no place of a video."""
    return href if href is not None and re.match(r"(?:file://|\./|\.\./)", href) else None


def _fragment(seconds: float) -> str:
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


# ---------------------------------------------------------------- head


def facts(report: Report) -> list[str]:
    """What the head says in one line: length, model, day."""
    made = report.provenance
    facts = [format_time(report.source.duration_s), made.model_version or made.model, made.created_at[:10]]
    return [clean_text(fact) for fact in facts if fact]


@dataclass(frozen=True, slots=True)
class _Bar:
    x: str
    width: str
    label: str
    shade: str = ""
    href: str = ""
    at: str = ""


def _bar(start: float, end: float, report: Report, title: str, shade: str = "", href: str = "") -> _Bar:
    whole = max(report.source.duration_s, 0.001)
    left, right = (min(max(at / whole, 0.0), 1.0) * 1000 for at in (start, end))
    shown = f"{format_time(start)}–{format_time(end)} {clean_text(title)}".strip()
    return _Bar(f"{left:.1f}", f"{max(right - left, 1.0):.1f}", shown, shade, href, _fragment(start))


def _timeline(report: Report, href: str) -> Iterator[_Bar]:
    chapters = chapters_of(report)
    if len(chapters) < 2 or report.source.duration_s <= 0:
        return
    following = [*chapters[1:], None]
    for item, after, shade in zip(chapters, following, cycle("ab"), strict=False):
        start = item.start_s or 0.0
        end = item.end_s
        if end is None or end <= start:
            end = after.start_s if after is not None and after.start_s is not None else report.source.duration_s
        yield _bar(start, end, report, item.title, shade, f"{href}#t={_fragment(start)}")


# ---------------------------------------------------------------- body


@dataclass(frozen=True, slots=True)
class _Shown:
    src: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True, slots=True)
class _Entry:
    anchor: str
    title: str
    body: Markup
    speaker: str
    time: str = ""
    end: str = ""
    at: str = ""
    until: str = ""
    href: str = ""
    picture: _Shown | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    anchor: str
    title: str
    kind: str
    body: Markup
    entries: tuple[_Entry, ...]
    times: bool


def _html(text: str) -> Markup:
    return Markup(to_html(clean_text(text, newlines=True)))  # noqa: S704 – of a renderer that escapes


def _section(section: ReportSection, number: int, href: str, extras: Extras) -> _Section:
    language_kind = section.kind if section.kind in ("text", "items", "transcript", "terms") else "items"
    entries = tuple(_entry(item, section, href, extras) for item in section.items)
    body = _html(section.text) if section.kind == "text" else Markup()
    times = any(entry.time for entry in entries)
    return _Section(f"s{number}", clean_text(section.title), language_kind, body, entries, times)


def _entry(item: ReportItem, section: ReportSection, href: str, extras: Extras) -> _Entry:
    one_line = section.kind == "terms"
    text = clean_text(item.text, newlines=True)
    body = Markup(to_inline_html(text)) if one_line else _html(text)  # noqa: S704 – of a renderer that escapes
    anchor = item.id if _ANCHOR.fullmatch(item.id) else ""
    entry = (anchor, clean_text(item.title), body, clean_text(item.speaker))
    if item.start_s is None:
        return _Entry(*entry)
    at = _fragment(item.start_s)
    shown_end = item.end_s is not None and item.end_s > item.start_s and section.kind != "transcript"
    end = format_time(item.end_s) if shown_end and item.end_s is not None else ""
    picture = _picture(extras.pictures.get(item.id), section)
    until = _fragment(item.end_s) if item.end_s is not None else ""
    return _Entry(*entry, format_time(item.start_s), end, at, until, f"{href}#t={at}", picture)


def _picture(picture: Picture | None, section: ReportSection) -> _Shown | None:
    if picture is None or section.kind != "items" or not _IMAGE.fullmatch(picture.mime):
        return None
    return _Shown(_data_uri(picture), picture.width, picture.height, format_time(picture.at_s))


def _poster(report: Report, extras: Extras) -> str:
    """The first picture: shown until the video is, or in its place."""
    items = (item for section in report.sections if section.kind == "items" for item in section.items)
    first = next((extras.pictures[item.id] for item in items if item.id in extras.pictures), None)
    return _data_uri(first) if first is not None and _IMAGE.fullmatch(first.mime) else ""


def _data_uri(picture: Picture) -> str:
    return f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode('ascii')}"


# ---------------------------------------------------------------- foot


def _findings(report: Report) -> Iterator[dict[str, str]]:
    for finding in report.gate.findings:
        if finding.level == "pass":
            continue
        level = "fail" if finding.level == "fail" else "warn"
        yield {
            "level": level,
            "word": label(level, report.language),
            "check": clean_text(finding.check),
            "place": clean_text(finding.place),
            "message": clean_text(finding.message),
        }


def _passed(report: Report) -> str:
    passed = [clean_text(finding.check) for finding in report.gate.findings if finding.level == "pass"]
    if not passed:
        return ""
    return word("checks_passed", report.language).format(count=len(passed)) + ": " + ", ".join(passed)


def about(report: Report) -> Iterator[tuple[str, str]]:
    """Name and value of what is known about the making of the report."""
    source, made, language = report.source, report.provenance, report.language
    codecs = ", ".join(filter(None, (source.video_codec, source.audio_codec)))
    size = format_bytes(source.size_bytes) if source.size_bytes else ""
    tokens = word("tokens_of", language).format(input=f"{made.tokens_in:,}", output=f"{made.tokens_out:,}")
    rows = (
        ("file", ", ".join(filter(None, (source.name, size, codecs)))),
        ("duration", format_time(source.duration_s)),
        ("model", made.model_version or made.model),
        ("template", f"{report.template} {report.template_version}"),
        ("requests", str(made.requests)),
        ("tokens", tokens if made.tokens_in or made.tokens_out else ""),
        ("cost", format_usd(made.cost_usd)),
        ("created", made.created_at),
        ("id", report.gsvr_id),
    )
    for key, value in rows:
        if value:
            yield word(key, language), clean_text(value)
