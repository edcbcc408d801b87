"""The names of the formats reports can be made in. What each is and how it is made: `report/formats/table.py`."""

from __future__ import annotations

FORMAT_NAMES: tuple[str, ...] = (
    "markdown",
    "json",
    "html",
    "docx",
    "obsidian",
    "logseq",
    "srt",
    "vtt",
    "chapters",
    "chapters-vtt",
    "ffmetadata",
    "youtube",
    "anki",
    "index",
    "csv",
    "csv-videos",
    "csv-items",
    "xlsx",
)
"""All that may be asked for; `chapters` and `csv` stand for several files."""
