"""The document keeps all it is given, and its published schema is true."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from gsvr_tui.report.assemble import PartAnswer, build_report, judge_parts
from gsvr_tui.report.document import (
    DocumentProblem,
    Provenance,
    Report,
    SourceFile,
    iso_time,
    report_from_dict,
    report_from_json,
)
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.templates import TemplateSet

SCHEMA = json.loads(files("gsvr_tui.data").joinpath("report.schema.json").read_text(encoding="utf-8"))
TYPES = {"object": dict, "array": list, "string": str, "number": (int, float), "integer": int}


def violations(value: Any, schema: dict[str, Any], place: str = "$") -> list[str]:
    """What of JSON Schema the published schema uses, and nothing else: an unknown keyword is an error."""
    known = {"$schema", "$id", "$defs", "title", "description", "type", "required", "properties", "items", "enum"}
    assert set(schema) <= known | {"$ref", "pattern", "minimum", "maximum", "minLength"}, place
    if "$ref" in schema:
        return violations(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], place)
    found = []
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool)):  # type: ignore[arg-type]
        return [f"{place} is no {schema['type']}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place} does not match")
    number = value if isinstance(value, (int, float)) else 0.0
    if number < schema.get("minimum", number) or number > schema.get("maximum", number):
        found.append(f"{place} is out of bounds")
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        found.append(f"{place} is too short")
    if isinstance(value, dict):
        found += [f"{place}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, child in schema.get("properties", {}).items():
            if name in value:
                found += violations(value[name], child, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, child in enumerate(value):
            found += violations(child, schema["items"], f"{place}[{index}]")
    return found


def report_of(template: Template, text: str, duration: float = 120.0, language: str = "") -> Report:
    gate = judge_parts([PartAnswer(text)], template, duration, language).gate
    source = SourceFile("course/lecture 1.mp4", "/v/course/lecture 1.mp4", duration, 1234, "ab" * 32, "h264", "aac")
    provenance = Provenance("gemini-x", "gemini-x-001", "cd" * 32, 1, 5000, 900, 0.0123, "proj", iso_time(1.8e9))
    return build_report("0abcdefghjkmn", gate, template, source, provenance, language)


def test_every_report_fits_the_published_schema_and_survives_the_way_there_and_back(
    templates: TemplateSet, make_text: Callable[..., str]
) -> None:
    for template in templates:
        for text in (make_text(template, 120.0), make_text(template, 60.0)):
            report = report_of(template, text, 600.0)
            data = json.loads(report.to_json())
            assert violations(data, SCHEMA) == []
            assert report_from_json(report.to_json()) == report
            assert report.to_json() == report_from_dict(data).to_json()


def test_the_schema_notices_what_is_wrong(lesson: Template, make_text: Callable[..., str]) -> None:
    good = report_of(lesson, make_text(lesson, 120.0)).to_dict()
    changes: list[tuple[tuple[Any, ...], Any]] = [
        (("schema_version",), "2.0"),
        (("gsvr_id",), ""),
        (("language",), "not a language"),
        (("gate", "verdict"), "fine"),
        (("gate", "covered"), 1.5),
        (("source", "duration_s"), -1),
        (("source", "sha256"), "xyz"),
        (("sections", 0, "kind"), "table"),
        (("sections", 0, "items", 0, "id"), "x1"),
        (("sections", 0, "items", 0, "start_s"), "00:00"),
        (("provenance", "created_at"), "yesterday"),
    ]
    for path, value in changes:
        data = json.loads(json.dumps(good))
        target = data
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value
        assert violations(data, SCHEMA), path


def test_items_are_numbered_through_the_whole_report(lesson: Template, make_text: Callable[..., str]) -> None:
    report = report_of(lesson, make_text(lesson, 600.0), 600.0)
    ids = [item.id for section in report.sections for item in section.items]
    assert ids == [f"e{n:04d}" for n in range(1, len(ids) + 1)]


def test_a_name_that_is_not_utf_8_survives_and_the_file_is_utf_8(
    lesson: Template, make_text: Callable[..., str]
) -> None:
    report = report_of(lesson, make_text(lesson, 120.0))
    name = "caf\udce9 中.mp4"
    odd = Report(**{**{n: getattr(report, n) for n in report.__slots__}, "source": SourceFile(name, "/" + name, 120.0)})
    data = odd.to_json().encode("utf-8")
    assert report_from_json(data.decode()).source.name == name
    assert "中".encode() in data


def test_unknown_keys_of_a_later_version_are_ignored(lesson: Template, make_text: Callable[..., str]) -> None:
    report = report_of(lesson, make_text(lesson, 120.0))
    data = report.to_dict() | {"schema_version": "1.7", "new": [1]}
    data["source"]["new"] = {}
    assert report_from_dict(data).sections == report.sections


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[]", "the document: an object"),
        ("{}", "schema_version: a text"),
        ('{"schema_version": "2.0"}', "2.0 is not known"),
        ('{"schema_version": "1.0", "gsvr_id": "x", "title": 3}', "template: an object"),
        ("[" * 99_999, "not JSON"),
    ],
)
def test_what_is_no_report_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(DocumentProblem, match=message):
        report_from_json(text)


def test_a_missing_field_deep_inside_is_named(lesson: Template, make_text: Callable[..., str]) -> None:
    data = report_of(lesson, make_text(lesson, 120.0)).to_dict()
    del data["source"]["duration_s"]
    with pytest.raises(DocumentProblem, match=r"source.*duration_s"):
        report_from_dict(data)


def test_a_job_without_an_answer_has_no_report(lesson: Template) -> None:
    with pytest.raises(ValueError, match="no answer"):
        report_of(lesson, "nonsense")


def test_the_title_falls_back_to_the_name_of_the_file(lesson: Template, make_answer: Callable[..., Any]) -> None:
    answer = make_answer(lesson, 120.0) | {"title": ""}
    assert report_of(lesson, json.dumps(answer)).title == "lecture 1"
