"""What of a report goes where: its chapters, its spoken words, the moments worth a picture, its cards."""

from __future__ import annotations

from gsvr_tui.report.document import Report, ReportItem, ReportSection

MOST_PICTURES = 40
"""Of one report: a page of 40 × 30 kB still opens at once and goes through e-mail."""
PICTURES_APART_S = 4.0
PICTURE_DELAY_S = 0.8
"""Where a passage begins the picture is often still changing; a little later it stands."""


def timed(section: ReportSection) -> tuple[ReportItem, ...]:
    """The entries of a section that have a time, by time."""
    return tuple(sorted((i for i in section.items if i.start_s is not None), key=lambda item: item.start_s or 0.0))


def chapters_of(report: Report) -> tuple[ReportItem, ...]:
    """The entries that divide the video: the section called chapters, else the first whose entries have titles and
    times; empty when there is none.
    """
    fitting = [
        section
        for section in report.sections
        if section.kind == "items" and any(item.title and item.start_s is not None for item in section.items)
    ]
    fitting.sort(key=lambda section: (section.id != "chapters", not _spans(section)))
    return tuple(item for item in timed(fitting[0]) if item.title) if fitting else ()


def _spans(section: ReportSection) -> bool:
    return all(item.end_s is not None for item in section.items)


def spoken_of(report: Report) -> tuple[ReportItem, ...]:
    """The words to show as subtitles: a transcript, else the first section with times; empty when there is none."""
    order = sorted(report.sections, key=lambda section: ("transcript", "items", "terms", "text").index(section.kind))
    return next((found for section in order if (found := timed(section))), ())


def picture_times(report: Report) -> dict[str, float]:
    """Entry id → second of the video a picture is wanted of; sections in turn, at most MOST_PICTURES."""
    wanted: dict[str, float] = {}
    taken: list[float] = []
    for section in report.sections:
        if section.kind != "items":
            continue
        for item in timed(section):
            start = item.start_s or 0.0
            room = max(0.0, (item.end_s if item.end_s is not None else report.source.duration_s) - start)
            at = round(start + min(PICTURE_DELAY_S, room / 2), 3)
            if len(wanted) < MOST_PICTURES and all(abs(at - other) >= PICTURES_APART_S for other in taken):
                wanted[item.id] = at
                taken.append(at)
    return wanted


CARD_SECTIONS = frozenset({"questions", "quiz", "flashcards", "cards", "misconceptions"})


def cards_of(report: Report) -> list[tuple[str, ReportItem]]:
    """(section id, entry) of what can be learned as a card: terms, and questions with their answers."""
    found = []
    for section in report.sections:
        for item in section.items:
            asks = section.id in CARD_SECTIONS or item.title.rstrip().endswith(("?", "？"))
            if item.title and item.text and (section.kind == "terms" or (section.kind == "items" and asks)):
                found.append((section.id, item))
    return found
