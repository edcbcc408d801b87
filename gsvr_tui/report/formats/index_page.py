"""The page over a batch: every video with its verdict and links to its files. No script, no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.formats.extras import BatchEntry, BatchView
from gsvr_tui.report.formats.page import asset, environment, policy
from gsvr_tui.report.formats.tables import best_link
from gsvr_tui.report.formats.words import word
from gsvr_tui.report.render_html import shown_verdict
from gsvr_tui.report.template_model import is_language

_ORDER = ("ok", "repaired", "partial", "faulty", "rejected", "none")


@dataclass(frozen=True, slots=True)
class _Row:
    folder: str
    name: str
    verdict: str
    word: str
    note: str
    covered: str
    duration: str
    link: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    rows: Iterator[_Row]


@dataclass(frozen=True, slots=True)
class _Sum:
    verdict: str
    word: str
    count: int


def write_index(view: BatchView, out: BinaryIO) -> None:
    """The page; entries in the batch's order, with a heading for each folder."""
    counts: Counter[str] = Counter(_verdict(entry) for entry in view.entries())
    total, done = counts.total(), counts.total() - counts["none"]
    style = asset("report.css") + "\n" + asset("index.css")
    language = view.language
    facts = [word("reports_of", language).format(done=done, total=total), view.template, view.model]
    rows = (_row(entry, language) for entry in view.entries())
    stream = (
        environment()
        .get_template("index.html")
        .stream(
            lang=language if is_language(language) else "und",
            policy=policy(style),
            style=style,
            title=clean_text(view.name) or view.id,
            created=view.created_at[:10],
            facts=[clean_text(fact) for fact in facts if fact],
            sums=[_Sum(v, word(f"list_{v}", language), counts[v]) for v in _ORDER if counts[v]],
            groups=(_Group(folder, found) for folder, found in groupby(rows, lambda row: row.folder)),
            words={key: word(key, language) for key in ("video", "verdict", "covered", "duration", "report")},
        )
    )
    stream.enable_buffering(200)
    for piece in stream:
        out.write(piece.encode("utf-8", "replace"))


def _verdict(entry: BatchEntry) -> str:
    if entry.report is None:
        return "none"
    verdict = shown_verdict(entry.report)
    return verdict if verdict in _ORDER else "faulty"


def _row(entry: BatchEntry, language: str) -> _Row:
    report = entry.report
    folder, _, name = clean_text(entry.name).replace("\\", "/").rpartition("/")
    verdict = _verdict(entry)
    note = entry.reason if report is None else report.title
    return _Row(
        folder=folder,
        name=name,
        verdict=verdict,
        word=word(f"list_{verdict}", language),
        note=clean_text(note),
        covered=f"{min(report.gate.covered, 1.0):.0%}" if report is not None else "",
        duration=format_time(report.source.duration_s) if report is not None else "",
        link=best_link(entry),
        links=tuple(entry.links.items()),
    )
