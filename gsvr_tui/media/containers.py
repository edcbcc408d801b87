"""Which containers Gemini takes, under which MIME type, and which must be copied into MP4 first.

The system's own table of MIME types is not asked: it depends on the machine and is wrong for several video suffixes.
"""

from __future__ import annotations

from dataclasses import dataclass

VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".mkv", ".webm", ".avi", ".divx", ".flv", ".f4v", ".wmv", ".asf"),
        *(".mpg", ".mpeg", ".mpe", ".vob", ".ts", ".mts", ".m2ts", ".m2t", ".3gp", ".3gpp", ".3g2"),
        *(".ogv", ".ogm", ".mxf"),
    }
)
"""Suffixes (lower case) by which videos are found in a folder."""

MP4_VIDEO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mpeg2video", "mpeg1video"})
"""Video codecs an MP4 can hold and that are commonly decoded from one."""

MP4_AUDIO = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "flac", "alac"})
"""Audio codecs an MP4 can hold."""

_WEBM_VIDEO = frozenset({"vp8", "vp9", "av1"})


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a container goes to Gemini."""

    container: str  # short name: mp4, mov, mkv, webm, avi, …
    mime_type: str
    needs_remux: bool = False


def wrapping_of(format_name: str, suffix: str, video_codec: str) -> Wrapping:
    """How a file goes to Gemini, by FFmpeg's name of its format; the suffix only tells cousins apart."""
    names = format_name.split(",")
    suffix = suffix.lower()
    if "mp4" in names:
        if suffix in (".mov", ".qt"):
            return Wrapping("mov", "video/quicktime")
        if suffix in (".3gp", ".3gpp", ".3g2"):
            return Wrapping("3gp", "video/3gpp")
        return Wrapping("mp4", "video/mp4")
    if "webm" in names:
        if suffix == ".webm" and video_codec in _WEBM_VIDEO:
            return Wrapping("webm", "video/webm")
        return Wrapping("mkv", "video/mp4", needs_remux=True)
    for name, container, mime_type in (
        ("avi", "avi", "video/avi"),
        ("flv", "flv", "video/x-flv"),
        ("asf", "wmv", "video/wmv"),
        ("mpeg", "mpeg", "video/mpeg"),
    ):
        if name in names:
            return Wrapping(container, mime_type)
    return Wrapping(names[0], "video/mp4", needs_remux=True)  # mpegts, ogg, mxf, bare streams, …
