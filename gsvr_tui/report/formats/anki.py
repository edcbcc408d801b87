"""Cards for Anki: terms, and questions with answers. Imported again, the same cards are updated, not doubled."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from gsvr_tui.core.text import clean_text, format_time, slug
from gsvr_tui.report.document import Report, ReportItem
from gsvr_tui.report.formats.extras import Extras, NothingToRender
from gsvr_tui.report.formats.pick import cards_of
from gsvr_tui.report.formats.rich_text import html_text, to_html
from gsvr_tui.report.formats.zips import fixed_zip

_MODEL_ID = 1_731_606_273
"""Of our card type, forever: Anki knows it again by it."""
_STYLE = """.card { font: 20px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 34em; margin: 1em auto;
  padding: 0 1em; text-align: left; }
.front { font-weight: 600; text-align: center; }
.source { margin-top: 1.5em; font-size: 14px; opacity: 0.65; }"""


def render_anki(report: Report, extras: Extras) -> bytes:
    """An `.apkg` file. Raises NothingToRender when the report has neither terms nor questions."""
    import genanki

    cards = cards_of(report)
    if not cards:
        raise NothingToRender("this report has neither terms nor questions to make cards of")
    title = " ".join(clean_text(report.title).replace("::", ": ").split())[:80] or "report"
    name = f"gsvr-tui::{title}"
    deck = genanki.Deck(_number(f"deck {report.gsvr_id}"), name, description=html_text(clean_text(report.source.name)))
    seen: Counter[str] = Counter()
    for section, item in cards:
        key = f"{section} {' '.join(item.title.casefold().split())}"
        seen[key] += 1
        deck.add_note(
            genanki.Note(
                model=_model(),
                fields=[html_text(clean_text(item.title)), _back(item), _source(report, item)],
                tags=["gsvr-tui", slug(report.template)],
                guid=_guid(f"{report.gsvr_id} {key} {seen[key]}"),
            )
        )
    with tempfile.TemporaryDirectory(prefix="gsvr-") as folder:
        path = Path(folder) / "cards.apkg"
        genanki.Package(deck).write_to_file(path, timestamp=_made(report))
        return fixed_zip(path.read_bytes())


def _back(item: ReportItem) -> str:
    return to_html(clean_text(item.text, newlines=True))


def _source(report: Report, item: ReportItem) -> str:
    at = f" · {format_time(item.start_s)}" if item.start_s is not None else ""
    return html_text(clean_text(report.source.name) + at)


@cache
def _model() -> Any:
    import genanki

    return genanki.Model(
        _MODEL_ID,
        "gsvr-tui card",
        fields=[{"name": "Front"}, {"name": "Back"}, {"name": "Source"}],
        templates=[
            {
                "name": "Card",
                "qfmt": '<div class="front">{{Front}}</div>',
                "afmt": '{{FrontSide}}<hr id="answer"><div class="back">{{Back}}</div>'
                '<div class="source">{{Source}}</div>',
            }
        ],
        css=_STYLE,
    )


def _number(text: str) -> int:
    """A stable id in the range Anki uses."""
    return (1 << 30) + int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:4], "big") % (1 << 30)


def _guid(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


def _made(report: Report) -> float:
    """When the answer came: stands for the moment of writing, so that the file is always the same."""
    try:
        return datetime.fromisoformat(report.provenance.created_at).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0
