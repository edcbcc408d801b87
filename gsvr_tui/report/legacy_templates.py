"""Reads templates of the older gs_videoReport form: one prompt with `{{name}}` placeholders.

Such a file has `templates:` with an entry per id, or one entry of its own: name, version, description, parameters,
prompt, and settings of the model, which are not used. Its prompt becomes the instructions of a template whose report
is one text and the moments it rests on. Placeholders the program knows are filled by it; others become parameters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gsvr_tui.report.template_file import MAX_PROMPT_CHARS, TemplateFileProblem
from gsvr_tui.report.template_model import Parameter, ParameterType, Section, SectionKind, Template, Times

_KNOWN = {
    "video_title": "title",
    "video_duration": "duration",
    "language_preference": "language_name",
    "current_timestamp": "",  # a prompt with the clock in it is never twice the same; the report carries its date
}
_USUAL = {"detail_level": "standard", "subject_area": "", "max_length": "500", "focus_areas": ""}
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_HAN = re.compile("[\u4e00-\u9fff]")


def is_legacy(data: Any) -> bool:
    """True for the content of a file of the older form."""
    return isinstance(data, dict) and ("templates" in data or ("prompt" in data and "sections" not in data))


def legacy_templates(data: Mapping[str, Any], source: str, stem: str) -> list[Template]:
    """The templates of such a file. `stem` of its name: for a single one. Raises TemplateFileProblem."""
    entries = data.get("templates", {stem: data})
    if not isinstance(entries, dict) or not entries:
        raise TemplateFileProblem("templates: one entry per template is needed")
    return [_convert(str(name), entry, source) for name, entry in entries.items()]


def _convert(name: str, entry: Any, source: str) -> Template:
    if not isinstance(entry, dict) or not isinstance(entry.get("prompt"), str) or not entry["prompt"].strip():
        raise TemplateFileProblem(f"templates.{name[:40]}: a prompt is needed")
    prompt = entry["prompt"].strip()
    if len(prompt) > MAX_PROMPT_CHARS:
        raise TemplateFileProblem(f"templates.{name[:40]}.prompt: longer than {MAX_PROMPT_CHARS} characters")
    names = list(dict.fromkeys(match[1].lower() for match in _PLACEHOLDER.finditer(prompt)))
    parameters = tuple(
        Parameter(parameter, ParameterType.STRING, _USUAL.get(parameter, ""), help="From an older template.")
        for parameter in names
        if parameter not in _KNOWN
    )
    title = str(entry.get("name") or name)[:120]
    return Template(
        id=_identifier(name),
        version=str(entry.get("version", "1.0"))[:40],
        title=title,
        kind="report",
        description=str(entry.get("description", ""))[:2_000],
        language="zh-Hans" if len(_HAN.findall(prompt)) > len(prompt) / 5 else "en",
        sections=_SECTIONS,
        instructions=_instructions(prompt),
        parameters=parameters,
        source=source,
    )


def _identifier(name: str) -> str:
    word = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_")[:40]
    return word if word[:1].isalpha() else f"t_{word}"[:40].rstrip("_") or "t"


def _instructions(prompt: str) -> str:
    """The prompt with its placeholders as ours, and everything else in it taken literally."""
    pieces = []
    place = 0
    for match in _PLACEHOLDER.finditer(prompt):
        pieces.append(_literal(prompt[place : match.start()]))
        name = match[1].lower()
        target = _KNOWN.get(name, name)
        pieces.append(f"{{{{ {target} }}}}" if target else "")
        place = match.end()
    pieces.append(_literal(prompt[place:]))
    return "".join(pieces)


def _literal(text: str) -> str:
    return re.sub(r"\{[{%#]", lambda match: f"{{{{ '{match.group()}' }}}}", text)


_SECTIONS = (
    Section(
        id="moments",
        kind=SectionKind.ITEMS,
        titles={"en": "Moments", "zh-Hans": "关键时刻", "zh-Hant": "關鍵時刻"},
        prompt="The passages the report rests on, from the start of the video to its end, and what happens in each.",
        times=Times.SPAN,
        covers=True,
    ),
    Section(
        id="report",
        kind=SectionKind.TEXT,
        titles={"en": "Report", "zh-Hans": "报告", "zh-Hant": "報告"},
        prompt="The whole report as the task above asks for it, in Markdown, with times written as MM:SS or H:MM:SS.",
    ),
)
