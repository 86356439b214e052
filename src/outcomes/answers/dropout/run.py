"""Guidance and dropout under every definition that the data allow, and whether the conclusion depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import duckdb
import numpy as np
import polars as pl
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from outcomes.answers.common.estimates import REFUSED, Numbers, as_table, attempt, numbers, refuse_all
from outcomes.answers.common.fitting import LEVEL, fit_hazard_answer
from outcomes.answers.common.risk_set import GUIDANCE, Cause, Reading, baseline, definitions, risk_set
from outcomes.answers.dropout.incidence import DIFFERENCE, incidence_rows
from outcomes.errors import FitRefused
from outcomes.methods.dropout.agreement import agreement, cross_table
from outcomes.methods.dropout.dropout_bounds import EndingState, bound_undetermined, dropout_proportion
from outcomes.models.state import ModelStatus
from outcomes.progress import tracked
from outcomes.study.settings import StudySettings

NAME = "dropout"
EFFECTS, AGREEMENT, INCIDENCE = "dropout_effects", "dropout_agreement", "dropout_incidence"
RATES = "dropout_rates"
TABLES = (EFFECTS, AGREEMENT, INCIDENCE, RATES)
EFFECT_WORDS = ("definition", "cause", "reading", "effect")
AGREEMENT_WORDS = ("definition", "definition_2", "measure")
INCIDENCE_WORDS = ("definition", "cause", "guidance")
_JUDGED = (Cause.DROPOUT.value, Cause.PLANNED.value)


def run(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> dict[str, pl.DataFrame]:
    """Answer with tables `dropout_effects`, `dropout_agreement`, `dropout_incidence` and `dropout_rates`.

    Raises
    ------
    FitRefused
        Where no ending is recorded, or no definition has enough dropouts, clients and therapists.
    """
    allowed = definitions(con)
    if not allowed:
        raise FitRefused("No endings are recorded in these data, so nothing can be said about dropout.")
    asked = [
        (definition, cause, reading) for definition in allowed for cause, reading in _questions(definition, settings)
    ]
    rows = [row for one in tracked(asked, "Dropout under each definition") for row in effect_rows(con, settings, *one)]
    refuse_all(rows)
    return {
        EFFECTS: as_table(rows, EFFECT_WORDS),
        AGREEMENT: as_table(_agreements(con, allowed), AGREEMENT_WORDS),
        INCIDENCE: as_table(incidence_rows(con, settings), INCIDENCE_WORDS),
        RATES: as_table(_rates(con, settings, allowed), ("definition",)),
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
        "cause": cause.value,
        "reading": reading.value,
        "effect": "all",
        "is_declared": definition == settings.dropout.definition,
        "odds_ratio": None,
        "n_events": None,
    }
    rows = risk_set(con, definition, reading, settings.dropout.silent_days)

    def fitted() -> Iterator[tuple]:
        outcome = f"is_{cause}"
        at_risk, course = baseline(rows, outcome)
        terms = " + ".join([*_varying(at_risk), *course])
        model = fit_hazard_answer(f"{outcome} ~ {terms} + (1 | therapist_id)", at_risk, settings.disclosure)
        for term, words in GUIDANCE.items():
            if term in model.fit.names:
                found = model.estimate(term)
                more = {"effect": words, "odds_ratio": float(np.exp(found.value)), "n_events": model.n_events}
                yield more, numbers(found, model)

    return attempt(labels, fitted)


def _varying(rows: duckdb.DuckDBPyRelation) -> list[str]:
    """Terms of guidance that vary: in the first session nothing has changed yet."""
    spread = rows.aggregate(", ".join(f"coalesce(min({term}) < max({term}), false)" for term in GUIDANCE)).fetchall()[0]
    return [term for term, varies in zip(GUIDANCE, spread, strict=True) if varies]


def _rates(con: duckdb.DuckDBPyConnection, settings: StudySettings, allowed: tuple[str, ...]) -> list[dict]:
    """Share of episodes that end in dropout, with Wilson's interval and Manski's bounds for the undetermined ones."""
    rows = []
    for definition in allowed:
        at_risk = risk_set(con, definition, Reading.AS_RECORDED, settings.dropout.silent_days)
        over = at_risk.filter("is_last and not (state = 'undetermined' and is_open)")
        states = over.project("state").pl()["state"].to_numpy()
        labels = {"definition": definition, "is_declared": definition == settings.dropout.definition}
        rows += attempt(labels | _no_bounds(), lambda states=states: _rate(states))
    return rows


def _no_bounds() -> dict:
    return {"lowest": None, "highest": None, "n_episodes": None, "n_undetermined": None}


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
            more = {"measure": "all", "observed_prop": None, "n_episodes": 0}
            rows += attempt(labels, lambda more=more, refused=refused: [(more, refused)])
            continue
        found = agreement(table)
        labels |= {"observed_prop": found.observed, "n_episodes": found.n}
        rows += attempt(labels, lambda found=found: _measures(found))
    return rows


def _measures(found) -> Iterator[tuple]:
    if np.isnan(found.kappa):
        yield {"measure": "Cohen's kappa"}, Numbers(reason="Both definitions give all episodes the same label.")
    else:
        half = stats.norm.ppf((1 + LEVEL) / 2) * found.kappa_std_error
        limits = (found.kappa - half, min(found.kappa + half, 1.0))
        yield {"measure": "Cohen's kappa"}, _certain(found.kappa, found.kappa_std_error, limits)
    yield {"measure": "Gwet's AC1"}, _certain(found.ac1, found.ac1_std_error, found.ac1_interval(LEVEL))


def _certain(value: float, error: float, limits: tuple[float, float]) -> Numbers:
    return Numbers(value, error, None, *map(float, limits), status=ModelStatus.CONVERGED.value)


def sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say the risk of dropout, absolute numbers first, then whether the conclusion depends on the definition."""
    risks = con.table(INCIDENCE).filter("cause = 'dropout'").pl().rows(named=True)
    told = con.table(EFFECTS).filter("cause = 'dropout'").pl().rows(named=True)
    return [*absolute_risks(risks), *(line for words in GUIDANCE.values() for line in conclusion(told, words))]


