"""Imputations of missing ratings and the models fitted to them, each by itself: any process can make any of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from outcomes.mixed import Imputer, LinearFit, prepare_linear, refit_many, shift_outcome

SHIFTS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)
"""Of the missing ratings, in standard deviations of the observed ones; wider than any reason to leave makes likely."""
SEED = 2_021
OUTCOME, GUIDANCE = "satisfaction_score", "directiveness_within"
_INDICATOR = "is_imputed ~ 1 + (1 | client_id)"


@dataclass(frozen=True)
class Imputations:
    """What imputations need: columns of the model on all rows, clients and therapists by number.

    Attributes
    ----------
    fit : LinearFit
        The first rung's estimates, without its data.
    imputer : Imputer
    dropped : dict of str to ndarray
        The formula's columns that the fit dropped.
    guidance : ndarray, shape (n,)
        Within clients; NaN in lost sessions.
    scale : float
        Standard deviation of the ratings, the unit of `SHIFTS`.
    """

    fit: LinearFit
    imputer: Imputer
    dropped: dict[str, np.ndarray]
    guidance: np.ndarray
    scale: float

    @classmethod
    def of(cls, fit: LinearFit, rows: pl.DataFrame) -> Imputations:
        """Prepare the imputations of these rows: `OUTCOME` and, in lost sessions, `GUIDANCE` are missing in some."""
        ratings, guidance = (rows[name].fill_null(np.nan).to_numpy() for name in (OUTCOME, GUIDANCE))
        imputer = Imputer.of(fit, rows.with_columns(pl.Series(GUIDANCE, np.nan_to_num(guidance))), ratings)
        dropped = {name: rows[name].to_numpy() for name in fit.dropped_columns}
        return cls(replace(fit, conditional=None), imputer, dropped, guidance, float(np.nanstd(ratings)))

    def with_guidance(self, rng: np.random.Generator) -> np.ndarray:
        """Guidance in a lost session varies around the client's usual level as it did in the others."""
        drawn = rng.normal(0.0, float(np.nanstd(self.guidance)), self.guidance.size)
        return np.where(np.isnan(self.guidance), drawn, self.guidance)

    def completed(self, within: np.ndarray, drawn: np.ndarray) -> pl.DataFrame:
        """The rows with all ratings and all guidance."""
        imputer = self.imputer
        ratings = np.empty(within.size)
        ratings[imputer.is_missing], ratings[~imputer.is_missing] = drawn, imputer.rated
        groups = {block.group: block.codes for block in imputer.blocks}
        fixed = {name: values for name, values in zip(imputer.names, imputer.X.T, strict=True) if name != "(Intercept)"}
        own = {GUIDANCE: within, OUTCOME: ratings, "is_imputed": imputer.is_missing * 1.0}
        return pl.DataFrame(self.dropped | groups | fixed | own)


@dataclass(frozen=True)
class Refitted:
    """The model on one imputation, its missing ratings shifted by each of `SHIFTS`: coefficients and variances, shape
    (shifts, p), and whether all searches settled."""

    beta: np.ndarray
    variance: np.ndarray
    is_settled: bool


def refitted(prepared: Imputations, numbers: range) -> Iterator[Refitted]:
    """Impute and fit again; the number of an imputation decides its chance, whoever makes it."""
    rng, fit = np.random.default_rng(SEED), prepared.fit
    for _ in range(numbers.start):
        prepared.with_guidance(rng)
    for number in numbers:
        within = prepared.with_guidance(rng)
        changed = {GUIDANCE: within[prepared.imputer.is_missing]}
        drawn = prepared.imputer.draw(np.random.default_rng(SEED + 1 + number), changed)
        gram = prepare_linear([fit.formula, _INDICATOR], prepared.completed(within, drawn))
        outcome, by = (gram.population.design(formula).outcome for formula in (fit.formula, _INDICATOR))
        grams = (shift_outcome(gram, outcome, by, shift * prepared.scale) for shift in SHIFTS)
        fits = ((one.beta, np.diag(one.vcov), one.optimizer.is_converged) for one in refit_many(fit, grams))
        beta, variance, is_settled = map(np.stack, zip(*fits, strict=True))
        yield Refitted(beta, variance, bool(is_settled.all()))
