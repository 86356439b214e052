"""Nested models of the response surface, compared by AICc."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from statsmodels.regression.linear_model import OLS

from outcomes.errors import FitRefused, UsageError


class SurfaceModel(StrEnum):
    """Models of z on experienced x and preferred y; each is linear in its columns, so any engine can fit it."""

    NULL = "null"
    DIFFERENCE = "difference"
    MAIN_EFFECTS = "main effects"
    INTERACTION = "interaction"
    SQUARED_DIFFERENCE = "squared difference"
    SHIFTED_SQUARED_DIFFERENCE = "shifted squared difference"
    RISING_RIDGE = "rising ridge"
    SHIFTED_RISING_RIDGE = "shifted rising ridge"
    FULL = "full"


COLUMNS: dict[SurfaceModel, Callable[[np.ndarray, np.ndarray], list[np.ndarray]]] = {
    SurfaceModel.NULL: lambda x, y: [],
    SurfaceModel.DIFFERENCE: lambda x, y: [x - y],
    SurfaceModel.MAIN_EFFECTS: lambda x, y: [x, y],
    SurfaceModel.INTERACTION: lambda x, y: [x, y, x * y],
    SurfaceModel.SQUARED_DIFFERENCE: lambda x, y: [(x - y) ** 2],
    SurfaceModel.SHIFTED_SQUARED_DIFFERENCE: lambda x, y: [x - y, (x - y) ** 2],
    SurfaceModel.RISING_RIDGE: lambda x, y: [x + y, (x - y) ** 2],
    SurfaceModel.SHIFTED_RISING_RIDGE: lambda x, y: [x, y, (x - y) ** 2],
    SurfaceModel.FULL: lambda x, y: [x, y, x**2, x * y, y**2],
}
"""Predictor columns of each model, without the intercept. Never |x - y|."""

STUDY_SET = (
    SurfaceModel.NULL,
    SurfaceModel.MAIN_EFFECTS,
    SurfaceModel.SQUARED_DIFFERENCE,
    SurfaceModel.RISING_RIDGE,
    SurfaceModel.FULL,
)
"""The models that a study compares (Humberg, Nestler & Back 2019, doi 10.1177/1948550618757600)."""


@dataclass(frozen=True)
class ModelComparison:
    """Models side by side; the best has `delta` 0. Arrays have one entry a model, in the order given.

    Attributes
    ----------
    models : tuple of str
    n_parameters : ndarray of int
        With the intercept and the residual variance.
    log_likelihood, aicc, delta, weight : ndarray
        Maximised log-likelihood (ML, never REML); AICc; difference to the best; Akaike weight (sums to 1).
    """

    models: tuple[str, ...]
    n_parameters: np.ndarray
    log_likelihood: np.ndarray
    aicc: np.ndarray
    delta: np.ndarray
    weight: np.ndarray

    @property
    def best(self) -> str:
        """The model of the smallest AICc."""
        return self.models[int(np.argmin(self.aicc))]


def surface_design(model: SurfaceModel, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Columns of a model, intercept first; shape (n, 1 + number of terms)."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return np.column_stack([np.ones_like(x), *COLUMNS[model](x, y)])


def compare_by_aicc(
    models: tuple[str, ...], log_likelihood: ArrayLike, n_parameters: ArrayLike, n: int
) -> ModelComparison:
    """Compare fitted models: AICc = -2 l + 2k + 2k(k+1)/(n-k-1) (Hurvich & Tsai 1989, doi 10.1093/biomet/76.2.297).

    Parameters
    ----------
    models : tuple of str
    log_likelihood, n_parameters : array_like, shape (len(models),)
        ML fits to the same rows.
    n : int
        Rows; in a mixed model the number of clients is the cautious choice.

    Raises
    ------
    FitRefused
        If n does not exceed the parameters of the largest model by more than one.
    """
    ll, k = np.asarray(log_likelihood, dtype=float), np.asarray(n_parameters, dtype=int)
    if ll.shape != (len(models),) or k.shape != ll.shape:
        raise UsageError(f"{len(models)} models need as many log-likelihoods and numbers of parameters.")
    if n - k.max() - 1 <= 0:
        raise FitRefused(f"{n} rows cannot carry a model of {k.max()} parameters.", hint="compare fewer terms")
    aicc = -2 * ll + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    delta = aicc - aicc.min()
    return ModelComparison(tuple(models), k, ll, aicc, delta, softmax(-delta / 2))


def compare_surfaces(
    outcome: ArrayLike, x: ArrayLike, y: ArrayLike, models: tuple[SurfaceModel, ...] = STUDY_SET
) -> ModelComparison:
    """Fit surface models by ordinary least squares (one row per client) and compare them.

    Rows with a missing value are left out of all models alike.

    Parameters
    ----------
    outcome, x, y : array_like, shape (n,)
    models : tuple of SurfaceModel
    """
    rows = np.column_stack([np.asarray(v, dtype=float) for v in (outcome, x, y)])
    rows = rows[~np.isnan(rows).any(axis=1)]
    fits = [OLS(rows[:, 0], surface_design(model, rows[:, 1], rows[:, 2])).fit() for model in models]
    return compare_by_aicc(
        tuple(models),
        [fit.llf for fit in fits],
        [fit.params.size + 1 for fit in fits],
        rows.shape[0],
    )
