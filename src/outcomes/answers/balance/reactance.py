"""For whom: whether the effect of guidance depends on the client's reactance (Beutler et al. 2018, doi
10.1002/jclp.22682).

Guidance acts by b1 + b3 (R - mean): simple slopes at -1, 0 and +1 standard deviations of clients' reactance, and the
Johnson-Neyman region in which the slope differs from zero.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.balance.tables import REACTANCE, ReactanceGuidance, ReactanceQuantity
from outcomes.answers.common.estimates import attempt, numbers, of_model
from outcomes.answers.common.fitting import LEVEL, Answered, fit_hazard_answer
from outcomes.answers.common.risk_set import HAZARD_TERMS, baseline, risk_set
from outcomes.answers.common.simplify import RandomEffect, fit_simplest
from outcomes.answers.common.tables import filled
from outcomes.answers.common.words import Outcome, Reading
from outcomes.answers.guidance.run import BY_CLIENT, INTERCEPTS, PARTS
from outcomes.errors import FitRefused
from outcomes.methods.inference.johnson_neyman import RegionState, johnson_neyman
from outcomes.mixed import FitStatus
from outcomes.study.settings import Disclosure, StudySettings
from outcomes.study.tables.scales import Scale

CENTRED = "reactance_centred"

SIMPLE = {
    ReactanceQuantity.LOW: -1.0,
    ReactanceQuantity.AVERAGE: 0.0,
    ReactanceQuantity.HIGH: 1.0,
}
"""Standard deviations of clients' reactance from its average."""

UNITS = {
    Outcome.SATISFACTION: "points of satisfaction",
    Outcome.DROPOUT: "log odds of dropping out after a session",
}


@dataclass(frozen=True)
class Reactance:
    """How clients' reactance is spread, in points of its scale; one value per client.

    Attributes
    ----------
    values : ndarray, shape (n_clients,)
        Of the clients who were asked.
    """

    values: np.ndarray

    @property
    def mean(self) -> float:
        """The average client's."""
        return float(self.values.mean())

    @property
    def sd(self) -> float:
        """Standard deviation over clients."""
        return float(self.values.std(ddof=1))


def reactance_rows(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, outcomes: Collection[Outcome] = tuple(Outcome)
) -> pl.DataFrame:
    """Make table `reactance_effects` of these outcomes; what the data cannot answer is a refused row."""
    rows = []
    for outcome, compute in ((Outcome.SATISFACTION, _satisfaction), (Outcome.DROPOUT, _dropout)):
        if outcome not in outcomes:
            continue
        labels = {"outcome": outcome, "unit": UNITS[outcome], "region": ""}
        labels |= {"guidance": ReactanceGuidance.ALL, "quantity": ReactanceQuantity.ALL}
        rows += attempt(labels, lambda compute=compute: compute(con, settings))
    return filled(REACTANCE, rows)


