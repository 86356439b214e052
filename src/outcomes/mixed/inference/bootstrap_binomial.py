"""Parametric bootstrap of a binomial mixed model: simulate random effects and outcomes, fit again, many times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from rich.progress import Progress
from scipy.optimize import minimize

from outcomes.errors import UsageError
from outcomes.mixed.binomial.laplace import LaplaceDeviance, Model, cell_coefficients, find_mode, mode_slopes
from outcomes.mixed.binomial.quadrature import QuadratureDeviance
from outcomes.mixed.binomial.result import BinomialFit, BinomialState
from outcomes.mixed.binomial.rows import ArrayRows
from outcomes.mixed.binomial.starts import fixed_information

MAX_FAILED = 0.1
"""Largest share of draws that may fail to converge before the intervals are refused."""

START_SD = 0.25
"""Smallest standard deviation to start from: at zero the deviance is flat in it, whether or not zero is the optimum."""


@dataclass(frozen=True)
class BinomialBootstrap:
    """Estimates on simulated data.

    Parameters
    ----------
    names : tuple of str, length p
    beta : ndarray, shape (draws, p)
    sd_names : tuple of (group, effect)
    sd : ndarray, shape (draws, number of random effects)
        Standard deviations; zeros are draws in which the component is estimated as zero.
    converged : ndarray of bool, shape (draws,)
    seed : int
    """

    names: tuple[str, ...]
    beta: np.ndarray
    sd_names: tuple[tuple[str, str], ...]
    sd: np.ndarray
    converged: np.ndarray
    seed: int

    def intervals(self, alpha: float = 0.05) -> pl.DataFrame:
        """Percentile intervals of fixed effects and standard deviations: component, name, se, lower, upper.

        Raises
        ------
        UsageError
            When more than a tenth of the draws did not converge.
        """
        failed = 1 - self.converged.mean()
        if failed > MAX_FAILED:
            raise UsageError(f"{failed:.0%} of the draws did not converge: intervals would mislead.")
        values = np.hstack([self.beta, self.sd])[self.converged]
        lower, upper = np.quantile(values, [alpha / 2, 1 - alpha / 2], axis=0)
        return pl.DataFrame(
            {
                "component": ["fixed"] * len(self.names) + [group for group, _ in self.sd_names],
                "name": [*self.names, *(name for _, name in self.sd_names)],
                "se": values.std(axis=0, ddof=1),
                "lower": lower,
                "upper": upper,
            }
        )


def bootstrap_binomial(
    fit: BinomialFit, draws: int = 1000, seed: int = 1, show_progress: bool = True
) -> BinomialBootstrap:
    """Simulate from a fit and fit again.

    Parameters
    ----------
    fit : BinomialFit
        Of engine="outcomes".
    draws : int
    seed : int
        The same seed gives the same draws, whatever the number of threads.
    show_progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    BinomialBootstrap

    Notes
    -----
    Each draw takes u ~ N(0, I), b = Lambda u, and events ~ Binomial(trials, p(X beta + Z b)), with the design held.
    """
    if fit.state is None:
        raise UsageError(f"The engine {fit.engine!r} cannot be simulated from.", "fit with engine='outcomes'")
    state, rng = fit.state, np.random.default_rng(seed)
    model = state.problem.model
    p, fixed = model.p, state.problem.coordinates.fixed
    slopes = fixed_information(model, state.psi, state.mode)[1]
    root = parameter_root(state.covariance, p)
    found = np.empty((draws, state.psi.size))
    converged = np.empty(draws, dtype=bool)
    with Progress(transient=True, disable=not show_progress) as progress:
        for i in progress.track(range(draws), description="Parametric bootstrap"):
            simulated = simulate(state, rng)
            found[i], converged[i] = _refit(simulated, state, slopes, root, fit.nagq)
    factors, effects = model.blocks.factors, state.problem.coordinates.effects
    return BinomialBootstrap(
        names=fit.names,
        beta=found[:, :p] @ fixed.T,
        sd_names=tuple((f.name, name) for f, names in zip(factors, effects, strict=True) for name in names),
        sd=np.array([state.random_sd(psi) for psi in found]),
        converged=converged,
        seed=seed,
    )


def simulate(state: BinomialState, rng: np.random.Generator) -> Model:
    """The model with events drawn anew from its estimates; rows, groups and trials are kept."""
    model = state.problem.model
    u = [rng.standard_normal((f.n_levels, f.size)) for f in model.blocks.factors]
    lambdas = model.lambdas(state.psi)
    coefficients = cell_coefficients(model.blocks, [x @ L.T for x, L in zip(u, lambdas, strict=True)])
    rows = model.rows
    if not isinstance(rows, ArrayRows):
        raise UsageError("The bootstrap needs the rows in memory.", "fit without streaming")
    return replace(model, rows=replace(rows, chunks=tuple(_drawn(rows, model, state, coefficients, rng))))


def _drawn(rows: ArrayRows, model: Model, state: BinomialState, coefficients: np.ndarray, rng) -> Iterator:
    """Chunks with new events."""
    for chunk in rows.chunks:
        spread = chunk.spread(coefficients)
        random = spread[:, 0] if chunk.Z is None else np.einsum("nm,nm->n", chunk.Z, spread)
        probability = model.link.inverse(chunk.times(state.psi[: model.p]) + random)
        trials = 1 if chunk.trials is None else chunk.trials.astype(np.int64)
        yield replace(chunk, events=rng.binomial(trials, probability).astype(float))


def _refit(
    model: Model, state: BinomialState, slopes: list[np.ndarray], root: np.ndarray, nagq: int
) -> tuple[np.ndarray, bool]:
    """Maximum likelihood on simulated data, from the estimates that it was simulated from; no Hessian."""
    start = state.psi.copy()
    for factor, part in zip(model.blocks.factors, model.blocks.theta_slices, strict=True):
        theta = start[model.p :][part]
        is_sd = factor.theta_positions[0] == factor.theta_positions[1]
        theta[is_sd & (np.abs(theta) < START_SD)] = START_SD
    try:
        mode = find_mode(model, start, model.zeros())
        laplace = LaplaceDeviance(model, start, mode.u, slopes, mode_slopes(model, mode))
        deviance = laplace if nagq == 1 else QuadratureDeviance(laplace, nagq)

        def whitened(z: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = deviance(start + root @ z)
            return value / 2, root.T @ gradient / 2

        found = minimize(whitened, np.zeros(start.size), jac=True, method="BFGS", options={"gtol": 1e-3})
    except (FloatingPointError, np.linalg.LinAlgError):
        return np.full(start.size, np.nan), False
    # BFGS reports a loss of precision when it cannot improve further: fine while the gradient is negligible
    is_settled = bool(found.success or np.abs(found.jac).max() < 0.01)
    is_finite = bool(np.isfinite(found.fun) and np.abs(found.x).max() < 50)
    return start + root @ found.x, is_settled and is_finite


def parameter_root(covariance: np.ndarray, p: int) -> np.ndarray:
    """Lower root of the parameters' covariance; standard deviations without information get a scale of their own."""
    least = np.linalg.eigvalsh(covariance)[0]
    if least > 1e-12:
        return np.linalg.cholesky(covariance)
    root = np.diag(np.sqrt(np.maximum(np.diag(covariance), START_SD**2)))
    root[:p, :p] = np.linalg.cholesky(covariance[:p, :p])
    return root
