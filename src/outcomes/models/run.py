"""The step of the pipeline that fits a study's declared models to a candidate release."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from outcomes.mixed import FitStatus
from outcomes.models.fitting import fit_spec
from outcomes.models.specs import declared_specs
from outcomes.models.state import FitState
from outcomes.models.tables import TABLES, write_tables
from outcomes.progress import tracked
from outcomes.release.folders import DATABASE
from outcomes.store.files import read_json, write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.settings import ModelSpec

FITS = "fits.json"


def fit_models(folder: Path, study: StudyFolder) -> tuple[FitState, ...]:
    """Fit every declared model, write the model tables in one transaction, then `fits.json`.

    Parameters
    ----------
    folder : Path
        A candidate release with its database.
    study : StudyFolder
        Declares the models and the thresholds; a study that declares none gets a new study's models.

    Returns
    -------
    tuple of FitState
        One a model, in declared order. A model that cannot be fitted is a state with a reason.

    Notes
    -----
    `fits.json` is written last: where it holds the same specifications the work is done, and nothing is touched.
    """
    specs = declared_specs(study.settings)
    if done := _states_on_file(folder, specs):
        return done
    with connect(folder / DATABASE) as con:
        fits = [fit_spec(con, spec, study.settings.disclosure) for spec in tracked(specs, "Fitting models", len(specs))]
        write_tables(con, fits, study.settings)
    states = tuple(fit.state for fit in fits)
    write_json(folder / FITS, {"specs": _as_json(specs), "states": [asdict(state) for state in states]})
    return states


def _states_on_file(folder: Path, specs: tuple[ModelSpec, ...]) -> tuple[FitState, ...]:
    """States of an earlier run of the same specifications on this database; empty where there was none."""
    if not (folder / FITS).is_file():
        return ()
    on_file = read_json(folder / FITS)
    if on_file["specs"] != _as_json(specs) or not _has_tables(folder / DATABASE):
        return ()
    return tuple(FitState(**state | {"status": FitStatus(state["status"])}) for state in on_file["states"])


def _has_tables(database: Path) -> bool:
    """Whether the database holds the model tables: a rebuilt one does not."""
    with connect(database, read_only=True) as con:
        found = con.execute("select table_name from duckdb_tables() where not internal").fetchall()
    return set(TABLES) <= {name for (name,) in found}


def _as_json(specs: tuple[ModelSpec, ...]) -> list[dict]:
    return [spec.model_dump(mode="json") | {"formula": spec.formula} for spec in specs]