def _satisfaction(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """d x R within client, beside guidance at the other levels and the preference for guidance of the quoted model."""
    found = _reactance(con)
    sessions = _centred(con.table("mart_session_directiveness"), found)
    term = "directiveness_within"
    fixed = f"satisfaction_score ~ {' + '.join(PARTS)} + {CENTRED} + {term}:{CENTRED} + log_session"
    model = _without_idle_slopes(fixed, term, sessions, settings.disclosure)
    yield from _told(model, found, term, ReactanceGuidance.WITHIN, settings.scales["reactance"])


def _without_idle_slopes(fixed: str, term: str, sessions: duckdb.DuckDBPyRelation, rule: Disclosure) -> Answered:
    """The quoted model, less what is at its boundary: where reactance is why slopes differ, nothing is left to vary.

    First a therapists' slope without variance goes, then the correlation of clients' intercept and slope, then slopes
    without variance. A slope that varies stays, so that the interval stays as wide as it must be.
    """
    by_client, by_therapist = RandomEffect("client_id", term), RandomEffect("therapist_id", term)
    answered = fit_simplest(f"{fixed} + {BY_CLIENT} + (1 | therapist_id)", (by_therapist,), sessions, rule)
    if answered.status is not FitStatus.SINGULAR:
        return answered
    return fit_simplest(f"{fixed} + {INTERCEPTS}", (by_client, by_therapist), sessions, rule)


def _dropout(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """Both terms of guidance that know nothing of the future, each times reactance."""
    found = _reactance(con)
    sessions = risk_set(con, settings.dropout.definition, Reading.AS_RECORDED, settings.dropout.silent_days)
    at_risk, course = baseline(sessions, "is_dropout")
    products = [f"{term}:{CENTRED}" for term in HAZARD_TERMS]
    fixed = " + ".join([*HAZARD_TERMS, CENTRED, *products, *course])
    model = fit_hazard_answer(
        f"is_dropout ~ {fixed} + (1 | therapist_id)", _centred(at_risk, found), settings.disclosure
    )
    for term, words in HAZARD_TERMS.items():
        yield from _told(model, found, term, words, settings.scales["reactance"])


def _reactance(con: duckdb.DuckDBPyConnection) -> Reactance:
    """One value per client of the cohort."""
    values = con.sql(
        "select reactance_score from mart_clients where reactance_score is not null order by client_id"
    ).fetchnumpy()["reactance_score"]
    found = Reactance(np.asarray(values, dtype=float))
    if not found.values.size:
        raise FitRefused(
            "Clients' reactance was not asked in this study, so nothing can be said about whom guidance suits by it.",
            hint="add a reactance scale to the intake",
        )
    if found.values.min() == found.values.max():
        raise FitRefused("All clients have the same reactance, so nothing can depend on it.")
    return found


def _centred(rows: duckdb.DuckDBPyRelation, found: Reactance) -> duckdb.DuckDBPyRelation:
    return rows.project(f"*, reactance_score - {found.mean!r} as {CENTRED}")


def _told(model: Answered, found: Reactance, term: str, words: str, scale: Scale) -> Iterator[tuple]:
    """Interaction, simple slopes and region of one term of guidance."""
    product = f"{term}:{CENTRED}"
    if product not in model.fit.names:
        raise FitRefused("Guidance and reactance do not vary apart in these data.")
    named = {"guidance": words}
    yield named | {"quantity": ReactanceQuantity.CHANGE}, numbers(model.estimate(product), model)
    for quantity, away in SIMPLE.items():
        at = away * found.sd
        place = {"reactance_low": found.mean + at, "reactance_high": found.mean + at}
        yield named | place | {"quantity": quantity}, numbers(model.estimate({term: 1.0, product: at}), model)
    yield (
        named | {"quantity": ReactanceQuantity.REGION} | _region(model, found, (term, product), scale),
        of_model(model, None),
    )


def _region(model: Answered, found: Reactance, terms: tuple[str, str], scale: Scale) -> dict:
    """The Johnson-Neyman region; a bound beyond the scale is empty: the region then reaches to the scale's end."""
    places = [model.fit.names.index(name) for name in terms]
    df = float(np.nanmin(model.fit.df_denom.to_numpy()[places]))
    beta, covariance = model.fit.beta[places], model.fit.vcov[np.ix_(places, places)]
    region = johnson_neyman(beta, covariance, found.values - found.mean, LEVEL, df)
    low, high = region.bound_low + found.mean, region.bound_high + found.mean
    state = region.state
    if state in (RegionState.INSIDE, RegionState.OUTSIDE):
        # What lies between the bounds, on the scale: nothing, all of it, or a part.
        is_none, is_all = high <= scale.minimum or low >= scale.maximum, low <= scale.minimum and high >= scale.maximum
        if is_none or is_all:
            state = RegionState.EVERYWHERE if is_all == (state is RegionState.INSIDE) else RegionState.NOWHERE
    has_bounds = state in (RegionState.INSIDE, RegionState.OUTSIDE)
    return {
        "region": state,
        "reactance_low": low if has_bounds and low > scale.minimum else None,
        "reactance_high": high if has_bounds and high < scale.maximum else None,
        "share_of_clients": region.share_significant,
    }
