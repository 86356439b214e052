"""Said first where outcomes are withheld: why the report is silent on them."""

from __future__ import annotations

import duckdb

from outcomes.report.page.blocks import Section, headline, paragraph
from outcomes.report.reading.tables import table_rows
from outcomes.study.settings import StudySettings

WITHHELD = (
    "Nothing is said yet about satisfaction or dropout: the researchers have to fix first how they will analyse the "
    "data. Where this report says that a rating or an ending is not there, this is why."
)


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section | None:
    """What table `seal` says of withheld outcomes; its other states are told with the origin of the numbers."""
    withheld = [row for row in table_rows(con, "seal") if row.get("status") == "withheld"]
    if not withheld:
        return None
    return Section("seal", "Not told yet", (headline(withheld[0]["sentence"]), paragraph(WITHHELD)))
