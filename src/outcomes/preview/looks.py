"""What was found in source files: of each file, and of all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from outcomes.contract import Kind
from outcomes.preview.cells import FoundTable
from outcomes.preview.columns import FoundColumn
from outcomes.preview.guesses import Guess, Mapping
from outcomes.preview.landing_trial import Trial
from outcomes.study.answerable import Answer
from outcomes.study.tables.layouts import LayoutName


@dataclass(frozen=True)
class FileLook:
    """What was found in one file.

    Attributes
    ----------
    name : str
    table : FoundTable or None
        None where the file cannot be read; `refused` and `hint` then say why.
    columns : tuple of FoundColumn
    kind : Kind or None
        None where no kind of file fits.
    guesses : tuple of Guess
        What columns would become.
    identifying : dict of str to tuple of str
        Columns that seem to point at persons, with the kinds of identifiers.
    unknown : dict of str to tuple of str
        Columns that nothing is known of, with the nearest names of the contract.
    trial : Trial or None
        What landing would say; None where there is nothing to try.
    source_lines : tuple of str
        What the study file must say of how the file is laid out.
    layout : LayoutName
    codes : dict of str to dict of str to str
        What codes stand for, by the contract's column, where the layout says so.
    elsewhere : dict of str to Kind
        Columns that are read for a further kind.
    also : tuple of FileLook
        The same file as further kinds: each of its kinds is looked at under its own rules.
    sheet : str
        Of a workbook that has several.
    is_further : bool
        Its columns stand in the table of another kind, which they were taken from.
    room : Path or None
        Folder of the table that is tried.
    """

    name: str
    table: FoundTable | None = None
    columns: tuple[FoundColumn, ...] = ()
    kind: Kind | None = None
    guesses: tuple[Guess, ...] = ()
    identifying: dict[str, tuple[str, ...]] | None = None
    unknown: dict[str, tuple[str, ...]] | None = None
    trial: Trial | None = None
    refused: str = ""
    hint: str = ""
    mapping: Mapping | None = None
    source_lines: tuple[str, ...] = ()
    layout: LayoutName = LayoutName.TABLE
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    elsewhere: dict[str, Kind] = field(default_factory=dict)
    also: tuple[FileLook, ...] = ()
    sheet: str = ""
    is_further: bool = False
    room: Path | None = None

    @property
    def every(self) -> tuple[FileLook, ...]:
        """The looks at the file as each of its kinds."""
        return (self, *self.also)


@dataclass(frozen=True)
class Look:
    """What was found in all files together: the questions that they can answer, and the study file to paste."""

    files: tuple[FileLook, ...]
    answers: tuple[Answer, ...]
    study_lines: tuple[str, ...]

    @property
    def n_refused(self) -> int:
        """Files that cannot be read."""
        return sum(one.table is None for one in self.files)
