"""The page over a batch."""

from __future__ import annotations

from collections.abc import Callable

from gsvr_tui.report.document import GateRecord, MissingRange, Report
from gsvr_tui.report.formats.extras import BatchView

from .conftest import make_report
from .test_html import Page, check_harmless

Write = Callable[[str, BatchView], bytes]


def test_every_video_is_listed_with_its_verdict_and_links(
    lesson_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    gap = GateRecord("partial", 0.8, missing=(MissingRange(60.0, 75.0),))
    view = batch_of(lesson_report, make_report(lesson_report.sections, gate=gap))
    page = Page(written("index", view).decode("utf-8"))
    check_harmless(page, scripts=0)
    assert "2 of 3 with a report" in page.text
    assert [a["class"] for tag, a in page.tags if tag == "span" and a.get("class", "").startswith("chip")] == [
        *("chip ok", "chip partial", "chip none"),
        *("chip ok", "chip partial", "chip none"),
    ]
    links = [a["href"] for tag, a in page.tags if tag == "a"]
    assert links == ["./r0.html", "./r0.md", "./r0.html", "./r1.html", "./r1.md", "./r1.html"]
    assert "no picture in it" in page.text


def test_hostile_names_and_reasons_are_harmless(
    hostile_report: Report, batch_of: Callable[..., BatchView], written: Write
) -> None:
    view = batch_of(hostile_report, name="<script>alert(1)</script>", reason='"><img src=x onerror=alert(1)>')
    page = Page(written("index", view).decode("utf-8"))
    check_harmless(page, scripts=0)
    assert "<script>alert(1)</script>" in page.text
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "script-src" not in policy
