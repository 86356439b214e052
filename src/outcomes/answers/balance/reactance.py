"""For whom: whether the effect of guidance depends on the client's reactance (Beutler et al. 2018, doi
10.1002/jclp.22682).

Guidance acts by b1 + b3 (R - mean): simple slopes at -1, 0 and +1 standard deviations of clients' reactance, and the
Johnson-Neyman region in which the slope differs from zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import polars as pl

from outcomes.answers.common.estimates import REFUSED, as_table, attempt, in_words, numbers, of_model
from outcomes.answers.common.fitting import LEVEL, Answered, fit_hazard_answer, fit_linear_answer
from outcomes.answers.common.risk_set import GUIDANCE, Reading, baseline, risk_set
from outcomes.answers.guidance.run import MODELS, PARTS, QUOTED
from outcomes.errors import FitRefused
from outcomes.methods.inference.johnson_neyman import RegionState, johnson_neyman
from outcomes.study.scales import Scale
from outcomes.study.settings import StudySettings

TABLE = "reactance_effects"
WORDS = ("outcome", "guidance", "quantity", "unit", "region")
REACTANCE = "reactance_centred"

INTERACTION = "change of the slope per point of reactance"
REGION = "reactance at which the slope differs from zero"
SIMPLE = {
    "slope where reactance is low": -1.0,
    "slope where reactance is average": 0.0,
    "slope where reactance is high": 1.0,
}
"""Standard deviations of clients' reactance from its average."""

WITHIN = "more guidance than usual for the client, per point"
UNITS = {"satisfaction": "points of satisfaction", "dropout": "log odds of dropping out after a session"}


@dataclass(frozen=True)
class Reactance:
    """How clients' reactance is spread, in points of its scale; one value a client.

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


def reactance_rows(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> pl.DataFrame:
    """Make table `reactance_effects`; what the data cannot answer is a refused row."""
    rows = []
    for outcome, compute in (("satisfaction", _satisfaction), ("dropout", _dropout)):
        labels = {"outcome": outcome, "guidance": "all", "quantity": "all", "unit": UNITS[outcome], "region": ""}
        labels |= {"reactance_low": None, "reactance_high": None, "share_of_clients": None}
        rows += attempt(labels, lambda compute=compute: compute(con, settings))
    numeric = pl.col("reactance_low", "reactance_high", "share_of_clients").cast(
        pl.Float64
    )  # also where all is refused
    return as_table(rows, WORDS).with_columns(numeric)


def _satisfaction(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """d x R within client, beside guidance at the other levels and the preference for guidance of the quoted model."""
    found = _reactance(con)
    sessions = _centred(con.table("mart_session_directiveness"), found)
    term = "directiveness_within"
    fixed = f"satisfaction_score ~ {' + '.join(PARTS)} + {REACTANCE} + {term}:{REACTANCE} + log_session"
    model = fit_linear_answer(f"{fixed} + {MODELS[QUOTED[term]]}", sessions, settings.disclosure)
    yield from _told(model, found, term, WITHIN, settings.scales["reactance"])


def _dropout(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Iterator[tuple]:
    """Both terms of guidance that know nothing of the future, each times reactance."""
    found = _reactance(con)
    sessions = risk_set(con, settings.dropout.definition, Reading.AS_RECORDED, settings.dropout.silent_days)
    at_risk, course = baseline(sessions, "is_dropout")
    products = [f"{term}:{REACTANCE}" for term in GUIDANCE]
    fixed = " + ".join([*GUIDANCE, REACTANCE, *products, *course])
    model = fit_hazard_answer(
        f"is_dropout ~ {fixed} + (1 | therapist_id)", _centred(at_risk, found), settings.disclosure
    )
    for term, words in GUIDANCE.items():
        yield from _told(model, found, term, words, settings.scales["reactance"])


def _reactance(con: duckdb.DuckDBPyConnection) -> Reactance:
    """One value a client of the cohort."""
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
    return rows.project(f"*, reactance_score - {found.mean!r} as {REACTANCE}")


def _told(model: Answered, found: Reactance, term: str, words: str, scale: Scale) -> Iterator[tuple]:
    """Interaction, simple slopes and region of one term of guidance."""
    product = f"{term}:{REACTANCE}"
    if product not in model.fit.names:
        raise FitRefused("Guidance and reactance do not vary apart in these data.")
    named = {"guidance": words}
    yield named | {"quantity": INTERACTION}, numbers(model.estimate(product), model)
    for quantity, away in SIMPLE.items():
        at = away * found.sd
        place = {"reactance_low": found.mean + at, "reactance_high": found.mean + at}
        yield named | place | {"quantity": quantity}, numbers(model.estimate({term: 1.0, product: at}), model)
    yield named | {"quantity": REGION} | _region(model, found, (term, product), scale), of_model(model, None)


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
        "region": str(state),
        "reactance_low": low if has_bounds and low > scale.minimum else None,
        "reactance_high": high if has_bounds and high < scale.maximum else None,
        "share_of_clients": region.share_significant,
    }


def sentences(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Say for whom guidance works, from `reactance_effects`, states first."""
    rows = con.table(TABLE).pl()
    lines = []
    for (outcome, _), own in rows.group_by("outcome", "guidance", maintain_order=True):
        by_quantity = {row["quantity"]: row for row in own.iter_rows(named=True)}
        if refused := [row for row in by_quantity.values() if row["status"] == REFUSED]:
            lines.append(f"Reactance and {outcome}: not estimated. {refused[0]['reason']}")
            continue
        lines.append(_spoken(outcome, by_quantity))
    return lines


def _spoken(outcome: str, rows: dict[str, dict]) -> str:
    change, region = rows[INTERACTION], rows[REGION]
    state = "" if change["status"] == "converged" else f"({change['status'].replace('_', ' ')}) "
    named = change["guidance"].removesuffix(", per point")
    if change["conf_low"] <= 0 <= change["conf_high"]:
        verdict = f"whether its effect on {outcome} depends on clients' reactance is not shown"
    else:
        way = "higher" if change["estimate"] > 0 else "lower"
        verdict = f"its effect on {outcome} is {way} the more reactant the client"
    told = in_words(change, f"{change['unit']} per point of reactance")
    return f"{state}{named.capitalize()}: {verdict}: {told} The effect differs from zero {_where(region)}."


def _where(region: dict) -> str:
    """The region in words."""
    low, high = (
        None if region[name] is None else f"{region[name]:.1f}" for name in ("reactance_low", "reactance_high")
    )
    state = RegionState(region["region"])
    if state is RegionState.EVERYWHERE:
        return "at every level of reactance"
    if state is RegionState.NOWHERE:
        return "at no level of reactance"
    is_inside = state is RegionState.INSIDE
    if low and high:
        return (
            f"where reactance lies between {low} and {high}"
            if is_inside
            else (f"where reactance is below {low} or above {high}")
        )
    return f"where reactance is {'above' if is_inside == bool(low) else 'below'} {low or high}"
