"""The page: nothing runs in it but our script, nothing is fetched, and it shows what the report says."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.config.package_data import data_text
from gsvr_tui.report.document import GateRecord, MissingRange, Report, ReportItem, ReportSection
from gsvr_tui.report.formats.extras import Picture
from gsvr_tui.report.formats.rich_text import to_html, to_inline_html
from gsvr_tui.report.render import render

from .conftest import HOSTILE, make_report

VOID = {"meta", "img", "br", "hr"}


class Page(HTMLParser):
    """All tags with their attributes, the text outside of scripts, and whether every tag is closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.blocks: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.blocks:
            self.blocks[self.open[-1]].append(data)
        else:
            self.text += data


ALLOWED = {
    *("html", "head", "meta", "title", "style", "body", "div", "header", "p", "h1", "h2", "h3", "span", "strong", "em"),
    *("svg", "defs", "pattern", "rect", "a", "aside", "video", "nav", "ol", "ul", "li", "main", "section", "dl", "dt"),
    *("dd", "article", "img", "footer", "script", "code", "pre", "blockquote", "table", "thead", "tbody", "tr", "th"),
    *("td", "br", "hr", "s"),
}


def check_harmless(page: Page, *, scripts: int = 1) -> None:
    assert not page.open
    assert len(page.blocks["script"]) == scripts
    for tag, attributes in page.tags:
        assert tag in ALLOWED
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name not in ("style", "srcdoc", "action", "formaction", "xlink:href", "background", "ping")
            if name == "href":
                assert re.match(r"(#|\./|\.\./|file:///|https?://|mailto:)", value), value
            if name == "src":
                assert re.match(r"(data:image/jpeg;base64,|\.\./)", value), value


def page_of(report: Report, **options: object) -> Page:
    return Page(render(report, "html", video_href="../a.mp4", **options).decode("utf-8"))  # type: ignore[arg-type]


def test_a_hostile_report_is_a_harmless_page(hostile_report: Report) -> None:
    page = page_of(hostile_report)
    check_harmless(page)
    assert "<script>alert(1)</script>" in page.text  # shown as it was written


@given(st.lists(st.sampled_from([*HOSTILE, "<", ">", '"', "'", "&", "`", "```", "\n", "[", "](", "|"]), max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_hostile_texts_gets_through(parts: list[str]) -> None:
    text = "".join(parts)
    item = ReportItem("e1", text, text, 1.0, 2.0, text)
    check_harmless(page_of(make_report((ReportSection("s", text, "items", "", (item,)),), title=text)))
    for fragment in (to_html(text), to_inline_html(text)):
        check_harmless(Page(fragment), scripts=0)


def test_the_policy_allows_exactly_our_style_and_script(lesson_report: Report) -> None:
    page = page_of(lesson_report)
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256("".join(page.blocks[kind]).encode()).digest()).decode()
        assert rules[f"{kind}-src"] == f"'sha256-{digest}'"
    assert "http:" not in policy
    assert "unsafe" not in policy


def test_our_own_style_and_script_hold_nothing_that_ends_them() -> None:
    for name in ("report.css", "report.js", "index.css"):
        assert "</" not in data_text("report", name)
        assert "http" not in data_text("report", name)


def test_times_are_links_into_the_video_and_the_player_is_beside_them(lesson_report: Report) -> None:
    page = page_of(lesson_report)
    times = [a for tag, a in page.tags if tag == "a" and a.get("class") == "time"]
    assert [(a["href"], a["data-t"]) for a in times][:3] == [
        ("../a.mp4#t=0", "0"),
        ("../a.mp4#t=20", "20"),
        ("../a.mp4#t=44", "44"),
    ]
    assert next(a["src"] for tag, a in page.tags if tag == "video") == "../a.mp4"


@pytest.mark.parametrize("href", ["javascript:alert(1)", "https://evil.example/a.mp4", "//evil.example/a", "data:x"])
def test_a_video_is_only_taken_from_beside_the_page_or_this_machine(lesson_report: Report, href: str) -> None:
    text = render(lesson_report, "html", video_href=href).decode()
    assert 'src="file:///videos/Physics/02%20Sky.mp4"' in text
    assert "evil" not in text
    assert "javascript:" not in text


def test_contents_language_verdict_gaps_and_findings_are_there(lesson_report: Report) -> None:
    page = page_of(lesson_report)
    assert next(a["lang"] for tag, a in page.tags if tag == "html") == "en"
    anchors = {a["id"] for _, a in page.tags if "id" in a}
    targets = [a["href"][1:] for tag, a in page.tags if tag == "a" and a["href"].startswith("#")]
    assert len(targets) == 5
    assert set(targets) <= anchors
    assert "Checked: no faults found." in page.text
    gate = GateRecord("partial", 0.8, missing=(MissingRange(60.0, 75.0),))
    chinese = page_of(make_report(lesson_report.sections, language="zh-Hans", gate=gate))
    assert "未覆盖的时间段" in chinese.text
    assert "01:00–01:15" in chinese.text
    assert next(a["class"] for tag, a in chinese.tags if "verdict" in a.get("class", "")) == "verdict partial"
    assert [a["fill"] for tag, a in chinese.tags if a.get("fill")] == ["url(#gap)"]


def test_key_frames_are_inside_the_page(lesson_report: Report) -> None:
    picture = Picture(20.8, b"\xff\xd8\xff\xe0", 320, 180)
    page = page_of(lesson_report, pictures={"e0002": picture, "e0010": picture, "gone": picture})
    shown = [a for tag, a in page.tags if tag == "img"]
    assert [(a["src"], a["width"]) for a in shown] == [("data:image/jpeg;base64,/9j/4A==", "320")]
    bad = Picture(0.0, b"x", 1, 1, 'image/svg+xml"><script>')
    assert not [tag for tag, _ in page_of(lesson_report, pictures={"e0002": bad}).tags if tag == "img"]


def test_markdown_keeps_its_form_on_the_page() -> None:
    assert to_html("a **b** `c < d`") == "<p>a <strong>b</strong> <code>c &lt; d</code></p>"
    assert "<table>" in to_html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    assert "style" not in to_html("| a | b |\n|:--|--:|\n| 1 | 2 |")
    link = to_html("[x](https://e.org/?a=1&b=2)")
    assert 'href="https://e.org/?a=1&amp;b=2" rel="noopener noreferrer nofollow"' in link
