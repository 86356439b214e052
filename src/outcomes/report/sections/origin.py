"""Where the numbers come from: whether the analysis was fixed beforehand, data cut, code version, release."""

from __future__ import annotations

import duckdb

from outcomes.report.page.blocks import Section, paragraph, table
from outcomes.report.page.pieces import Given, Kind, Piece, Words
from outcomes.report.reading.tables import table_rows
from outcomes.study.settings import StudySettings

HASH_SHOWN = 12  # hexadecimal digits
EXPLORATORY = "This analysis is exploratory: its choices were not fixed before the outcomes were seen."


def data_cut(release: dict) -> str:
    """The last day of the data in words; empty where the sources have no dates."""
    return f"{release['data_cut']:%-d %B %Y}" if release["data_cut"] else ""


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings, settings_sha256: str) -> Section:
    """One row a fact; table `release`."""
    (release,) = table_rows(con, "release")
    facts = {
        "Study": settings.study.name,
        "Data up to": data_cut(release) or "not known: the sources carry no dates",
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
    return Section("origin", "Where the numbers come from", (said, table(("Fact", "Value"), rows, n_labels=2)))
