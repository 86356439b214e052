"""Parametric bootstrap of a generalised mixed model: simulate random effects and outcomes, fit again, many times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy
from scipy.optimize import minimize

from outcomes.errors import UsageError
from outcomes.mixed.generalised.intercept import is_one_intercept, refit_intercept
from outcomes.mixed.generalised.laplace import LaplaceDeviance, Model, cell_coefficients, find_mode
from outcomes.mixed.generalised.quadrature import deviance_by_nodes
from outcomes.mixed.generalised.result import GeneralisedFit
from outcomes.mixed.generalised.rows import ArrayRows
from outcomes.mixed.generalised.starts import fixed_information
from outcomes.mixed.generalised.state import State
from outcomes.mixed.inference.bootstrap import Bootstrap, correlation_names, correlations_of, draws_shown
from outcomes.mixed.layout import Layout
from outcomes.mixed.results.modes import VarianceBlock

START_SD = 0.25
"""Smallest standard deviation to start from: at zero the deviance is flat in it, whether or not zero is the optimum."""


def bootstrap_binomial(fit: GeneralisedFit, draws: int = 1000, seed: int = 1, show_progress: bool = True) -> Bootstrap:
    """Simulate from a fit and fit again.

    Parameters
    ----------
    fit : BinomialFit, CountFit or OrdinalFit
        Of engine="outcomes".
    draws : int
    seed : int
        The same seed gives the same draws, whatever the number of threads.
    show_progress : bool
        Show a progress bar on a terminal.

    Returns
    -------
    Bootstrap

    Notes
    -----
    Each draw takes u ~ N(0, I), b = Lambda u, and outcomes from the family at X beta + Z b, with the
    design (trials, offsets) held.
    """
    state, rng = fit.engine_state, np.random.default_rng(seed)
    model = state.problem.model
    layout = model.layout
    whole = model.rows.joined() if fit.nagq == 1 and is_one_intercept(model) else None
    slopes = fixed_information(model, state.psi, state.mode)[1]
    root = parameter_root(state.covariance, layout)
    found = np.empty((draws, state.psi.size))
    converged = np.empty(draws, dtype=bool)
    for i in draws_shown(draws, show_progress):
        drawn = simulate(state, rng)
        if whole is None:
            found[i], converged[i] = _refit(drawn, state, slopes, root, fit.nagq)
        else:
            rows = replace(whole, events=np.concatenate([chunk.events for chunk in drawn.rows.chunks]))
            found[i], converged[i] = refit_intercept(rows, drawn.likelihood(state.psi), _start(state), root)
    return _told(fit, found, converged, seed)


def draw_estimates(fit: GeneralisedFit, draws: int = 1000, seed: int = 1) -> Bootstrap:
    """Draw from the normal approximation of the estimates, as if each draw were a study fitted again.

    What `bootstrap_binomial` comes to in a large study, at the price of one fit (King, Tomz & Wittenberg 2000, doi
    10.2307/2669316). It is right where rows are many and standard deviations far from zero; see `are_far_from_zero`.

    Parameters
    ----------
    fit : BinomialFit, CountFit or OrdinalFit
        Of engine="outcomes".
    draws : int
    seed : int

    Returns
    -------
    Bootstrap
        All converged.
    """
    state, rng = fit.engine_state, np.random.default_rng(seed)
    root = parameter_root(state.covariance, state.problem.model.layout)
    found = state.psi + rng.standard_normal((draws, state.psi.size)) @ root.T
    return _told(fit, found, np.ones(draws, dtype=bool), seed)


def are_far_from_zero(fit: GeneralisedFit, errors: float = 10.0) -> bool:
    """Whether every standard deviation is so many of its standard errors away from zero."""
    rows = fit.sd_conf_int(0.95).iter_rows(named=True)
    half = float(scipy.stats.norm.ppf(0.975))
    return all(row["conf_low"] is not None and half / errors >= np.log(row["conf_high"] / row["sd"]) for row in rows)


def _told(fit: GeneralisedFit, found: np.ndarray, converged: np.ndarray, seed: int) -> Bootstrap:
    """Draws of the parameters (draws, m) in the formula's units."""
    state = fit.engine_state
    coordinates, factors = state.problem.coordinates, state.problem.model.blocks.factors
    names = [(f.name, name) for f, own in zip(factors, coordinates.effects, strict=True) for name in own]
    return Bootstrap(
        names=fit.names,
        beta=found[:, state.problem.model.layout.beta] @ coordinates.fixed.T,
        sd_names=tuple(names),
        sd=np.array([state.random_sd(psi) for psi in found]),
        sigma=None,
        converged=converged,
        seed=seed,
        corr_names=correlation_names(_blocks(state, state.psi)),
        corr=np.array([correlations_of(_blocks(state, psi)) for psi in found]),
    )


