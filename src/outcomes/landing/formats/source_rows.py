"""What a reader of one format hands to the rules: its records, which of them are malformed, and SQL over the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from outcomes.contract import LeftOut, Rule
from outcomes.scoring.agreement import Agreement


@dataclass(frozen=True)
class LaidOut:
    """How a layout came from an export to these records.

    Attributes
    ----------
    layout : str
        Its name.
    n_read : int
        Rows of the export (in a wide file: clients times sessions): the records and those left out.
    left_out : dict of LeftOut to int
        Rows that are none of this kind.
    notes : tuple of str
        What a data manager should know.
    agreement : Agreement, optional
        How far coders agree on a rating that was made of their codes.
    """

    layout: str = ""
    n_read: int = 0
    left_out: dict[LeftOut, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    agreement: Agreement | None = None


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
    laid_out : LaidOut
        How a layout made the records of the export's rows; empty where each row is a record as it stands.
    """

    relation: str
    lines: np.ndarray
    malformed: dict[int, Rule]
    raw_cells: Callable[[Sequence[int]], Iterable[list[str]]]
    is_typed: bool = False
    native_relation: str = ""
    has_blanks: bool = True
    laid_out: LaidOut = LaidOut()
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
