"""Reports to render: a good one in two languages, and one in which every text is out for trouble."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

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
from gsvr_tui.report.formats.extras import BatchEntry, BatchView
from gsvr_tui.report.formats.table import FORMATS

HOSTILE = (
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "[click](javascript:alert(1)) ![p](http://evil.example/p.png) <javascript:x>",
    "[[secret]] ![[secret]] %%hidden%% #tag ^block",
    '=HYPERLINK("http://evil.example";"x")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "-2+3",
    "\t=1+1",
    "---\ngsvr_id: fake\n---",
    "alias:: x\nid:: y",
    "{{query (todo)}} ((block)) #+BEGIN_QUERY",
    "{{ 7*7 }} {% raw %} {{constructor}}",
    "```dataviewjs\napp.vault\n```",
    "-->\n\n00:00:00.000 --> 99:00:00.000\nspoofed\n\nNOTE x\n\nSTYLE\n::cue{}",
    "1\n00:00:01,000 --> 00:00:02,000\nspoofed",
    "{\\an8}<font color=red>x</font> <c.loud>y</c> &lrm;",
    "\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m bell\x07",
    "\u202egnp.exe\u2066 \u200bzero\ufeff",
    "lone \udcff and \ud800 surrogates, \ufffe \uffff \x00 null",
    "[CHAPTER]\nSTART=0\n;x=#y\\",
    "::evil:: {{c1::cloze}} {{FrontSide}}",
    "../../etc/passwd\\..\\x",
    "_x000D_ \r\n \x0b \x85 \u2028 end",
    "<v Eve>x</v> <00:00:01.000>",
    "x" * 3000,
    "长" * 500 + "。",
)


def make_report(
    sections: tuple[ReportSection, ...], language: str = "en", duration_s: float = 75.0, **changes: Any
) -> Report:
    """A report of these sections."""
    values: dict[str, Any] = {
        "gsvr_id": "0abcdefghjkmn",
        "title": "Why the sky is blue",
        "language": language,
        "template": "comprehensive_lesson",
        "template_version": "2.0",
        "source": SourceFile("Physics/02 Sky.mp4", "/videos/Physics/02 Sky.mp4", duration_s, 1234, "ab" * 32, "h264"),
        "sections": sections,
        "provenance": Provenance("gemini-x", "gemini-x-001", "ff", 2, 1000, 200, 0.01, "p", "2026-11-24T10:00:00Z"),
        "gate": GateRecord("ok", 1.0, (ReportFinding("seen", "pass", ""),)),
    }
    return Report(**{**values, **changes})


@pytest.fixture
def lesson_report() -> Report:
    """A good report with a section of each kind."""
    return make_report(
        (
            ReportSection("overview", "Overview", "text", "About **light**:\n\n1. a tank\n2. a law\n\n> A quote."),
            ReportSection(
                "chapters",
                "Chapters",
                "items",
                items=(
                    ReportItem("e0001", "Welcome", "Hello.", 0.0, 20.0),
                    ReportItem("e0002", "A tank", "- blue\n- **orange**\n\n```python\nif a < b: pass\n```", 20.0, 44.0),
                    ReportItem(
                        "e0003", "A law", "| a | b |\n|---|---|\n| 1 | 2 |\n\nSee <https://e.org/x>.", 44.0, 75.0
                    ),
                ),
            ),
            ReportSection(
                "said",
                "What is said",
                "transcript",
                items=(
                    ReportItem("e0010", "", "Good morning. Why is the sky blue?", 1.0, 6.0, "Dr. Lim"),
                    ReportItem("e0011", "", "It scatters!", 12.0, 14.0, "Student"),
                ),
            ),
            ReportSection("terms", "Terms", "terms", items=(ReportItem("e0020", "ozone", "A *gas*.", 44.0),)),
            ReportSection(
                "questions",
                "Questions",
                "items",
                items=(ReportItem("e0030", "Why not violet?", "The eye sees it less.", 50.0),),
            ),
        )
    )


@pytest.fixture
def hostile_report() -> Report:
    """A report in which every text tries something; its gate has findings and gaps."""
    items = tuple(ReportItem(f"e{n:04d}", text, text, float(n), float(n) + 0.9, text) for n, text in enumerate(HOSTILE))
    prose = "\n\n".join(HOSTILE)
    kinds = ("items", "transcript", "terms")
    sections = tuple(ReportSection(text, text, kind, items=items) for kind, text in zip(kinds, HOSTILE, strict=False))
    bad = HOSTILE[0] + HOSTILE[3] + HOSTILE[19] + HOSTILE[20] + HOSTILE[21]
    return make_report(
        (*sections, ReportSection("t", bad, "text", prose), ReportSection("questions", "=Q", "items", items=items)),
        title=bad,
        source=SourceFile(bad, "/v/" + bad.replace("\x00", ""), 75.0, 1, "", bad, bad),
        template=bad,
        provenance=Provenance(bad, bad, created_at=bad),
        gate=GateRecord(
            "partial", 0.5, tuple(ReportFinding(text, "fail", text, text) for text in HOSTILE), (MissingRange(3, 9),)
        ),
    )


@pytest.fixture
def batch_of() -> Callable[..., BatchView]:
    """A batch of these reports, with a failed job at its end."""

    def make(*reports: Report, name: str = "Physics 101", reason: str = "no picture in it") -> BatchView:
        def entries() -> Iterator[BatchEntry]:
            for number, report in enumerate(reports):
                links = {"markdown": f"./r{number}.md", "html": f"./r{number}.html"}
                yield BatchEntry(report.gsvr_id, report.source.name, "done", "", report, links)
            yield BatchEntry("0zzzz", f"Physics/{name}.mp4", "failed", reason)

        return BatchView("0batch", name, "en", "lesson", "gemini-x", "2026-11-24T10:00:00Z", entries)

    return make


@pytest.fixture
def written() -> Callable[[str, BatchView], bytes]:
    """The bytes of a format over a batch."""

    def write(fmt: str, view: BatchView) -> bytes:
        out = io.BytesIO()
        FORMATS[fmt].write(view, out)
        return out.getvalue()

    return write
