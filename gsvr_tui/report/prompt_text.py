"""Fills a template's texts: sandboxed Jinja2 with nothing in it but the values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gsvr_tui.report.template_file import MAX_PROMPT_CHARS, TemplateFileProblem
from gsvr_tui.report.template_model import Template, Value

_MAX_PRODUCT = 10_000


class _Sandbox(ImmutableSandboxedEnvironment):
    """No attributes beyond the plain, no globals, and no way to blow up numbers or texts."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if operator == "**" or not numbers or abs(left) > _MAX_PRODUCT or abs(right) > _MAX_PRODUCT:
            raise SecurityError(f"{operator} may only multiply small numbers here")
        return super().call_binop(context, operator, left, right)


def _environment() -> _Sandbox:
    environment = _Sandbox(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    environment.globals.clear()  # range, lipsum, cycler, …
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=512)
def _compiled(text: str) -> jinja2.Template:
    """Compiling costs milliseconds and every video of a batch uses the same texts."""
    return _ENVIRONMENT.from_string(text)


def fill(text: str, values: Mapping[str, Any], place: str) -> str:
    """The text with the values put in. Raises TemplateFileProblem that names the place."""
    try:
        filled = _compiled(text).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateFileProblem(f"{place}, line {error.lineno}: {error.message}") from None
    except jinja2.UndefinedError as error:
        raise TemplateFileProblem(f"{place}: {error.message}; parameters must be listed under parameters") from None
    except (jinja2.TemplateError, ArithmeticError, TypeError, ValueError, LookupError, RecursionError) as error:
        raise TemplateFileProblem(f"{place}: {error}") from None
    if len(filled) > 2 * MAX_PROMPT_CHARS:
        raise TemplateFileProblem(f"{place}: longer than {2 * MAX_PROMPT_CHARS} characters when filled")
    return filled.strip()


def check_renders(template: Template) -> None:
    """Try all texts with the defaults. Raises TemplateFileProblem, so that a typo shows when loading, not when paid."""
    defaults: dict[str, Value] = {parameter.name: parameter.default for parameter in template.parameters}
    for has_audio in (True, False):
        values: dict[str, Any] = {
            **defaults,
            "language": template.language,
            "language_name": "",
            "title": "",
            "duration": "0:30:00",
            "minutes": 30,
            "has_audio": has_audio,
            "part": 1,
            "parts": 1,
            "start": "00:00",
            "end": "30:00",
        }
        fill(template.instructions, values, "instructions")
        for section in template.sections:
            fill(section.prompt, values, f"section {section.id}")
