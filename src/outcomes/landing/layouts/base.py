"""What a layout is: how an export is opened, laid out as tidy rows, recognised, and rewritten without some rows.

A layout decides nothing about values. It hands on text under the export's own column names; mapping, contract,
identifiers, rules and quarantine come after it and are the same for every file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outcomes.contract import Kind, LeftOut, Refusal, Rule
from outcomes.landing.refusal import FileRefused
from outcomes.scoring.agreement import Agreement
from outcomes.study.settings import Source, StudySettings


class CannotRewrite(FileRefused):
    """A file holds rows that are to go, and is of a format that cannot be written."""

    def __init__(self, what: str) -> None:
        super().__init__(
            Refusal.UNREADABLE, f"a {what} cannot be written without some rows",
            "take the rows out in the program that made the file, or remove it",
        )  # fmt: skip


@dataclass(frozen=True)
class Export:
    """One source file as a layout gets it.

    Attributes
    ----------
    content : Path
        The file, unpacked.
    suffix : str
        The ending of its name that tells the format, in lower case with its dot.
    scratch : Path
        A folder for what must lie on the disk meanwhile.
    kinds : tuple of Kind
        All kinds that the file feeds, in the order of the study file.
    settings : StudySettings
        The study.
    """

    content: Path
    suffix: str
    scratch: Path
    kinds: tuple[Kind, ...]
    settings: StudySettings

    def source(self, kind: Kind) -> Source:
        """Return what the study says of the file as one of its kinds."""
        return self.settings.sources[kind]

    @property
    def first(self) -> Source:
        """What the study says of the file as a whole: encoding, dictionary. The sources of one file agree on it."""
        return self.settings.sources[self.kinds[0]]


@dataclass(frozen=True)
class Table:
    """An export as it was opened: every cell as text, nothing joined, nothing left out.

    Attributes
    ----------
    frame : DataFrame of String
        The well-formed records under the export's column names; '' is an empty cell, null is none.
    lines : ndarray of int64, shape (frame.height,)
        Physical line (row of the sheet, row number + 1) at which each record starts.
    malformed : dict of int to tuple of Rule and list of str
        By line, records that cannot be split into cells, with their raw cells.
    is_typed : bool
        The format has true, false and numbers of its own.
    facts : dict
        What the layout itself needs to know of the file, such as value labels.
    """

    frame: pl.DataFrame
    lines: np.ndarray
    malformed: dict[int, tuple[Rule, list[str]]] = field(default_factory=dict)
    is_typed: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tidy:
    """The rows of one kind, ready for mapping and rules.

    Attributes
    ----------
    frame : DataFrame of String
        One row a row of the kind, in the order of `lines`.
    lines : ndarray of int64, shape (frame.height,)
        Line of the export from which each row comes; several rows may share one.
    left_out : dict of LeftOut to int
        Rows that are none of this kind, by reason. Rows of the export = rows of `frame` + these + malformed ones.
    dropped : tuple of str
        Columns that the layout does not pass on: they identify persons, or say nothing about the study.
    n_read : int
        Rows of the export (in a wide file: clients times sessions), malformed ones not counted.
    notes : tuple of str
        What a data manager should know: no value, no id.
    agreement : Agreement, optional
        How far the coders of a rating agree, where the rating was made of their codes.
    """

    frame: pl.DataFrame
    lines: np.ndarray
    n_read: int
    left_out: dict[LeftOut, int] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    agreement: Agreement | None = None


@dataclass(frozen=True)
class Recognised:
    """What a file looks like, told from its first rows.

    Attributes
    ----------
    layout : str
        Value of `format` in a source of `study.toml`.
    why : str
        What it was told by, in a sentence without values.
    options : dict
        Guessed options of the source, by their keys in `study.toml` ("redcap.instrument").
    notes : tuple of str
        What to know or to decide.
    """

    layout: str
    why: str
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """One layout.

    Attributes
    ----------
    name : str
        Value of `format` in a source of `study.toml`.
    title : str
        As messages name it.
    suffixes : tuple of str
        Endings of file names that it reads, in lower case with their dot.
    open : callable
        Export to Table. Raises FileRefused for what cannot be read.
    arrange : callable
        (Table, Export, Kind) to Tidy. Raises FileRefused.
    owners : callable
        (Table, Export) to a frame that has, for every record of the table in its order, the columns in which the
        study's client and episode ids stand: withdrawals search it. Most layouts return the table's own frame.
    rewrite : callable, optional
        (Export, target, lines) writes the export without the records that start on some lines; None where the format
        cannot be written: a withdrawal then names the file.
    recognise : callable, optional
        (Path) to Recognised, or None where the file does not look like it. Never raises for a damaged file.
    answers : str
        What of the study's questions such sources can and cannot answer, in a sentence; '' where it depends on the
        columns alone, as `outcomes check` says.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    open: Callable[[Export], Table]
    arrange: Callable[[Table, Export, Kind], Tidy]
    owners: Callable[[Table, Export], pl.DataFrame]
    rewrite: Callable[[Export, Path, set[int]], None] | None = None
    recognise: Callable[[Path], Recognised | None] | None = None
    answers: str = ""
