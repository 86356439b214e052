"""The differences of two releases as tables, text, JSON and HTML."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from html import escape

import polars as pl

from outcomes.store.html_tables import as_html_table
from outcomes.store.text_tables import as_text_table, cell_text

PARTS = ("causes", "rows", "checks", "verdicts", "estimates", "definitions")
_TITLES = {
    "causes": "Why: what went into the releases",
    "rows": "Rows of tables",
    "checks": "Data-quality checks",
    "verdicts": "Verdicts",
    "estimates": "Estimates",
    "definitions": "Definitions: models, columns, analyses",
}


@dataclass(frozen=True)
class Comparison:
    """What changed from release `before` to release `after`; a part without rows did not change.

    Attributes
    ----------
    before, after : str
        Ids of the releases.
    causes : polars.DataFrame
        `cause` (data, study file, code, seal, packages), `change` in words.
    rows : polars.DataFrame
        `table_name`, `before`, `after`, `change`; empty where a release has no such table.
    checks : polars.DataFrame
        `check_id`, `severity`, `before`, `after` (status), `violated_before`, `violated_after`, `sentence`.
    verdicts : polars.DataFrame
        `outcome`, `level`, `before`, `after`.
    estimates : polars.DataFrame
        `table_name`, `what`, `before`, `after`, `interval_before`, `interval_after`, `status_before`, `status_after`,
        and `is_beyond`: whether the estimate after lies outside the interval before.
    definitions : polars.DataFrame
        `what`, `name`, `before`, `after`.
    """

    before: str
    after: str
    causes: pl.DataFrame
    rows: pl.DataFrame
    checks: pl.DataFrame
    verdicts: pl.DataFrame
    estimates: pl.DataFrame
    definitions: pl.DataFrame

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return all(getattr(self, part).is_empty() for part in PARTS)

    def as_text(self, width: int = 120) -> str:
        """Return the differences as tables for a terminal, each part under its title."""
        said = [f"From release {self.before} to {self.after}"]
        if self.is_same:
            return f"{said[0]}: nothing changed."
        for part in PARTS:
            frame: pl.DataFrame = getattr(self, part)
            said.append(f"\n{_TITLES[part]}: {'no change' if frame.is_empty() else ''}".rstrip(": "))
            if part == "estimates":
                table, counts = _in_short(frame)
                said += [as_text_table(table, width=width)] if table.height else []
                said += counts
            elif not frame.is_empty():
                said.append(as_text_table(frame, width=width))
        return "\n".join(said)

    def as_json(self) -> str:
        """Return the differences as one JSON object, a list of rows for each part."""
        content = {one.name: getattr(self, one.name) for one in fields(self)}
        rows = {name: part.to_dicts() if isinstance(part, pl.DataFrame) else part for name, part in content.items()}
        return json.dumps(rows, indent=2, ensure_ascii=False, default=str)

    def __str__(self) -> str:
        return self.as_text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = f"<p>From release <code>{self.before}</code> to <code>{self.after}</code></p>"
        if self.is_same:
            return f"{head}<p>Nothing changed.</p>"
        parts = []
        for part in PARTS:
            frame: pl.DataFrame = getattr(self, part)
            if frame.is_empty():
                continue
            table, counts = _in_short(frame) if part == "estimates" else (frame, [])
            numbers = [table[name].dtype.is_numeric() for name in table.columns]
            rows = [[cell_text(cell) for cell in row] for row in table.iter_rows()]
            shown = as_html_table(table.columns, rows, numbers) if rows else ""
            parts.append(
                f"<p><b>{escape(_TITLES[part])}</b></p>{shown}" + "".join(f"<p>{escape(one)}</p>" for one in counts)
            )
        return head + "".join(parts)


def _in_short(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Estimates that both releases have, with their intervals; of those that one has alone, how many."""
    is_shared = pl.col("status_before").is_not_null() & pl.col("status_after").is_not_null()
    shared = frame.filter(is_shared).select(
        "table_name", "what", *(_with_interval(name) for name in ("before", "after")),
        pl.when("is_beyond").then(pl.lit("yes")).otherwise(pl.lit("")).alias("beyond interval"),
    )  # fmt: skip
    alone = frame.filter(~is_shared).group_by("table_name", pl.col("status_before").is_null().alias("is_new"))
    counts = [
        f"{row['table_name']}: {row['len']} {'new' if row['is_new'] else 'gone'}"
        for row in alone.len().sort("table_name", "is_new").iter_rows(named=True)
    ]
    return shared, counts


def _with_interval(name: str) -> pl.Expr:
    value = pl.col(name).map_elements(lambda number: f"{number:.4g}", return_dtype=pl.String)
    interval = pl.when(pl.col(f"interval_{name}").is_null()).then(pl.lit("")).otherwise(
        pl.format(" ({})", f"interval_{name}")
    )  # fmt: skip
    return pl.concat_str(value.fill_null(""), interval, pl.lit(" "), f"status_{name}").alias(name)
