"""Notes for Obsidian and Logseq: properties of constant types, links that work, nothing that acts in the program."""

from __future__ import annotations

import datetime as dt
import re

import yaml

from gsvr_tui.report.document import GateRecord, MissingRange, Report
from gsvr_tui.report.render import render

from .conftest import make_report


def obsidian(report: Report, href: str = "../My%20lecture.mp4") -> tuple[dict[str, object], str]:
    text = render(report, "obsidian", video_href=href).decode()
    assert text.startswith("---\n")
    head, body = text[4:].split("\n---\n", 1)
    return yaml.safe_load(head), body


def test_properties_have_the_types_a_vault_needs(lesson_report: Report) -> None:
    properties, _ = obsidian(lesson_report)
    assert properties["created"] == dt.datetime(2026, 11, 24, 10)  # noqa: DTZ001 – Obsidian's have no zone
    assert properties["duration"] == 75.0
    assert properties["covered"] == 1.0
    assert properties["aliases"] == ["Why the sky is blue"]
    assert properties["tags"] == ["gsvr/comprehensive_lesson"]
    assert properties["speakers"] == ["Dr. Lim", "Student"]
    assert properties["video"] == "[[My lecture.mp4]]"
    assert not [value for value in properties.values() if isinstance(value, dict)]


def test_times_are_wiki_links_into_the_video_and_entries_can_be_linked_to(lesson_report: Report) -> None:
    _, body = obsidian(lesson_report)
    assert "> [!success] Checked: no faults found." in body
    assert "![[My lecture.mp4]]" in body
    assert "[[My lecture.mp4#t=20,44|00:20–00:44]] **A tank** ^e0002" in body
    assert "**Dr. Lim:** Good morning. Why is the sky blue? ^e0010" in body


def test_a_video_outside_the_vault_or_with_a_name_obsidian_cannot_link_is_linked_plainly(lesson_report: Report) -> None:
    for href in ("file:///videos/a.mp4", "../a%23b%5D.mp4", "../caf%E9.mp4"):
        properties, body = obsidian(lesson_report, href)
        assert "video" not in properties
        assert f"[00:20–00:44]({href}#t=20,44)" in body
        assert "[[" not in body


def test_gaps_and_findings_are_callouts(lesson_report: Report) -> None:
    gate = GateRecord("partial", 0.8, missing=(MissingRange(60.0, 75.0),))
    _, body = obsidian(make_report(lesson_report.sections, gate=gate))
    assert "> [!warning] Incomplete: 80% of the video is covered." in body
    assert "> **Not covered: 01:00–01:15**" in body


def test_hostile_text_stays_text_in_obsidian(hostile_report: Report) -> None:
    properties, body = obsidian(hostile_report, "../a.mp4")
    assert properties["gsvr_id"] == "0abcdefghjkmn"
    assert body.count("\n---\n") == 0
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?^\1$", "", body)
    outside = re.sub(r"!?\[\[a\.mp4(#t=[\d.,]+\|[\d:–]+)?\]\]", "", outside)
    for sign in ("[[", "%%", "\n```dataviewjs", "<script", "<img"):
        assert sign not in outside.replace("&lt;", "").replace("\\[\\[", "").replace("\\<", "")
    assert all(re.fullmatch(r"> \[![a-z]+\]-? .*", line) for line in body.splitlines() if line.startswith("> [!"))


def test_logseq_has_properties_first_and_blocks_below(lesson_report: Report) -> None:
    text = render(lesson_report, "logseq", video_href="../a.mp4").decode()
    head, body = text.split("\n\n", 1)
    assert all(re.fullmatch(r"[a-z_]+:: .+", line) for line in head.splitlines())
    assert "gsvr_id:: 0abcdefghjkmn" in head
    assert "template:: comprehensive_lesson 2.0" in head
    assert "- {{video ../a.mp4}}" in body
    assert all(re.match(r"\t*(- |  )", line) for line in body.splitlines())
    assert "\t- [00:20–00:44](../a.mp4#t=20,44) **A tank**\n\t\t\t- blue\n\t\t\t- **orange**\n" in body
    assert "\t\t- ```python\n\t\t  if a < b: pass\n\t\t  ```" in body


def test_hostile_text_stays_text_in_logseq(hostile_report: Report) -> None:
    text = render(hostile_report, "logseq", video_href="../a.mp4").decode()
    head, body = text.split("\n\n", 1)
    assert len(re.findall(r"(?m)^gsvr_id:: ", text)) == 1
    assert "[[" not in head.replace("\\[\\[", "")
    outside = re.sub(r"(?ms)^\t*- (`{3,}).*?^\t*  \1$", "", body).replace("{{video ../a.mp4}}", "")
    assert "::" not in outside
    assert "{{" not in outside
    assert "((" not in outside
    assert "#+" not in outside
    assert "<script" not in outside.replace("\\<", "")
    assert all(re.match(r"\t*(- |  )", line) for line in body.splitlines())
