"""New outcomes drawn from a fit."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import polars as pl

from outcomes.errors import UsageError
from outcomes.mixed.design.levels import codes_of
from outcomes.mixed.verbs.rows import Fitted, fitted_rows


class Drawing(Fitted, Protocol):
    """A fit from which outcomes can be drawn."""

    def draw_at(self, eta: np.ndarray, weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Outcomes at a linear predictor."""
        ...


def simulate(fit: Drawing, draws: int = 1, seed: int = 1, kind: str = "marginal") -> pl.DataFrame:
    """Draw outcomes for the rows of the fit's data.

    Parameters
    ----------
    fit : any fit of the engine
    draws : int
    seed : int
        The same seed gives the same draws.
    kind : {"marginal", "conditional"}
        "marginal": new random effects in each draw, as lme4's ``simulate`` does. "conditional": at the conditional
        modes.

    Returns
    -------
    polars.DataFrame
        Columns sim_1 .. sim_<draws>, one row per row of the data, in order; missing for rows that were left out. In
        the binomial model shares of the trials, in the ordinal one positions of categories (1 is the lowest).

    Raises
    ------
    UsageError
        Another kind, or a fit whose data are not with it.
    """
    if kind not in {"marginal", "conditional"}:
        raise UsageError(f"There are no simulations of kind {kind!r}.", "use 'marginal' or 'conditional'")
    if draws < 1:
        raise UsageError(f"{draws} draws cannot be made.", "draws=1")
    found = fitted_rows(fit)
    rng = np.random.default_rng(seed)
    fixed = found.rows.X @ fit.beta + found.rows.offset
    used = found.is_used
    columns = {}
    for i in range(draws):
        eta = found.eta if kind == "conditional" else fixed + _new_effects(fit, found.rows, rng)
        values = np.full(len(eta), np.nan)
        values[used] = fit.draw_at(eta[used], found.weights[used], rng)
        columns[f"sim_{i + 1}"] = values
    return pl.DataFrame(columns).fill_nan(None)


def _new_effects(fit: Drawing, rows, rng: np.random.Generator) -> np.ndarray:
    """Sum of random effects drawn afresh for every level, by row."""
    total = np.zeros(len(rows.X))
    for block in fit.variances:
        code = codes_of(fit.conditional.modes(block.group).labels, rows.labels[block.group])
        values, vectors = np.linalg.eigh(block.cov)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        effects = rng.standard_normal((fit.n_groups[block.group], len(block.names))) @ root.T
        for k, name in enumerate(block.names):
            total += np.where(code >= 0, effects[np.maximum(code, 0), k], 0.0) * rows.Z[name]
    return total
