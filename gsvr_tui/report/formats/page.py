"""What all HTML pages share: the environment, the style and script with their hashes, and the policy over them."""

from __future__ import annotations

import base64
import hashlib
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from gsvr_tui.config.package_data import data_text

_FOLDER = "report"


@cache
def environment() -> Environment:
    """Templates of the package, everything escaped that is not said to be HTML."""
    return Environment(
        loader=FunctionLoader(lambda name: data_text(_FOLDER, name)),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=False,
        lstrip_blocks=False,
        keep_trailing_newline=True,
    )


@cache
def asset(name: str) -> Markup:
    """A style or script of the package, as it stands in the page."""
    return Markup(data_text(_FOLDER, name).strip())  # noqa: S704 – ours, holds no `</`


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy of a page: its own style and script, pictures in it, the video beside it, no more."""
    parts = [
        "default-src 'none'",
        "img-src data:",
        "media-src 'self' file:",
        f"style-src {_hash(style)}",
        f"script-src {_hash(script)}" if script else "",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    return "; ".join(part for part in parts if part)
