"""Markdown as plain words."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gsvr_tui.report.formats import rich_text
from gsvr_tui.report.formats.rich_text import to_plain, to_plain_line


def test_the_words_stay_and_the_marks_go() -> None:
    text = (
        "A **bold** `x < y`, see [it](https://e.org).\n\n- one\n- *two*\n\n2. second\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    )
    assert to_plain(text).splitlines() == [
        "A bold x < y, see it (https://e.org).",
        *("- one", "- two", "2. second", "a | b", "1 | 2"),
    ]
    assert to_plain_line("a\n\nb") == "a b"
    assert to_plain("```\nif a:\n    b\n```") == "if a:\nb"


@given(st.text("ab Z1.,;?'\"()/你。， -", max_size=60) | st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_short_way_for_plain_sentences_gives_what_the_parser_gives(text: str) -> None:
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in rich_text._plain_lines(rich_text.tokens(text)))
    assert to_plain(text) == "\n".join(line for line in lines if line)
