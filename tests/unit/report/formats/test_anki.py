"""Cards: the package is opened as what it is, a zip with a database; ids stay, texts can do nothing."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import zipfile
from dataclasses import replace
from typing import Any

from gsvr_tui.report.document import Report, ReportItem, ReportSection
from gsvr_tui.report.render import render

from .conftest import make_report


def database(data: bytes) -> sqlite3.Connection:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["collection.anki2", "media"]
        assert json.loads(archive.read("media")) == {}
        found = sqlite3.connect(":memory:")
        found.deserialize(archive.read("collection.anki2"))
        return found


def notes(report: Report) -> list[tuple[str, list[str]]]:
    connection = database(render(report, "anki"))
    try:
        return [
            (guid, flds.split("\x1f")) for guid, flds in connection.execute("select guid, flds from notes order by id")
        ]
    finally:
        connection.close()


def column(report: Report, name: str) -> dict[str, Any]:
    connection = database(render(report, "anki"))
    try:
        found: dict[str, Any] = json.loads(connection.execute(f"select {name} from col").fetchone()[0])  # noqa: S608
        return found
    finally:
        connection.close()


def test_terms_and_questions_become_cards(lesson_report: Report) -> None:
    found = [fields for _, fields in notes(lesson_report)]
    assert found == [
        ["ozone", "<p>A <em>gas</em>.</p>", "Physics/02 Sky.mp4 · 00:44"],
        ["Why not violet?", "<p>The eye sees it less.</p>", "Physics/02 Sky.mp4 · 00:50"],
    ]


def test_a_card_keeps_its_id_when_others_come_before_it(lesson_report: Report) -> None:
    terms = ReportSection("terms", "T", "terms", items=(ReportItem("e0001", "dusk", "Evening."),))
    grown = replace(lesson_report, title="Another", sections=(terms, *lesson_report.sections))
    before = {fields[0]: guid for guid, fields in notes(lesson_report)}
    after = {fields[0]: guid for guid, fields in notes(grown)}
    assert {front: after[front] for front in before} == before
    assert len(set(after.values())) == len(after)
    assert column(grown, "decks").keys() == column(lesson_report, "decks").keys()
    assert column(grown, "models").keys() == column(lesson_report, "models").keys()
    other = {fields[0]: guid for guid, fields in notes(replace(lesson_report, gsvr_id="0other"))}
    assert not set(other.values()) & set(before.values())


def test_equal_questions_are_two_cards() -> None:
    items = (ReportItem("e1", "Why?", "a"), ReportItem("e2", "Why?", "b"))
    found = notes(make_report((ReportSection("questions", "Q", "items", items=items),)))
    assert len({guid for guid, _ in found}) == 2


def test_hostile_texts_are_shown_not_run(hostile_report: Report) -> None:
    found = notes(hostile_report)
    assert len(found) > 20
    for _, fields in found:
        for text in fields:
            tags = {tag.lower() for tag in re.findall(r"<\s*/?\s*([A-Za-z!?/][\w-]*)", text)}
            assert tags <= {"p", "em", "strong", "code", "pre", "a", "ul", "ol", "li", "blockquote", "hr", "br", "s"}
            assert not re.search(r"<[^>]*\son\w+\s*=", text)
            assert not re.search(r'href="(?!https?:|mailto:)', text)
    assert all("::" not in deck["name"].removeprefix("gsvr-tui::") for deck in column(hostile_report, "decks").values())
