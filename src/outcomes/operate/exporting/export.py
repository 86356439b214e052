"""The export: marts of one release as files, with their codebook."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import duckdb
import polars as pl

from outcomes.errors import StorageError, UsageError, no_such
from outcomes.operate.exporting.described import DescribedTable, described_tables
from outcomes.operate.exporting.frictionless import DATAPACKAGE, datapackage
from outcomes.operate.exporting.r_script import SCRIPT, r_script
from outcomes.operate.exporting.spss import write_spss
from outcomes.release.places import KeptRelease
from outcomes.store.files import sync_tree, write_json, write_text
from outcomes.store.spreadsheet_cells import neutralise_formulas
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder

_ASIDE = ".export-"


class ExportFormat(StrEnum):
    """What is written."""

    PARQUET = "parquet"
    CSV = "csv"
    RDS_READY = "rds-ready"
    SAV = "sav"


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes
    ----------
    folder : Path
    files : tuple of str
        Names of the files, in the order of writing.
    n_rows : dict of str to int
        Rows of each table.
    """

    folder: Path
    files: tuple[str, ...]
    n_rows: dict[str, int]


def export_release(
    study: StudyFolder, release: KeptRelease, folder: Path, form: ExportFormat, tables: Sequence[str] = ()
) -> Exported:
    """Write the marts of a release and its codebook into a new folder: all of it or nothing.

    Only what the published database holds is written, de-identified as it stands there.

    Parameters
    ----------
    study : StudyFolder
        The study, whose own folder is never written to.
    release : KeptRelease
        From `outcomes.release.places.find_release`.
    folder : Path
        Where to; must not be there yet, or be empty.
    form : ExportFormat
        "parquet"; "csv" with a Frictionless `datapackage.json`; "rds-ready", CSV with a script that makes R's data
        frames of it; "sav" for SPSS, with labels.
    tables : sequence of str
        Tables to write instead of the marts.

    Raises
    ------
    UsageError
        If the folder is in the study or not empty, or a table is not there.
    StorageError
        If it cannot be written.
    """
    target = _free_folder(study, folder)
    with connect(release.database, read_only=True) as con:
        known = described_tables(con)
        for name in tables:
            if name not in known:
                raise no_such("table of this release", name, known)
        wanted = list(tables) or [name for name in known if name.startswith("mart_")]
        chosen = {name: known[name] for name in dict.fromkeys([*wanted, "codebook"])}
        aside = target.with_name(f"{_ASIDE}{uuid.uuid4().hex}")
        try:
            aside.mkdir(parents=True)
            n_rows = {name: _write(con, table, aside, _WRITERS[form]) for name, table in chosen.items()}
            _write_beside(aside, form, study, release, chosen)
            sync_tree(aside)
            if target.exists():
                target.rmdir()
            os.rename(aside, target)
        except OSError as failed:
            raise StorageError(
                f"The export could not be written: {failed.strerror or type(failed).__name__}",
                "check space and permissions",
            ) from failed
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return Exported(target, tuple(sorted(path.name for path in target.iterdir())), n_rows)


def _free_folder(study: StudyFolder, folder: Path) -> Path:
    target = folder.expanduser().resolve()
    if target == study.root or study.root in target.parents:
        raise UsageError(
            "The export would lie in the study's own folder, where files are landed and checked",
            "choose a folder elsewhere with --to",
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"There is something in {target} already", "choose a new folder; nothing was written")
    return target


def _write(
    con: duckdb.DuckDBPyConnection, table: DescribedTable, folder: Path,
    writer: Callable[[pl.DataFrame, DescribedTable, Path], None],
) -> int:  # fmt: skip
    frame = con.sql(f'select * from "{table.name}" order by all').pl()
    writer(frame, table, folder)
    return frame.height


def _write_parquet(frame: pl.DataFrame, table: DescribedTable, folder: Path) -> None:
    frame.write_parquet(folder / f"{table.name}.parquet", metadata={"description": table.description})


def _write_csv(frame: pl.DataFrame, table: DescribedTable, folder: Path) -> None:
    neutralise_formulas(frame).write_csv(folder / f"{table.name}.csv")


def _write_sav(frame: pl.DataFrame, table: DescribedTable, folder: Path) -> None:
    write_spss(frame, table, folder / f"{table.name}.sav")


_WRITERS: Mapping[ExportFormat, Callable[[pl.DataFrame, DescribedTable, Path], None]] = {
    ExportFormat.PARQUET: _write_parquet,
    ExportFormat.CSV: _write_csv,
    ExportFormat.RDS_READY: _write_csv,
    ExportFormat.SAV: _write_sav,
}


def _write_beside(
    folder: Path, form: ExportFormat, study: StudyFolder, release: KeptRelease, tables: Mapping[str, DescribedTable]
) -> None:
    """What says what the columns mean, where the files themselves cannot."""
    if form is ExportFormat.SAV:
        return
    suffix = "parquet" if form is ExportFormat.PARQUET else "csv"
    package = datapackage(study.settings.study.name, release, tables.values(), suffix)
    write_json(folder / DATAPACKAGE, package)
    if form is ExportFormat.RDS_READY:
        write_text(folder / SCRIPT, r_script(tables.values()))
