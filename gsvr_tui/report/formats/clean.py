"""The report as renderers may take it: no text in it can act on a terminal or hide in it, wherever it came from."""

from __future__ import annotations

import re
from dataclasses import replace

from gsvr_tui.core.text import clean_text
from gsvr_tui.report.document import GateRecord, Provenance, Report, ReportItem, ReportSection, SourceFile

_NO_CHARACTER = re.compile("[\ufffe\uffff]")  # neither YAML nor XML can hold these


def cleaned(report: Report) -> Report:
    """All texts cleaned, on one line each but for prose. The video's path stays: it is only ever percent-encoded."""
    return replace(
        report,
        gsvr_id=_line(report.gsvr_id),
        title=_line(report.title),
        language=_line(report.language),
        template=_line(report.template),
        template_version=_line(report.template_version),
        source=_source(report.source),
        sections=tuple(map(_section, report.sections)),
        provenance=_provenance(report.provenance),
        gate=_gate(report.gate),
    )


def _line(text: str) -> str:
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", clean_text(text)).strip()


def _prose(text: str) -> str:
    return _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", clean_text(text, newlines=True))


def _source(source: SourceFile) -> SourceFile:
    return replace(
        source,
        name=_line(source.name),
        sha256=_line(source.sha256),
        video_codec=_line(source.video_codec),
        audio_codec=_line(source.audio_codec),
    )


def _section(section: ReportSection) -> ReportSection:
    items = tuple(map(_item, section.items))
    return replace(section, id=_line(section.id), title=_line(section.title), text=_prose(section.text), items=items)


def _item(item: ReportItem) -> ReportItem:
    return replace(
        item, id=_line(item.id), title=_line(item.title), text=_prose(item.text), speaker=_line(item.speaker)
    )


def _provenance(made: Provenance) -> Provenance:
    return replace(
        made,
        model=_line(made.model),
        model_version=_line(made.model_version),
        prompt_hash=_line(made.prompt_hash),
        project=_line(made.project),
        created_at=_line(made.created_at),
    )


def _gate(gate: GateRecord) -> GateRecord:
    findings = tuple(
        replace(f, check=_line(f.check), level=_line(f.level), message=_line(f.message), place=_line(f.place))
        for f in gate.findings
    )
    return replace(gate, verdict=_line(gate.verdict), findings=findings)
