"""Where the numbers come from: whether the analysis was fixed beforehand, data cut, code version, release."""

from __future__ import annotations

from outcomes.report.page.blocks import Block, paragraph, table
from outcomes.report.page.pieces import Given, Kind, Piece, Words
from outcomes.report.reading.data_cut import data_cut
from outcomes.report.reading.rows import table_rows
from outcomes.report.sections.report_section import ReportSection, Source

HASH_SHOWN = 12  # hexadecimal digits
EXPLORATORY = "This analysis is exploratory: its choices were not fixed before the outcomes were seen."


def _blocks(source: Source) -> tuple[Block, ...]:
    """One row per fact; table `release`."""
    con, settings, teller, settings_sha256 = source.con, source.settings, source.teller, source.settings_sha256
    (release,) = table_rows(con, "release")
    facts = {
        "Study": settings.study.name,
        "Data up to": data_cut(con, teller) or "not shown: the sources carry no dates, or too few clients have one",
        "Source files": str(release["n_batches"]),
        "Release (run)": release["release_id"],
        "Code version": release["code_version"],
        "Study file (start of its hash)": settings_sha256[:HASH_SHOWN],
        "Contact": settings.study.contact,
    }
    rows: list[tuple[Piece | Words, ...]] = [
        (name, Given(value, Kind.RELEASE)) for name, value in facts.items() if value
    ]
    sealed = [row["sentence"] for row in table_rows(con, "seal")]
    said = paragraph(Given(sealed[0], Kind.RELEASE) if sealed else EXPLORATORY)
    return (said, table(("Fact", "Value"), rows, n_labels=2))


SECTION = ReportSection("origin", "Where the numbers come from", _blocks)
