"""The data dictionary of the docs: `python -m outcomes.answers.dictionary` prints it."""

from __future__ import annotations

from outcomes.answers.run import ANSWER_TABLES
from outcomes.release.codebook.comments import measure
from outcomes.release.codebook.tables import TABLES
from outcomes.release.codebook.vocabulary import TableText

_INTRODUCTION = """\
# Data dictionary

The tables of a release (`outcomes.duckdb`). In the database the same words are comments on tables and columns, and
rows of the table `codebook`, with the ranges that the study declares for its scales. A scale that only the study
declares, `[scales.hope]`, is the column `hope_score` beside the other ratings of `core_sessions`, `mart_sessions` and
`mart_session_directiveness`.
Generated: `python -m outcomes.answers.dictionary > docs/data-dictionary.md`.
"""


def data_dictionary() -> str:
    """Return the data dictionary of all tables as Markdown."""
    return _INTRODUCTION + "".join(_section(table) for table in (*TABLES.values(), *ANSWER_TABLES.values()))


def _section(table: TableText) -> str:
    lines = [
        f"\n## {table.name}\n\n{table.description}. Source: {table.source}.\n",
        "| column | type | meaning | unit | range | source |",
        "|---|---|---|---|---|---|",
    ]
    for name, text in table.columns.items():
        unit, values = measure(text, None)
        cells = (f"`{name}`", text.type, text.description, unit or "", values or "", text.source or table.source)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(data_dictionary(), end="")