_ORDINALS = {3: "third", 8: "eighth", 12: "twelfth"}


def absolute_risks(rows: list[dict]) -> list[str]:
    """Say the risks of dropout at low and high guidance in percent; rows of `dropout_incidence` with cause dropout."""
    if refused := [row for row in rows if row["status"] == REFUSED]:
        return [f"The risk of dropout by level of guidance: not estimated. {refused[0]['reason']}"]
    by_session = {}
    for row in rows:
        by_session.setdefault(row["session"], {})[row["guidance"]] = row
    return [_risk(session, found) for session, found in by_session.items()]


def _risk(session: int, found: dict[str, dict]) -> str:
    low, high, gap = found["low"], found["high"], found[DIFFERENCE]
    state = "" if low["status"] == "converged" else f"({low['status'].replace('_', ' ')}) "
    return (
        f"{state}By the {_ORDINALS[session]} session {low['estimate']:.1%} have dropped out where guidance is low and "
        f"{high['estimate']:.1%} where it is high: a difference of {100 * gap['estimate']:+.1f} percentage points "
        f"(95% interval {100 * gap['conf_low']:+.1f} to {100 * gap['conf_high']:+.1f})."
    )


def conclusion(rows: list[dict], effect: str) -> list[str]:
    """Judge one effect on dropout over definitions and readings; rows of `dropout_effects` with cause dropout."""
    refused = sorted({row["definition"] for row in rows if row["status"] == REFUSED and row["reading"] == _RECORDED})
    judged = [row for row in rows if row["effect"] == effect]
    declared = [row for row in judged if row["is_declared"] and row["reading"] == _RECORDED]
    lines = []
    if declared:
        own = _judgement(declared[0])
        others = sorted({row["definition"] for row in judged if row["reading"] == _RECORDED and _judgement(row) != own})
        readings = sorted({row["reading"] for row in judged if row["is_declared"] and _judgement(row) != own})
        ratio, low, high = (np.exp(declared[0][name]) for name in ("estimate", "conf_low", "conf_high"))
        lines.append(
            f"{effect.capitalize()}: {own} (odds ratio {ratio:.2f}, 95% interval {low:.2f} to {high:.2f}, under the "
            f"study's definition, {declared[0]['definition']}). {_survival(others, readings)}"
        )
    else:
        lines.append(f"{effect.capitalize()}: not estimated under the study's own definition of dropout.")
    if refused:
        lines.append(f"Not estimated under: {', '.join(refused)}.")
    return lines


_RECORDED = Reading.AS_RECORDED.value


def _judgement(row: dict) -> str:
    if row["conf_low"] > 0:
        return "goes with more dropout"
    return "goes with less dropout" if row["conf_high"] < 0 else "no clear association with dropout"


def _survival(others: list[str], readings: list[str]) -> str:
    """Say under which definitions and readings the conclusion is another one."""
    if not others and not readings:
        return "The conclusion is the same under every definition that could be fitted and for any unknown endings."
    parts = ([f"under {', '.join(others)}"] if others else []) + ([f"if {' or '.join(readings)}"] if readings else [])
    return f"The conclusion depends on it: it is another one {' and '.join(parts)}."
