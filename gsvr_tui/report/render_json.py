"""A report as JSON: the document itself."""

from __future__ import annotations

from gsvr_tui.report.document import Report


def render_json(report: Report) -> bytes:
    """The document, UTF-8."""
    return report.to_json().encode("utf-8")
