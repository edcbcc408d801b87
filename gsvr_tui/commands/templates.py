"""`gsvr-tui templates`: the kinds of report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gsvr_tui.commands.say import json_line, note, out, table

if TYPE_CHECKING:
    from gsvr_tui.report.template_model import Parameter, Template
    from gsvr_tui.report.templates import TemplateSet


@click.group()
def templates() -> None:
    """List and show the kinds of report."""


def _load() -> tuple[TemplateSet, str]:
    from gsvr_tui.commands.surroundings import surroundings
    from gsvr_tui.report.templates import load_templates

    here = surroundings()
    found = load_templates(here.places.templates)
    for problem in found.problems:
        note(f"{here.places.templates / problem.file}: left out: {problem.message}")
    return found, str(here.places.templates)


@templates.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per template.")
def list_(as_json: bool) -> None:
    """List the templates, your own among them."""
    found, folder = _load()
    if as_json:
        for template in found:
            json_line(_record(template))
        return
    rows = [("template", "language", "title", "from")]
    rows += [(t.id, t.language, t.title, t.source) for t in found]
    out(table(rows))
    out(f"\nShow one: gsvr-tui templates show NAME. Your own go into {folder}")


@templates.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show a template: its sections and parameters."""
    template = _load()[0].get(name)
    if as_json:
        json_line(_record(template))
        return
    out(f"{template.id} {template.version} ({template.source}): {template.title}")
    out(template.description.strip())
    out("\nSections")
    for section in template.sections:
        need = "" if section.required else ", optional"
        out(f"  {section.id}: {section.title(template.language)} ({section.kind}{need})")
    out("\nParameters (-p NAME=VALUE)" if template.parameters else "\nNo parameters.")
    for parameter in template.parameters:
        out(f"  {parameter.name} = {parameter.default!s}  ({_kind(parameter)}) {parameter.help}")


def _kind(parameter: Parameter) -> str:
    if parameter.choices:
        return " | ".join(parameter.choices)
    low, high = parameter.min, parameter.max
    if low is None and high is None:
        return str(parameter.type)
    return f"{parameter.type} {'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"


def _record(template: Template) -> dict[str, object]:
    return {
        "event": "template",
        "id": template.id,
        "version": template.version,
        "title": template.title,
        "kind": template.kind,
        "language": template.language,
        "description": template.description.strip(),
        "source": template.source,
        "sections": [
            {"id": s.id, "kind": str(s.kind), "title": s.title(template.language), "required": s.required}
            for s in template.sections
        ],
        "parameters": [
            {"name": p.name, "type": str(p.type), "default": p.default, "choices": list(p.choices), "help": p.help}
            for p in template.parameters
        ],
    }
