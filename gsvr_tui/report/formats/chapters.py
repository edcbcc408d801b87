"""Chapters for players and for YouTube: WebVTT, ffmpeg's metadata file, and the list a description holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gsvr_tui.core.text import clean_text, format_time
from gsvr_tui.report.document import Report
from gsvr_tui.report.formats.extras import Extras, NothingToRender
from gsvr_tui.report.formats.pick import chapters_of

YOUTUBE_APART_S = 10
MOST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter in whole milliseconds, end after start, none overlapping the next."""

    start_ms: int
    end_ms: int
    title: str


def chapters(report: Report) -> list[Chapter]:
    """The report's chapters. Raises NothingToRender when no entries have titles and times."""
    found = chapters_of(report)
    whole = max(1, round(report.source.duration_s * 1000))
    starts: dict[int, str] = {}
    for item in found:
        title = " ".join(clean_text(item.title).split())[:MOST_TITLE]
        start = min(max(0, round((item.start_s or 0.0) * 1000)), whole - 1)
        if title:
            starts.setdefault(start, title)
    if not starts:
        raise NothingToRender("this report has no entries with titles and times to make chapters of")
    ordered = sorted(starts.items())
    ends = [start for start, _ in ordered[1:]] + [whole]
    return [Chapter(start, end, title) for (start, title), end in zip(ordered, ends, strict=True)]


def render_chapters_vtt(report: Report, extras: Extras) -> bytes:
    """Chapters as WebVTT, to be used with `<track kind="chapters">`."""
    parts = ["WEBVTT\n", f"NOTE gsvr_id {_vtt(clean_text(report.gsvr_id))}\n"]
    parts += [f"{_stamp(c.start_ms)} --> {_stamp(c.end_ms)}\n{_vtt(c.title)}\n" for c in chapters(report)]
    return "\n".join(parts).encode("utf-8", "replace")


def _vtt(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _stamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}"


def render_ffmetadata(report: Report, extras: Extras) -> bytes:
    """Chapters for `ffmpeg -i video -i this -map_metadata 1 -codec copy out.mp4`."""
    lines = [";FFMETADATA1", f"title={_ff(report.title)}", f"comment={_ff('gsvr_id ' + report.gsvr_id)}"]
    for chapter in chapters(report):
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={chapter.start_ms}", f"END={chapter.end_ms}"]
        lines.append(f"title={_ff(chapter.title)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _ff(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", " ".join(clean_text(text).split()))


def render_youtube(report: Report, extras: Extras) -> bytes:
    """The list for a YouTube description: from 0:00 on, ten seconds apart; YouTube wants at least three."""
    kept: list[tuple[int, str]] = []
    last = report.source.duration_s
    for chapter in chapters(report):
        at = chapter.start_ms // 1000
        if not kept:
            kept.append((0, chapter.title))
        elif at - kept[-1][0] >= YOUTUBE_APART_S and last - at >= YOUTUBE_APART_S:
            kept.append((at, chapter.title))
    lines = [f"{_youtube_time(at)} {_youtube_title(title)}" for at, title in kept]
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _youtube_time(seconds: int) -> str:
    shown = format_time(seconds)
    return shown[1:] if shown.startswith("0") and len(shown) == 5 else shown


def _youtube_title(title: str) -> str:
    """YouTube refuses descriptions with these signs."""
    return title.replace("<", "‹").replace(">", "›")
