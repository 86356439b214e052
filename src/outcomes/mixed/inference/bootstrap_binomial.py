"""Parametric bootstrap of a generalised mixed model: simulate random effects and outcomes, fit again, many times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy
from scipy.optimize import minimize

from outcomes.errors import UsageError
from outcomes.mixed.elimination.random_blocks import LevelFactor
from outcomes.mixed.generalised.intercept import is_one_intercept, refit_intercept
from outcomes.mixed.generalised.laplace import LaplaceDeviance, Model, cell_coefficients, find_mode
from outcomes.mixed.generalised.problem import Coordinates
from outcomes.mixed.generalised.quadrature import deviance_by_nodes
from outcomes.mixed.generalised.result import GeneralisedFit
from outcomes.mixed.generalised.rows import ArrayRows, Chunk
from outcomes.mixed.generalised.starts import fixed_information
from outcomes.mixed.generalised.state import random_sd
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
    return GeneralisedDraws.of(fit).draw(draws, seed, show_progress=show_progress)


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
    return NormalDraws.of(fit).draw(draws, seed)


@dataclass(frozen=True)
class _Estimates:
    """Where draws begin, and how they are told: parameters psi, and the way back to the formula's columns.

    Parameters
    ----------
    psi : ndarray, shape (m,)
    root : ndarray, shape (m, m)
        Of the covariance of psi; see `parameter_root`.
    names : tuple of str, length p
    layout : Layout
    factors : tuple of LevelFactor
    coordinates : Coordinates
        Without the levels' names.
    """

    psi: np.ndarray
    root: np.ndarray
    names: tuple[str, ...]
    layout: Layout
    factors: tuple[LevelFactor, ...]
    coordinates: Coordinates

    @classmethod
    def of(cls, fit: GeneralisedFit) -> _Estimates:
        state = fit.engine_state
        model, coordinates = state.problem.model, replace(state.problem.coordinates, groups=())
        root = parameter_root(state.covariance, model.layout)
        return cls(state.psi, root, fit.names, model.layout, model.blocks.factors, coordinates)

    def told(self, found: np.ndarray, converged: np.ndarray, seed: int) -> Bootstrap:
        """Draws of the parameters (draws, m) in the formula's units."""
        names = [(f.name, name) for f, own in zip(self.factors, self.coordinates.effects, strict=True) for name in own]
        return Bootstrap(
            names=self.names,
            beta=found[:, self.layout.beta] @ self.coordinates.fixed.T,
            sd_names=tuple(names),
            sd=np.array([random_sd(self.coordinates, self.factors, self.layout, psi) for psi in found]),
            sigma=None,
            converged=converged,
            seed=seed,
            corr_names=correlation_names(self._blocks(self.psi)),
            corr=np.array([correlations_of(self._blocks(psi)) for psi in found]),
        )

    def _blocks(self, psi: np.ndarray) -> list[VarianceBlock]:
        """Covariances of the brackets on the formula's columns at psi."""
        blocks = []
        for a, factor in enumerate(self.factors):
            cov, at = self.coordinates.covariance(a, factor, psi[self.layout.by_factor[a]]), 0
            for k in factor.brackets:
                here = slice(at, at + k)
                blocks.append(VarianceBlock(factor.name, self.coordinates.effects[a][here], cov[here, here]))
                at += k
        return blocks


@dataclass(frozen=True)
class NormalDraws:
    """What draws from the estimates' normal approximation need; see `draw_estimates`."""

    estimates: _Estimates

    @classmethod
    def of(cls, fit: GeneralisedFit) -> NormalDraws:
        """Prepare the draws of a fit."""
        return cls(_Estimates.of(fit))

    def draw(self, draws: int, seed: int) -> Bootstrap:
        """Draw the estimates."""
        psi, root = self.estimates.psi, self.estimates.root
        found = psi + np.random.default_rng(seed).standard_normal((draws, psi.size)) @ root.T
        return self.estimates.told(found, np.ones(draws, dtype=bool), seed)


