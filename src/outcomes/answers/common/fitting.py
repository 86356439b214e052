"""One model of an answer: counted first, refused in plain words where it would mislead, then fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np

from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import Estimate, linear_estimate
from outcomes.mixed import BinomialFit, FitStatus, LinearFit, fit_binomial, fit_linear
from outcomes.mixed.design.population import build_design
from outcomes.models.refusals import LEAST_VALUES, Refusal, RefusalRule, few_events, few_people, refuse
from outcomes.study.settings import Disclosure

LEVEL = 0.95


@dataclass(frozen=True)
class Answered:
    """A fitted model with the people behind it.

    Attributes
    ----------
    fit : LinearFit or BinomialFit
    n_sessions, n_clients, n_therapists : int
        Behind the rows that the model uses.
    n_events : int
        Rows whose outcome is over zero; events of a hazard.
    """

    fit: LinearFit | BinomialFit
    n_sessions: int
    n_clients: int
    n_therapists: int
    n_events: int

    @property
    def status(self) -> FitStatus:
        """How the fit ended."""
        return self.fit.status

    def estimate(self, weights: str | Mapping[str, float]) -> Estimate:
        """Estimate a fixed effect, or a weighted sum of them, with Satterthwaite's degrees of freedom."""
        row = np.zeros(len(self.fit.names))
        for name, weight in ({weights: 1.0} if isinstance(weights, str) else weights).items():
            if name not in self.fit.names:
                raise FitRefused(
                    f"The effect of {name} cannot be estimated: it does not vary apart from the model's other columns."
                )
            row[self.fit.names.index(name)] = weight
        return linear_estimate(row, self.fit.beta, self.fit.vcov, LEVEL, float(self.fit.ddf(row[None, :])))


def fit_linear_answer(formula: str, rows: duckdb.DuckDBPyRelation, rule: Disclosure) -> Answered:
    """Fit a linear mixed model by REML, or refuse.

    Parameters
    ----------
    formula : str
        In lme4's syntax.
    rows : relation
        With columns client_id and therapist_id beside those of the formula.
    rule : Disclosure
        Names the fewest therapists.

    Raises
    ------
    FitRefused
        Where a column is empty, or there are too few therapists, clients or values of the outcome.
    """
    counted = _count(formula, rows)
    refuse_few(counted, rule)
    refuse(Refusal(RefusalRule.SPREAD, 1 + counted["has_spread"], LEAST_VALUES, "the outcome"))
    return _answered(fit_linear(formula, rows), counted)


def fit_hazard_answer(formula: str, rows: duckdb.DuckDBPyRelation, rule: Disclosure) -> Answered:
    """Fit a discrete-time hazard (logit) with Laplace's approximation, or refuse; see `fit_linear_answer`.

    Raises
    ------
    FitRefused
        Also where there are too few events for the number of terms, or an effect is without bound.
    """
    counted = _count(formula, rows)
    refuse_few(counted, rule)
    n_terms = len(build_design(formula, rows).fixed)
    refuse(few_events(counted["n_events"], counted["n_sessions"], n_terms, "endings of this kind"))
    return _answered(fit_binomial(formula, rows), counted)


def _answered(fit: LinearFit | BinomialFit, counted: dict) -> Answered:
    return Answered(fit, *(counted[name] for name in ("n_sessions", "n_clients", "n_therapists", "n_events")))


def _count(formula: str, rows: duckdb.DuckDBPyRelation) -> dict:
    """Count the rows that are complete in the formula's columns, and the people behind them."""
    design = build_design(formula, rows)
    outcome = design.outcome
    counts = rows.filter(design.complete).aggregate(
        "count(*) as n_sessions, count(distinct client_id) as n_clients, count(distinct therapist_id) as n_therapists, "
        f"count(*) filter ({outcome} > 0) as n_events, coalesce(min({outcome}) < max({outcome}), false) as has_spread"
    )
    return dict(zip(counts.columns, counts.fetchall()[0], strict=True))


def refuse_few(counted: dict, rule: Disclosure) -> None:
    """Refuse where no session is complete, or therapists or clients are too few."""
    people = few_people(counted["n_clients"], counted["n_therapists"], rule)
    refuse(Refusal(RefusalRule.COMPLETE, counted["n_sessions"]), *people)
