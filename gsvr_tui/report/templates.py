"""The set of templates: those shipped, and those in the user's folder, which win over shipped ones of the same id."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from gsvr_tui.core.text import clean_text
from gsvr_tui.report.legacy_templates import is_legacy, legacy_templates
from gsvr_tui.report.prompt_text import check_renders
from gsvr_tui.report.template_file import TemplateFileProblem, template_from
from gsvr_tui.report.template_model import Template
from gsvr_tui.report.yaml_text import MAX_BYTES, YamlProblem, parse_yaml


class UnknownTemplate(LookupError):
    """There is no template of that id; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """A file of the user's folder that is no usable template."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class TemplateSet:
    """Templates by id, and what is wrong with the user's files."""

    templates: tuple[Template, ...]
    problems: tuple[TemplateProblem, ...] = ()

    def __iter__(self) -> Iterator[Template]:
        return iter(self.templates)

    def ids(self) -> tuple[str, ...]:
        """All ids in order."""
        return tuple(template.id for template in self.templates)

    def get(self, template_id: str) -> Template:
        """The template of that id. Raises UnknownTemplate."""
        for template in self.templates:
            if template.id == template_id:
                return template
        near = difflib.get_close_matches(template_id, self.ids(), n=2, cutoff=0.5)
        choice = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(self.ids())}."
        raise UnknownTemplate(f"there is no template {clean_text(template_id)[:60]!r}; {choice}")


def load_templates(user_folder: Path | None = None) -> TemplateSet:
    """Shipped templates and the user's. A wrong user file is reported, the others still load."""
    found: dict[str, Template] = {}
    for resource in sorted(files("gsvr_tui.data").joinpath("templates").iterdir(), key=lambda entry: entry.name):
        if resource.name.endswith(".yaml"):
            for template in parse_templates(resource.read_text(encoding="utf-8"), "built-in"):
                found[template.id] = template
    problems: list[TemplateProblem] = []
    own: dict[str, str] = {}
    for path in _user_files(user_folder, problems):
        name = clean_text(path.name)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise TemplateFileProblem("it is larger than 1 MiB")
            loaded = parse_templates(path.read_text(encoding="utf-8-sig"), name, path.stem)
            for template in loaded:
                if template.id in own:
                    raise TemplateFileProblem(f"the id {template.id!r} is taken by {own[template.id]}")
        except UnicodeDecodeError:
            problems.append(TemplateProblem(name, "it is not UTF-8 text"))
        except (TemplateFileProblem, YamlProblem) as problem:
            problems.append(TemplateProblem(name, clean_text(str(problem))))
        except OSError as error:
            problems.append(TemplateProblem(name, f"it can't be read: {error.strerror}"))
        else:
            own.update({template.id: name for template in loaded})
            found.update({template.id: template for template in loaded})
    return TemplateSet(tuple(found.values()), tuple(problems))


def parse_templates(text: str, source: str, stem: str = "template") -> list[Template]:
    """The templates of a file's text: one, or those of an older file. Raises YamlProblem or TemplateFileProblem."""
    data = parse_yaml(text)
    templates = legacy_templates(data, source, stem) if is_legacy(data) else [template_from(data, source)]
    for template in templates:
        check_renders(template)
    return templates


def _user_files(folder: Path | None, problems: list[TemplateProblem]) -> list[Path]:
    if folder is None or not folder.exists():
        return []
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.is_file())
    except OSError as error:
        problems.append(TemplateProblem(clean_text(folder.name), f"the folder can't be read: {error.strerror}"))
        return []
