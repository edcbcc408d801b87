"""Rendered Markdown shows what was written, and nothing in it can act on the reader's program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gsvr_tui.core.text import parse_time
from gsvr_tui.report.assemble import PartAnswer, build_report, judge_parts
from gsvr_tui.report.document import (
    GateRecord,
    MissingRange,
    Provenance,
    Report,
    ReportFinding,
    ReportItem,
    ReportSection,
    SourceFile,
)
from gsvr_tui.report.markdown_text import block, inline, plain
from gsvr_tui.report.render import UnknownFormat, render
from gsvr_tui.report.template_model import Template


def report(sections: tuple[ReportSection, ...], **changes: Any) -> Report:
    whole = Report(
        gsvr_id="0abcdefghjkmn",
        title="Why the sky is blue",
        language="en",
        template="comprehensive_lesson",
        template_version="2.0",
        source=SourceFile("course/a b#1.mp4", "/videos/course/a b#1.mp4", 4000.0),
        sections=sections,
        provenance=Provenance("gemini-x", created_at="2026-11-24T10:00:00Z"),
        gate=GateRecord("ok"),
    )
    return replace(whole, **changes)


def text_of(value: Report, **options: Any) -> str:
    return render(value, "markdown", **options).decode("utf-8")


TEXT = ReportSection("overview", "Overview", "text", "One.\n\nTwo.")


def test_the_same_report_gives_the_same_bytes(lesson: Template, make_text: Callable[..., str]) -> None:
    def made() -> Report:
        gate = judge_parts([PartAnswer(make_text(lesson, 300.0))], lesson, 300.0).gate
        return build_report("j", gate, lesson, SourceFile("a.mp4", "/a.mp4", 300.0), Provenance("m"))

    for fmt in ("markdown", "json"):
        assert render(made(), fmt) == render(made(), fmt)


def test_properties_are_flat_of_constant_types_and_quoted() -> None:
    value = report((TEXT,), title='A "title": #1\u202e\n---', language="zh-Hans")
    text = text_of(value)
    assert text.startswith("---\n")
    properties = yaml.safe_load(text.split("---\n")[1])
    assert properties["title"] == 'A "title": #1 ---'
    assert properties["gsvr_id"] == "0abcdefghjkmn"
    assert (properties["duration"], properties["covered"], properties["verdict"]) == (4000.0, 1.0, "ok")
    assert properties["tags"] == ["gsvr/comprehensive_lesson"]
    assert properties["created"] == "2026-11-24T10:00:00"
    assert all(not isinstance(entry, dict) for entry in properties.values())


def test_times_are_links_into_the_video_and_read_back_the_same() -> None:
    times = [0.0, 83.0, 83.5, 3599.0, 3600.0, 3999.0]
    items = tuple(ReportItem(f"e{n:04d}", "Point", "Text.", t) for n, t in enumerate(times))
    text = text_of(report((ReportSection("points", "Points", "items", items=items),)))
    links = re.findall(r"\[([\d:]+)\]\((\S+?)#t=([\d.]+)\)", text)
    assert [parse_time(shown) for shown, _, _ in links] == [0, 83, 83, 3599, 3600, 3999]
    assert [float(at) for _, _, at in links] == times
    assert {href for _, href, _ in links} == {"file:///videos/course/a%20b%231.mp4"}
    assert "](../a%20b.mp4#t=83)" in text_of(
        report((ReportSection("p", "P", "items", items=items),)), video_href="../a%20b.mp4"
    )


def test_a_span_shows_both_ends_and_a_transcript_its_speakers() -> None:
    spoken = ReportItem("e0001", "", "Hello *there*.", 5.0, 9.0, "Dr. _X_")
    chapter = ReportItem("e0002", "Start", "", 0.0, 61.0)
    term = ReportItem("e0003", "ozone", "A gas.\nBlue.", 3.0)
    text = text_of(
        report(
            (
                ReportSection("t", "Said", "transcript", items=(spoken,)),
                ReportSection("c", "Chapters", "items", items=(chapter,)),
                ReportSection("g", "Terms", "terms", items=(term,)),
            )
        )
    )
    assert r"[00:05](file:///videos/course/a%20b%231.mp4#t=5) **Dr. \_X\_:** Hello *there*." in text
    assert "[00:00–01:01](file:///videos/course/a%20b%231.mp4#t=0,61) · **Start**" in text
    assert "- **ozone** [00:03](file:///videos/course/a%20b%231.mp4#t=3): A gas. Blue." in text


def test_what_is_wrong_with_a_report_is_said_above_and_below_in_its_language() -> None:
    gate = GateRecord(
        "partial",
        0.874,
        (
            ReportFinding("coverage", "fail", "nothing is said of 10:00–20:00", "chapters"),
            ReportFinding("seen", "pass", "ok"),
        ),
        (MissingRange(600.0, 1200.0),),
    )
    text = text_of(report((TEXT,), gate=gate))
    assert "> Incomplete: 87% of the video is covered" in text
    assert "> **Not covered: 10:00–20:00**" in text
    assert text.rstrip().endswith("- fault, coverage (chapters): nothing is said of 10:00–20:00")
    chinese = text_of(report((TEXT,), gate=gate, language="zh-Hans"))
    assert "不完整" in chinese
    assert "## 检查结果" in chinese
    faulty = replace(gate, missing=(), covered=1.0)
    assert "> Parts of this are faulty" in text_of(report((TEXT,), gate=faulty))
    assert "Checked: no faults found." in text_of(report((TEXT,)))
    assert "What the check found" not in text_of(report((TEXT,)))


def test_contents_lead_to_the_sections() -> None:
    text = text_of(report((TEXT, replace(TEXT, id="b", title="画面 Content: two"))))
    assert "- [Overview](#overview)" in text
    assert "](#%E7%94%BB%E9%9D%A2-content-two)" in text


def test_json_is_the_document() -> None:
    value = report((TEXT,))
    assert json.loads(render(value, "json")) == value.to_dict()


def test_an_unknown_format_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownFormat, match="markdown, json"):
        render(report((TEXT,)), "pdf")


# ---------------------------------------------------------------- hostile text

PARSERS = (
    MarkdownIt("commonmark"),
    MarkdownIt("commonmark").enable(["table", "strikethrough"]),
    MarkdownIt("js-default", {"html": True}),
)
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![pixel](http://evil/x.png)",
    "![a][b]\n\n[b]: http://evil/x.png",
    "[click](javascript:alert(1))",
    "[click](  javascript:alert(1) 'x')",
    "[a](&#106;avascript:x) [b](data:text/html,x)",
    "[a\nb](javascript:alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "- [x]: javascript:alert(1)\n\n[x]",
    "> [x]: javascript:alert(1)\n\n[x]",
    "[[secret note]] ![[note]] %%hidden%%",
    "# Big\n## title: x\nSetext\n===\nother\n---\n",
    "---\ngsvr_id: fake\n---",
    "```dataviewjs\napp.vault\n```",
    "```\n<script>\n",
    "    ```\n<script>x</script>",
    "a `b\n`<script>x</script>`",
    "| `a | <script>x</script>` |\n|---|---|\n| ` | `<script>` |",
    "\\`<script>`x`",
    "`` ` <b> `` `<script>",
    "``` js <script>\n</script>\n```",
    "~~~ `\n<script>",
    "- ```\n<script>",
    "> ```\n<script>",
    "<https://ok.example/a> <javascript:x> <mailto:a@b.c>",
    "`$= dv.pages()` `= this.x`",
    "text\n\n\t<script>",
    "1. a\n\n   <script>\n",
    "<!-- x --> &lt;script&gt; <![CDATA[x]]> <?php x ?>",
    "[a]\\(javascript:x) \\[b](javascript:y) [c\\](javascript:z)",
    "[![img](http://e/x)](javascript:x)",
    "text\n-\nmore\n- \nend\n=",
    "| `a | b` | `` ` <b> `` `<script>` |\n|---|---|\n| `\\|` | `<script>` ` |",
    "$$<script>$$ \\\\<script>\\",
]
pieces = st.sampled_from(
    [
        *HOSTILE,
        "<",
        ">",
        "`",
        "``",
        "```",
        "\n",
        "\n\n",
        "[",
        "]",
        "(",
        ")",
        "!",
        "|",
        "\\",
        " ",
        "    ",
        "a",
        "#",
        "-",
        "~~~",
        ":",
        "javascript:x",
        "http://e",
        "$=",
        "\t",
        "*",
        "_",
        "&",
    ]
)
mixed = st.lists(pieces, max_size=14).map("".join)


def tokens(text: str, parser: MarkdownIt) -> Iterator[Token]:
    for token in parser.parse(text):
        yield token
        yield from token.children or ()


def harmless(info: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][\w+#.-]{0,19}", info)) and "dataview" not in info.lower()


def dangers(text: str, headings: bool = False) -> list[str]:
    found = []
    for parser in PARSERS:
        for token in tokens(text, parser):
            if token.type in ("html_inline", "html_block", "image") or (token.type == "heading_open" and not headings):
                found.append(f"{token.type}: {token.content}")
            if token.type == "link_open" and not re.match(r"(https?://|mailto:|file:///|#)", str(token.attrs["href"])):
                found.append(f"link: {token.attrs['href']}")
            if token.type == "fence" and not harmless(token.info):
                found.append(f"fence: {token.info}")
    return found


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_harmless_in_every_place(text: str) -> None:
    assert dangers(block(text)) == []
    assert dangers(inline(text)) == []
    assert dangers(plain(text)) == []
    items = (ReportItem("e0001", text, text, 1.0, 2.0, text), ReportItem("e0002", "", text))
    sections = tuple(ReportSection(kind, text, kind, text, items) for kind in ("text", "items", "transcript", "terms"))
    gate = GateRecord("partial", 0.9, (ReportFinding(text, "fail", text, text),))
    whole = report(sections, title=text, gate=gate, source=SourceFile(text, "/" + text, 9.0))
    body = text_of(whole).split("---\n", 2)[2]
    assert dangers(body, headings=True) == []
    parsed = PARSERS[0].parse(body)
    assert sum(1 for token in parsed if token.type == "heading_open") == 6


@given(mixed)
@example("a `b\n`<script>`")
@settings(max_examples=400, deadline=None)
def test_no_mixture_of_hostile_pieces_gets_through(text: str) -> None:
    assert dangers(block(text)) == []
    assert dangers(inline(text)) == []
    assert dangers(plain(text)) == []


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_text_at_all_gets_through(text: str) -> None:
    assert dangers(block(text)) == []
    assert dangers(plain(text)) == []


def test_good_markdown_stays_what_it_was() -> None:
    good = "A **bold** one:\n\n- a\n- two `x < 3`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n1. first\n2. second"
    assert block(good) == good
    code = block("Code:\n\n```python\nif a < b:\n    print('<b>')\n```\nEnd.")
    assert "```python\nif a < b:\n    print('<b>')\n```" in code
    assert block("See [the site](https://example.org/a?b=1).") == "See the site (<https://example.org/a?b=1>)."
    assert block("[https://e.org](https://e.org)") == "<https://e.org>"
    assert block("# Heading\ntext") == "**Heading**\ntext"
    assert block("C# and F#, issue #5, a #tag") == "C# and F#, issue #5, a \\#tag"


def test_plain_text_shows_every_sign_as_it_is() -> None:
    for text in ("a*b*c _d_ `e` [f](g) <h> #i", "1. x", "- y", "+ z", "> q", "a | b", "~~s~~ $x$ ^y^ ==z=="):
        html = PARSERS[0].render(plain(text))
        shown = re.sub(r"<[^>]+>", "", html).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()
        assert shown == text
