"""Renders a report in a format. Pure: the same report gives the same bytes."""

from __future__ import annotations

from collections.abc import Mapping

from gsvr_tui.report.document import Report
from gsvr_tui.report.render_json import render_json
from gsvr_tui.report.render_markdown import render_markdown

SUFFIXES: Mapping[str, str] = {"markdown": ".md", "json": ".json"}
"""Formats, and how the names of their files end."""


class UnknownFormat(ValueError):
    """There is no such format; the message lists those there are."""


def suffix_of(fmt: str) -> str:
    """How the names of a format's files end. Raises UnknownFormat."""
    if fmt not in SUFFIXES:
        raise UnknownFormat(f"there is no format {fmt[:40]!r}; there are {', '.join(SUFFIXES)}")
    return SUFFIXES[fmt]


def render(report: Report, fmt: str, *, video_href: str | None = None) -> bytes:
    """The report as a file's bytes. `video_href`: a percent-encoded link to the video, as seen from the file.

    Raises UnknownFormat.
    """
    suffix_of(fmt)
    if fmt == "json":
        return render_json(report)
    return render_markdown(report, video_href)
