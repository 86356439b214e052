"""Dropout and satisfaction at given distances from the client's preference, and at given amounts of guidance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import duckdb
import polars as pl

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import Numbers, attempt, refuse_all
from outcomes.answers.common.tables import filled
from outcomes.answers.contrasts.dropout import BEFORE, DropoutModel, dropout_model
from outcomes.answers.contrasts.satisfaction import SatisfactionModel, satisfaction_model
from outcomes.answers.contrasts.surface import Level, levels_of, why_not
from outcomes.answers.contrasts.tables import (
    DROPOUT,
    SATISFACTION,
    TABLES,
    ContrastBy,
    ContrastLevel,
    ContrastQuantity,
)
from outcomes.answers.contrasts.therapist_bootstrap import Bootstrapped
from outcomes.mixed import FitStatus
from outcomes.study.settings import AnalysisName, StudySettings

_ALL = {"level": ContrastLevel.ALL, "quantity": ContrastQuantity.ALL}


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with tables `contrasts_dropout` and `contrasts_satisfaction`.

    Raises
    ------
    FitRefused
        Where neither outcome can be modelled: too few therapists, clients, endings or ratings.
    """
    definition = {"definition": settings.dropout.definition.value}
    first = {"contrast": ContrastBy.DISTANCE, **_ALL}
    of_dropout = attempt(definition | first, lambda: _risks(con, settings))
    held = attempt(definition | first, lambda: _held(con, settings))
    of_dropout += [row for row in held if row["status"] == FitStatus.CONVERGED]
    of_satisfaction = attempt(first, lambda: _means(con, settings))
    refuse_all(of_dropout + of_satisfaction)
    return {DROPOUT.name: filled(DROPOUT, of_dropout), SATISFACTION.name: filled(SATISFACTION, of_satisfaction)}


def _risks(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple[dict, Numbers]]:
    model = dropout_model(con, settings)
    for by in ContrastBy:
        yield from _contrasts(by, model, settings, ContrastQuantity.RISK, model.risks, _by_session(model))


def _held(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple[dict, Numbers]]:
    """The differences by distance once more, clients held at the same satisfaction with the sessions before.

    Therapists who guide otherwise after a bad session, and clients who need more guidance because they do badly, make
    differences that this model does not have. Nor has it what guidance does through the satisfaction with earlier
    sessions, so its numbers are a check and are not quoted.
    """
    model = dropout_model(con, settings, (BEFORE,))
    made = _contrasts(ContrastBy.DISTANCE, model, settings, ContrastQuantity.RISK, model.risks, _by_session(model))
    for words, found in made:
        if words["quantity"] == ContrastQuantity.DIFFERENCE:
            yield words | {"quantity": ContrastQuantity.HELD}, found


def _by_session(model: DropoutModel) -> tuple[tuple[dict, tuple[int, ...]], ...]:
    """Where the numbers of a level are that are told."""
    return tuple(({"session": t}, (t - 1,)) for t in model.told)


def _means(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple[dict, Numbers]]:
    model = satisfaction_model(con, settings)
    for by in ContrastBy:
        yield from _contrasts(by, model, settings, ContrastQuantity.MEAN, model.means, (({}, ()),))


def _contrasts(
    by: ContrastBy,
    model: DropoutModel | SatisfactionModel,
    settings: StudySettings,
    quantity: ContrastQuantity,
    estimated: Callable[[tuple[Level, ...]], Bootstrapped],
    cells: tuple[tuple[dict, tuple[int, ...]], ...],
) -> Iterator[tuple[dict, Numbers]]:
    """Every level of a contrast, then its difference from the reference; what cannot be told says why.

    `cells` are the numbers of a level: words, and the place in what `estimated` gives.
    """
    levels = levels_of(by, model.scale)
    whys = [why_not(level, model.rows, model.scale, settings.disclosure.minimum_therapists) for level in levels]
    if all(whys):
        yield {"contrast": by, **_ALL}, Numbers(reason=" ".join(dict.fromkeys(whys)))
        return
    found = estimated(levels)
    for told, of in ((quantity, found), (ContrastQuantity.DIFFERENCE, found.less(0))):
        for k, (level, why) in enumerate(zip(levels, whys, strict=True)):
            if told is ContrastQuantity.DIFFERENCE and not k:
                continue  # the reference itself
            words = {**level.words, "quantity": told, "scale_end_prop": level.cut(model.preferred, model.scale)}
            if told is ContrastQuantity.DIFFERENCE and not why:
                why = whys[0] and f"There is nothing to compare with. {whys[0]}"
            if why:
                yield words, Numbers(reason=why)
                continue
            for more, place in cells:
                yield words | more, _numbers(of, (k, *place), model, is_tested=told is not quantity)


def _numbers(
    found: Bootstrapped, at: tuple[int, ...], model: DropoutModel | SatisfactionModel, *, is_tested: bool
) -> Numbers:
    """One number with its interval; a p-value only where 0 means no effect."""
    low, high = found.interval
    value, error, conf_low, conf_high = (float(one[at]) for one in (found.point, found.std_error, low, high))
    p_value = float(found.p_value[at]) if is_tested else math.nan
    n_sessions, n_clients, n_therapists = model.people
    return Numbers(
        value, error, p_value if math.isfinite(p_value) else None, min(conf_low, value), max(conf_high, value),
        FitStatus.CONVERGED, n_sessions=n_sessions, n_clients=n_clients, n_therapists=n_therapists,
    )  # fmt: skip


ANALYSIS = Analysis(AnalysisName.CONTRASTS, TABLES, run)
