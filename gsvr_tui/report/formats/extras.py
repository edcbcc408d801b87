"""What a renderer may be given besides the document, and what a batch looks like to its formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gsvr_tui.report.document import Report


class NothingToRender(Exception):
    """The report has nothing this format could hold; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame of the video at `at_s` seconds, as the bytes of an image file."""

    at_s: float
    data: bytes
    width: int
    height: int
    mime: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Extras:
    """`video_href`: a percent-encoded link to the video as seen from the file; None: a `file:` address.

    `pictures`: key frames by the id of the entry they belong to.
    """

    video_href: str | None = None
    pictures: Mapping[str, Picture] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchEntry:
    """A job in a batch's formats. `report` None: there is none, `state` and `reason` say why.

    `links`: format → percent-encoded link from the batch's folder to the job's file.
    """

    gsvr_id: str
    name: str
    state: str
    reason: str = ""
    report: Report | None = None
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch as its formats see it. `entries` begins anew at each call: a batch may be larger than the memory."""

    id: str
    name: str
    language: str
    template: str
    model: str
    created_at: str
    entries: Callable[[], Iterator[BatchEntry]]
