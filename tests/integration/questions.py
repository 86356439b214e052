"""The questions of docs/queries.md, to be run on a release."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from outcomes.store.warehouse import connect

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"


@dataclass(frozen=True)
class Question:
    """One heading of the page with its SQL."""

    number: int
    title: str
    sql: str


def read_questions(page: Path = PAGE) -> tuple[Question, ...]:
    """Read every `## n. title` with the SQL block under it."""
    sections = re.split(r"^## (\d+)\. (.+)\n", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    parts = zip(sections[::3], sections[1::3], sections[2::3], strict=True)
    return tuple(
        Question(int(number), title, re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1])
        for number, title, text in parts
    )


def ask_all(database: Path) -> dict[int, list[dict]]:
    """Ask all questions on one read-only connection; return the rows of each by the question's number."""
    with connect(database, read_only=True) as con:
        con.execute("set enable_external_access = false")
        return {question.number: con.sql(question.sql).pl().to_dicts() for question in read_questions()}
