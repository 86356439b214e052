"""Guidance and dropout under every definition that the data allow, and whether the conclusion depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import duckdb
import numpy as np
import polars as pl
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from outcomes.answers.analysis import Analysis
from outcomes.answers.common.estimates import Numbers, attempt, numbers, refuse_all
from outcomes.answers.common.fitting import LEVEL, fit_hazard_answer
from outcomes.answers.common.risk_set import HAZARD_TERMS, NO_GUIDANCE, baseline, definitions, has_guidance, risk_set
from outcomes.answers.common.tables import filled
from outcomes.answers.common.words import ALL, Cause, Reading
from outcomes.answers.dropout.incidence import incidence_rows
from outcomes.answers.dropout.tables import AGREEMENT, EFFECTS, INCIDENCE, RATES, TABLES, AgreementMeasure
from outcomes.errors import FitRefused
from outcomes.methods.dropout.agreement import agreement, cross_table
from outcomes.methods.dropout.dropout_bounds import EndingState, bound_undetermined, dropout_proportion
from outcomes.mixed import FitStatus
from outcomes.progress import tracked
from outcomes.study.settings import AnalysisName, StudySettings

_JUDGED = (Cause.DROPOUT.value, Cause.PLANNED.value)


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with tables `dropout_effects`, `dropout_agreement`, `dropout_incidence` and `dropout_rates`.

    Raises
    ------
    FitRefused
        Where no ending is recorded, or guidance was rated and no definition has enough dropouts, clients and
        therapists. Without ratings of guidance rates and agreement are the answer.
    """
    allowed = definitions(con)
    if not allowed:
        raise FitRefused("No endings are recorded in these data, so nothing can be said about dropout.")
    asked = [
        (definition, cause, reading) for definition in allowed for cause, reading in _questions(definition, settings)
    ]
    rows = [row for one in tracked(asked, "Dropout under each definition") for row in effect_rows(con, settings, *one)]
    if has_guidance(con.table("mart_person_session")):
        refuse_all(rows)
    return {
        EFFECTS.name: filled(EFFECTS, rows),
        AGREEMENT.name: filled(AGREEMENT, _agreements(con, allowed)),
        INCIDENCE.name: filled(INCIDENCE, incidence_rows(con, settings)),
        RATES.name: filled(RATES, _rates(con, settings, allowed)),
    }


def _questions(definition: str, settings: StudySettings) -> Iterator[tuple[Cause, Reading]]:
    """Dropout under three readings; planned endings once; other endings are the same under every definition."""
    yield from ((Cause.DROPOUT, reading) for reading in Reading)
    yield Cause.PLANNED, Reading.AS_RECORDED
    if definition == settings.dropout.definition:
        yield Cause.OTHER, Reading.AS_RECORDED


def effect_rows(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, definition: str, cause: Cause, reading: Reading
) -> list[dict]:
    """Effects of guidance on one cause-specific hazard, on the whole risk set (Lee, Feuer & Fine 2018)."""
    labels = {
        "definition": definition,
        "cause": cause,
        "reading": reading,
        "effect": ALL,
        "is_declared": definition == settings.dropout.definition,
    }
    rows = risk_set(con, definition, reading, settings.dropout.silent_days)

    def fitted() -> Iterator[tuple]:
        if not has_guidance(rows):
            raise FitRefused(NO_GUIDANCE)
        outcome = f"is_{cause}"
        at_risk, course = baseline(rows, outcome)
        terms = " + ".join([*_varying(at_risk), *course])
        model = fit_hazard_answer(f"{outcome} ~ {terms} + (1 | therapist_id)", at_risk, settings.disclosure)
        for term, words in HAZARD_TERMS.items():
            if term in model.fit.names:
                found = model.estimate(term)
                more = {"effect": words, "odds_ratio": float(np.exp(found.value)), "n_events": model.n_events}
                yield more, numbers(found, model)

    return attempt(labels, fitted)


def _varying(rows: duckdb.DuckDBPyRelation) -> list[str]:
    """Terms of guidance that vary: in the first session nothing has changed yet."""
    spread = rows.aggregate(
        ", ".join(f"coalesce(min({term}) < max({term}), false)" for term in HAZARD_TERMS)
    ).fetchall()[0]
    return [term for term, varies in zip(HAZARD_TERMS, spread, strict=True) if varies]


def _rates(con: duckdb.DuckDBPyConnection, settings: StudySettings, allowed: tuple[str, ...]) -> list[dict]:
    """Share of episodes that end in dropout, with Wilson's interval and Manski's bounds for the undetermined ones."""
    rows = []
    for definition in allowed:
        at_risk = risk_set(con, definition, Reading.AS_RECORDED, settings.dropout.silent_days)
        over = at_risk.filter("is_last and not (state = 'undetermined' and is_open)")
        states = over.project("state").pl()["state"].to_numpy()
        labels = {"definition": definition, "is_declared": definition == settings.dropout.definition}
        rows += attempt(labels, lambda states=states: _rate(states))
    return rows


def _rate(states: np.ndarray) -> Iterator[tuple]:
    n_known = int(np.sum(states != EndingState.UNDETERMINED))
    if not n_known:
        raise FitRefused("No episode has an ending that this definition can judge.")
    found = bound_undetermined(states, dropout_proportion)
    n_dropouts = int(np.sum(states == EndingState.DROPOUT))
    limits = proportion_confint(n_dropouts, n_known, alpha=1 - LEVEL, method="wilson")
    bounds = {"lowest": found.lowest, "highest": found.highest}
    counts = {"n_episodes": n_known, "n_undetermined": found.n_undetermined}
    error = float(np.sqrt(found.as_observed * (1 - found.as_observed) / n_known))
    yield bounds | counts, _certain(found.as_observed, error, limits)


def _agreements(con: duckdb.DuckDBPyConnection, allowed: tuple[str, ...]) -> list[dict]:
    """Kappa and AC1 of dropout against planned, over the episodes that both definitions judge."""
    wide = con.sql(
        "pivot (select episode_id, definition, state from core_dropout_labels) on definition using any_value(state) "
        "order by episode_id"
    ).pl()
    rows = []
    for first, second in combinations(allowed, 2):
        table = cross_table(wide[first].to_numpy(), wide[second].to_numpy(), _JUDGED)
        labels = {"definition": first, "definition_2": second}
        if not table.sum():
            refused = Numbers(reason="No episode is judged by both definitions.")
            more = {"measure": AgreementMeasure.ALL, "n_episodes": 0}
            rows += attempt(labels, lambda more=more, refused=refused: [(more, refused)])
            continue
        found = agreement(table)
        labels |= {"observed_prop": found.observed, "n_episodes": found.n}
        rows += attempt(labels, lambda found=found: _measures(found))
    return rows


def _measures(found) -> Iterator[tuple]:
    if np.isnan(found.kappa):
        yield {"measure": AgreementMeasure.KAPPA}, Numbers(reason="Both definitions give all episodes the same label.")
    else:
        half = stats.norm.ppf((1 + LEVEL) / 2) * found.kappa_std_error
        limits = (found.kappa - half, min(found.kappa + half, 1.0))
        yield {"measure": AgreementMeasure.KAPPA}, _certain(found.kappa, found.kappa_std_error, limits)
    yield {"measure": AgreementMeasure.AC1}, _certain(found.ac1, found.ac1_std_error, found.ac1_interval(LEVEL))


def _certain(value: float, error: float, limits: tuple[float, float]) -> Numbers:
    return Numbers(value, error, None, *map(float, limits), status=FitStatus.CONVERGED)


ANALYSIS = Analysis(AnalysisName.DROPOUT, TABLES, run)
