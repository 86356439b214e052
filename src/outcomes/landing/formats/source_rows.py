"""What a reader of one format hands to the rules: its records, which of them are malformed, and SQL over the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from outcomes.contract import Rule


@dataclass(frozen=True)
class SourceRows:
    """The records of one file.

    Attributes
    ----------
    relation : str
        SQL that yields the well-formed records in file order, a VARCHAR column `c<place>` for each column that is read.
    native_relation : str
        The same with numbers and dates read by DuckDB's reader, which fails at the first cell that is neither; faster.
        Empty where there is none.
    lines : ndarray of int64, shape (n_records,)
        Physical line of each record's start, from 1.
    malformed : dict of int to Rule
        Records that cannot be split into cells, by their place among all records.
    raw_cells : callable
        Gives the cells of records (ascending places) as they stand in the file, one list a record.
    is_typed : bool
        True where the format has its own true, false and numbers (Parquet, NDJSON).
    has_blanks : bool
        False where no cell can have outer blanks, so that none need be taken off.
    """

    relation: str
    lines: np.ndarray
    malformed: dict[int, Rule]
    raw_cells: Callable[[Sequence[int]], Iterable[list[str]]]
    is_typed: bool = False
    native_relation: str = ""
    has_blanks: bool = True
    well_formed: np.ndarray = field(init=False)  # places of the well-formed records

    def __post_init__(self) -> None:
        keep = np.ones(self.lines.size, bool)
        keep[list(self.malformed)] = False
        object.__setattr__(self, "well_formed", np.flatnonzero(keep))

    @property
    def n_records(self) -> int:
        """Records of the file, malformed ones included."""
        return int(self.lines.size)


def text_literal(text: str) -> str:
    """Write a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: object) -> str:
    """Write a path for DuckDB's readers, which would take `*`, `?` and `[` for patterns."""
    return text_literal("".join(f"[{sign}]" if sign in "*?[" else sign for sign in str(path)))
