"""Whether what follows was planned before outcomes were seen, or is exploratory."""

from __future__ import annotations

import duckdb

from outcomes.report.blocks import Section, headline, note
from outcomes.report.pieces import Given, Kind
from outcomes.report.rows import table_rows
from outcomes.study.settings import StudySettings

NAME = "seal"
TITLE = "Planned or exploratory"

_MEANS = {
    "exploratory": "Nobody wrote down beforehand how the data would be analysed. A link that shows may be one that was "
    "looked for until it was found; it should be seen again in new data.",
    "withheld": "Nothing is said yet about satisfaction or dropout: the researchers have to fix first how they will "
    "analyse the data. Where this report says that a rating or an ending is not there, this is why.",
    "sealed_before_outcomes": "How the data are analysed was fixed before anybody saw a rating of satisfaction or an "
    "ending in the database, and was not changed since.",
    "sealed_after_outcomes": "How the data are analysed was fixed, but outcomes could be seen by then; it was not "
    "changed since.",
    "changed_after_sealing": "What was fixed beforehand is not what was done here. A link that shows should be seen "
    "again in new data.",
}


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section | None:
    """What table `seal` says, and what it means for a reader."""
    rows = table_rows(con, "seal")
    if not rows:
        return None
    (row,) = rows
    return Section(NAME, TITLE, (headline(Given(row["sentence"], Kind.RELEASE)), note(_MEANS[row["status"]])))