def _blocks(state: State, psi: np.ndarray) -> list[VarianceBlock]:
    """Covariances of the brackets on the formula's columns at psi."""
    model, coordinates = state.problem.model, state.problem.coordinates
    blocks = []
    for a, factor in enumerate(model.blocks.factors):
        cov, at = coordinates.covariance(a, factor, psi[model.layout.by_factor[a]]), 0
        for k in factor.brackets:
            here = slice(at, at + k)
            blocks.append(VarianceBlock(factor.name, coordinates.effects[a][here], cov[here, here]))
            at += k
    return blocks


def simulate(state: State, rng: np.random.Generator) -> Model:
    """The model with events drawn anew from its estimates; rows, groups and trials are kept."""
    model = state.problem.model
    u = [rng.standard_normal((f.n_levels, f.k)) for f in model.blocks.factors]
    lambdas = model.lambdas(state.psi)
    coefficients = cell_coefficients(model.blocks, [x @ L.T for x, L in zip(u, lambdas, strict=True)])
    rows = model.rows
    if not isinstance(rows, ArrayRows):
        raise UsageError("The bootstrap needs the rows in memory.", "fit without streaming")
    return replace(model, rows=replace(rows, chunks=tuple(_drawn(rows, model, state, coefficients, rng))))


def _drawn(rows: ArrayRows, model: Model, state: State, coefficients: np.ndarray, rng) -> Iterator:
    """Chunks with new events."""
    likelihood = model.likelihood(state.psi)
    for chunk in rows.chunks:
        eta = chunk.predictor(state.psi[model.layout.beta], coefficients)
        yield replace(chunk, events=likelihood.draw(eta, chunk.trials, rng))


def _start(state: State) -> np.ndarray:
    """Where a search begins: the estimates, with all standard deviations off zero."""
    model, start = state.problem.model, state.psi.copy()
    for factor, part in zip(model.blocks.factors, model.layout.by_factor, strict=True):
        theta = start[part]
        is_sd = factor.theta_positions[0] == factor.theta_positions[1]
        theta[is_sd & (np.abs(theta) < START_SD)] = START_SD
    return start


def _refit(
    model: Model, state: State, slopes: list[np.ndarray], root: np.ndarray, nagq: int
) -> tuple[np.ndarray, bool]:
    """Maximum likelihood on simulated data, from the estimates that it was simulated from; no Hessian."""
    start = _start(state)
    try:
        mode = find_mode(model, start, model.zeros())
        deviance = deviance_by_nodes(LaplaceDeviance.near(model, start, mode, slopes), nagq)

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


def parameter_root(covariance: np.ndarray, layout: Layout) -> np.ndarray:
    """Lower root of the parameters' covariance; standard deviations without information get a scale of their own."""
    least = np.linalg.eigvalsh(covariance)[0]
    if least > 1e-12:
        return np.linalg.cholesky(covariance)
    root = np.diag(np.sqrt(np.maximum(np.diag(covariance), START_SD**2)))
    at = layout.location
    root[at, at] = np.linalg.cholesky(covariance[at, at])
    return root
