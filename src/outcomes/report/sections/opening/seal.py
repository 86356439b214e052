"""Said first where outcomes are withheld: why the report is silent on them."""

from __future__ import annotations

from outcomes.languages import later, translated
from outcomes.report.page.blocks import Block, headline, paragraph
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.sealing import SealState

WITHHELD = later(
    "Nothing is said yet about satisfaction or dropout: the researchers have to fix first how they will analyse the "
    "data. Where this report says that a rating or an ending is not there, this is why."
)


def _blocks(source: Source) -> tuple[Block, ...]:
    """What table `seal` says of withheld outcomes; its other states are told with the origin of the numbers."""
    said = sentence_withheld(source)
    return (headline(translated(said)), paragraph(translated(WITHHELD))) if said else ()


def sentence_withheld(source: Source) -> str:
    """What table `seal` says of withheld outcomes; empty where they are there."""
    rows = table_rows(source.con, "seal")
    return next((row["sentence"] for row in rows if SealState(row["status"]) is SealState.WITHHELD), "")


SECTION = ReportSection("seal", later("Not shown yet"), _blocks)
