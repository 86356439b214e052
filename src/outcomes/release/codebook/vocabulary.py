"""How a published column is described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnText:
    """What a column means.

    Attributes
    ----------
    type : str
        DuckDB's type.
    description : str
        One sentence, with the meaning of an empty cell.
    unit : str
        Unit; empty for ids and codes.
    range : str
        Values that can occur; for a rating the study's scale says it.
    source : str
        Where it comes from; the table's own source where empty.
    scale : str
        Name of the scale in `study.toml` whose range and unit the column has.
    values : tuple of str
        The closed list of a text's values; empty where any text can occur.
    """

    type: str
    description: str
    unit: str = ""
    range: str = ""
    source: str = ""
    scale: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableText:
    """One published table: what one row is, where it comes from, its columns in order."""

    name: str
    description: str
    source: str
    columns: Mapping[str, ColumnText]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(self.columns)

    @property
    def sql(self) -> str:
        """Name and columns with types, as they stand in `create table`."""
        return f"{self.name} ({', '.join(f'{name} {column.type}' for name, column in self.columns.items())})"


def identifier(description: str, source: str = "") -> ColumnText:
    """Describe an id."""
    return ColumnText("VARCHAR", description, source=source)


def text(description: str, values: Iterable[str] = (), source: str = "") -> ColumnText:
    """Describe a text, with its closed list of values (an enumeration, say) where there is one."""
    listed = tuple(map(str, values))
    return ColumnText("VARCHAR", description, range=" | ".join(listed), source=source, values=listed)


def count(description: str, unit: str, type_: str = "INTEGER") -> ColumnText:
    """Describe a count."""
    return ColumnText(type_, description, unit, "0 or more")


def flag(description: str, source: str = "") -> ColumnText:
    """Describe a yes-or-no column."""
    return ColumnText("BOOLEAN", description, range="true | false", source=source)


def dummy(description: str) -> ColumnText:
    """Describe a 0/1 column."""
    return ColumnText("INTEGER", description, range="0 | 1")


def day(description: str, source: str = "") -> ColumnText:
    """Describe a date."""
    return ColumnText("DATE", description, "day", source=source)


def rating(scale: str, description: str, source: str = "") -> ColumnText:
    """Describe a rating: range and unit are its scale's."""
    return ColumnText("DOUBLE", f"{description}; empty where not rated", source=source, scale=scale)


def difference(description: str, scale: str = "directiveness") -> ColumnText:
    """Describe a difference of ratings."""
    return ColumnText("DOUBLE", description, "points of the scale", f"differences on the scale {scale}")


def number(description: str, range_: str = "", unit: str = "") -> ColumnText:
    """Describe another number."""
    return ColumnText("DOUBLE", description, unit, range_)
