"""Renders a report in a format. Pure: the same report gives the same bytes. All formats: `formats/table.py`."""

from __future__ import annotations

from collections.abc import Mapping

from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.clean import cleaned
from gsvr_tui.report.formats.extras import Extras, NothingToRender, Picture
from gsvr_tui.report.formats.table import FORMATS, GROUPS, Scope, UnknownFormat, expand
from gsvr_tui.report.render_json import render_json
from gsvr_tui.report.render_markdown import render_markdown

SUFFIXES: Mapping[str, str] = {
    **{found.id: found.suffix for found in FORMATS.values()},
    **{name: FORMATS[members[0]].suffix for name, members in GROUPS.items()},
}
"""Formats, and how the names of their files end; for a name that stands for several, its first."""


def suffix_of(fmt: str) -> str:
    """How the names of a format's files end. Raises UnknownFormat."""
    expand((fmt,))
    return SUFFIXES[fmt]


def render(
    report: Report, fmt: str, *, video_href: str | None = None, pictures: Mapping[str, Picture] | None = None
) -> bytes:
    """The report as a file's bytes. `video_href`: a percent-encoded link to the video, as seen from the file;
    `pictures`: key frames by entry.

    Raises UnknownFormat, also for formats over a batch; NothingToRender when the report has nothing for the format.
    """
    found = expand((fmt,))
    if len(found) != 1 or found[0].scope is not Scope.JOB:
        raise UnknownFormat(f"{fmt} is not one file of a single report")
    exact = fmt == "json"  # the document itself, as it is
    return found[0].render(report if exact else cleaned(report), Extras(video_href, pictures or {}))


def markdown(report: Report, extras: Extras) -> bytes:
    """Markdown, as the table calls it."""
    return render_markdown(report, extras.video_href)


def json(report: Report, extras: Extras) -> bytes:
    """The document itself, as the table calls it."""
    return render_json(report)


__all__ = ["SUFFIXES", "NothingToRender", "Picture", "UnknownFormat", "render", "suffix_of"]
