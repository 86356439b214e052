"""A variance at zero leaves nothing of its random effect: the simpler model fits the same, and speaks instead.

One rule for all answers. That a fit is singular is the engine's word (`FitStatus.SINGULAR`), so no answer has a
tolerance of its own for a variance; that the simpler model fits the same is measured on the criterion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from outcomes.answers.common.fitting import Answered, fit_linear_answer
from outcomes.mixed import FitStatus, LinearFit
from outcomes.study.settings import Disclosure

SAME_FIT = 0.01
"""Largest rise of the REML criterion (minus twice the log-likelihood) at which two models fit the same: no test on it
would tell them apart (chi-square on one degree of freedom is significant from 3.84), and it lies above the optimiser's
own rounding."""


@dataclass(frozen=True)
class RandomEffect:
    """An effect that varies between the levels of a group, uncorrelated with all others.

    Attributes
    ----------
    group : str
    slope : str
        Column whose slope varies; empty for the intercept.
    """

    group: str
    slope: str = ""

    @property
    def term(self) -> str:
        """As it stands in a formula."""
        return f"({f'0 + {self.slope}' if self.slope else '1'} | {self.group})"

    def sd(self, fit: LinearFit) -> float:
        """Its standard deviation relative to the residual's."""
        own = (self.group, (self.slope or "(Intercept)",))
        return next(float(block.sd[0]) for block in fit.variances if (block.group, block.names) == own) / fit.sigma


def fit_simplest(
    formula: str, optional: tuple[RandomEffect, ...], rows: duckdb.DuckDBPyRelation, rule: Disclosure
) -> Answered:
    """Fit with all optional random effects, less those whose variance is zero.

    Parameters
    ----------
    formula : str
        In lme4's syntax, with the random effects that always stay.
    optional : tuple of RandomEffect
        Left out one by one, the smallest first, while the fit is singular and the simpler one fits the same.
    rows : relation
    rule : Disclosure

    Raises
    ------
    FitRefused
        See `fit_linear_answer`.
    """
    answered = fit_linear_answer(" + ".join([formula, *(effect.term for effect in optional)]), rows, rule)
    while optional and answered.status is FitStatus.SINGULAR:
        smallest = min(optional, key=lambda effect: effect.sd(answered.fit))
        optional = tuple(effect for effect in optional if effect is not smallest)
        simpler = fit_linear_answer(" + ".join([formula, *(effect.term for effect in optional)]), rows, rule)
        if simpler.fit.criterion - answered.fit.criterion > SAME_FIT:
            break
        answered = simpler
    return answered


def simplest_row(row: dict, others: Iterable[dict]) -> dict:
    """The row itself, or where its fit is singular the first converged one of `others`.

    Parameters
    ----------
    row : dict
        With its status.
    others : iterable of dict
        The same quantity from simpler models that are fitted anyway, the least simple first.
    """
    if row["status"] != FitStatus.SINGULAR:
        return row
    return next((other for other in others if other["status"] == FitStatus.CONVERGED), row)