@dataclass(frozen=True)
class GeneralisedDraws:
    """What the draws of a fit need, and nothing else: the predictors' columns, without outcomes and names of levels.

    Draws with the same seed are the same wherever they are made.

    Parameters
    ----------
    estimates : _Estimates
    model : Model
        Its outcomes are zeros: every draw has its own.
    slopes : list of ndarray
        Where the search with several random effects begins; see `fixed_information`.
    nagq : int
    """

    estimates: _Estimates
    model: Model
    slopes: list[np.ndarray]
    nagq: int

    @classmethod
    def of(cls, fit: GeneralisedFit) -> GeneralisedDraws:
        """Prepare the draws of a fit.

        Raises
        ------
        UsageError
            The fit's rows are not in memory, or it was made of parts.
        """
        state, mode = fit.engine_state, fit.engine_state.mode
        model, rows = state.problem.model, state.problem.model.rows
        if not isinstance(rows, ArrayRows):
            raise UsageError("The bootstrap needs the rows in memory.", "fit without streaming")
        slopes = fixed_information(model, state.psi, mode)[1]
        chunks = tuple(replace(chunk, events=np.zeros_like(chunk.events)) for chunk in rows.chunks)
        return cls(_Estimates.of(fit), replace(model, rows=replace(rows, chunks=chunks)), slopes, fit.nagq)

    def draw(self, draws: int, seed: int, *, show_progress: bool = False) -> Bootstrap:
        """Simulate and fit again; see `bootstrap_binomial`."""
        model, psi, root = self.model, self.estimates.psi, self.estimates.root
        rng, start = np.random.default_rng(seed), _start(model, psi)
        whole = model.rows.joined() if self.nagq == 1 and is_one_intercept(model) else None
        found = np.empty((draws, psi.size))
        converged = np.empty(draws, dtype=bool)
        for i in draws_shown(draws, show_progress):
            drawn = simulate(model, psi, rng)
            if whole is None:
                found[i], converged[i] = _refit(drawn, start, self.slopes, root, self.nagq)
            else:
                rows = replace(whole, events=np.concatenate([chunk.events for chunk in drawn.rows.chunks]))
                found[i], converged[i] = refit_intercept(rows, drawn.likelihood(psi), start, root)
        return self.estimates.told(found, converged, seed)


def are_far_from_zero(fit: GeneralisedFit, errors: float = 10.0) -> bool:
    """Whether every standard deviation is so many of its standard errors away from zero."""
    rows = fit.sd_conf_int(0.95).iter_rows(named=True)
    half = float(scipy.stats.norm.ppf(0.975))
    return all(row["conf_low"] is not None and half / errors >= np.log(row["conf_high"] / row["sd"]) for row in rows)


def simulate(model: Model, psi: np.ndarray, rng: np.random.Generator) -> Model:
    """A model, its rows in memory, with events drawn anew at psi; rows, groups and trials are kept."""
    u = [rng.standard_normal((f.n_levels, f.k)) for f in model.blocks.factors]
    lambdas = model.lambdas(psi)
    coefficients = cell_coefficients(model.blocks, [x @ L.T for x, L in zip(u, lambdas, strict=True)])
    rows = replace(model.rows, chunks=tuple(_drawn(model, psi, coefficients, rng)))
    return replace(model, rows=rows)


def _drawn(model: Model, psi: np.ndarray, coefficients: np.ndarray, rng: np.random.Generator) -> Iterator[Chunk]:
    """Chunks with new events."""
    likelihood = model.likelihood(psi)
    for chunk in model.rows.chunks:
        eta = chunk.predictor(psi[model.layout.beta], coefficients)
        yield replace(chunk, events=likelihood.draw(eta, chunk.trials, rng))


def _start(model: Model, psi: np.ndarray) -> np.ndarray:
    """Where a search begins: the estimates, with all standard deviations off zero."""
    start = psi.copy()
    for factor, part in zip(model.blocks.factors, model.layout.by_factor, strict=True):
        theta = start[part]
        is_sd = factor.theta_positions[0] == factor.theta_positions[1]
        theta[is_sd & (np.abs(theta) < START_SD)] = START_SD
    return start


def _refit(
    model: Model, start: np.ndarray, slopes: list[np.ndarray], root: np.ndarray, nagq: int
) -> tuple[np.ndarray, bool]:
    """Maximum likelihood on simulated data, from the estimates that it was simulated from; no Hessian."""
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
