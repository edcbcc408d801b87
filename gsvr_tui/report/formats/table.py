"""All formats in one table: what each is called, how its files end, what makes it.

Renderers are imported when they are used: a run that writes Markdown never loads Word's library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import BinaryIO, cast

from gsvr_tui.config.formats import FORMAT_NAMES
from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.extras import BatchView, Extras


class UnknownFormat(ValueError):
    """There is no such format; the message lists those there are."""


class Scope(StrEnum):
    """What a file of a format is about."""

    JOB = "job"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Format:
    """A format. `renderer`: module below `gsvr_tui.report` and function; a job's takes (Report, Extras) and gives
    bytes, a batch's takes (BatchView, binary file) and writes.

    `pictures`: it shows key frames when it is given some. `carries_id`: the job's id stands in the file as it is.
    """

    id: str
    suffix: str
    scope: Scope
    help: str
    renderer: str
    pictures: bool = False
    carries_id: bool = False

    def render(self, report: Report, extras: Extras) -> bytes:
        """The file of a job. Raises NothingToRender."""
        return cast(Callable[[Report, Extras], bytes], self._function())(report, extras)

    def write(self, view: BatchView, out: BinaryIO) -> None:
        """The file of a batch, written to `out`."""
        cast(Callable[[BatchView, BinaryIO], None], self._function())(view, out)

    def _function(self) -> object:
        module, _, name = self.renderer.partition(":")
        return getattr(import_module(f"gsvr_tui.report.{module}"), name)


_J, _B = Scope.JOB, Scope.BATCH
FORMATS: Mapping[str, Format] = {
    found.id: found
    for found in (
        Format("markdown", ".md", _J, "Markdown with links into the video", "render:markdown", carries_id=True),
        Format("json", ".json", _J, "the whole document, by its schema", "render:json", carries_id=True),
        Format(
            "html",
            ".html",
            _J,
            "one page with player, key frames and print style",
            "render_html:render_html",
            pictures=True,
            carries_id=True,
        ),
        Format("docx", ".docx", _J, "Word", "render_docx:render_docx", pictures=True),
        Format("obsidian", ".obsidian.md", _J, "a note for Obsidian", "formats.notes:render_obsidian", carries_id=True),
        Format("logseq", ".logseq.md", _J, "a page for Logseq", "formats.notes:render_logseq", carries_id=True),
        Format("srt", ".srt", _J, "subtitles, SubRip", "formats.subtitles:render_srt"),
        Format("vtt", ".vtt", _J, "subtitles, WebVTT", "formats.subtitles:render_vtt", carries_id=True),
        Format(
            "chapters-vtt",
            ".chapters.vtt",
            _J,
            "chapters, WebVTT",
            "formats.chapters:render_chapters_vtt",
            carries_id=True,
        ),
        Format(
            "ffmetadata",
            ".ffmetadata.txt",
            _J,
            "chapters to put into the video with ffmpeg",
            "formats.chapters:render_ffmetadata",
            carries_id=True,
        ),
        Format("youtube", ".youtube.txt", _J, "chapters for a YouTube description", "formats.chapters:render_youtube"),
        Format("anki", ".apkg", _J, "cards for Anki", "formats.anki:render_anki"),
        Format("index", ".index.html", _B, "a page over all videos", "formats.index_page:write_index"),
        Format("csv-videos", ".videos.csv", _B, "a row for each video", "formats.tables:write_videos_csv"),
        Format("csv-items", ".items.csv", _B, "a row for each entry", "formats.tables:write_items_csv"),
        Format("xlsx", ".xlsx", _B, "both tables for Excel", "formats.tables:write_xlsx"),
    )
}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "chapters": ("chapters-vtt", "ffmetadata", "youtube"),
    "csv": ("csv-videos", "csv-items"),
}
"""Names that stand for several formats."""

NAMES = FORMAT_NAMES
"""Every name that may be asked for, in the order to show."""

MARKDOWN_KINDS = ("markdown", "obsidian", "logseq")


def expand(names: Iterable[str]) -> tuple[Format, ...]:
    """The formats behind the names, each once, in their order. Raises UnknownFormat."""
    found: dict[str, Format] = {}
    for name in names:
        for each in GROUPS.get(name, (name,)):
            if each not in FORMATS:
                raise UnknownFormat(f"there is no format {name[:40]!r}; there are {', '.join(NAMES)}")
            found[each] = FORMATS[each]
    return tuple(found.values())


def file_suffix(fmt: str, together: Iterable[str]) -> str:
    """How the name of a format's file ends among the formats made for the same video: the first kind of Markdown is
    `.md`, another one beside it says what it is.
    """
    kinds = [each.id for each in expand(together) if each.id in MARKDOWN_KINDS]
    return ".md" if kinds and kinds[0] == fmt else FORMATS[fmt].suffix


_SUFFIXES = sorted({found.suffix for found in FORMATS.values()} | {".md"}, key=len, reverse=True)


def without_suffix(name: str) -> str:
    """A file's name without the ending its format gave it."""
    return next((name[: -len(suffix)] for suffix in _SUFFIXES if name.endswith(suffix) and name != suffix), name)
