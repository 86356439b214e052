"""Parametric bootstrap of a linear fit from the cross-products alone: no row is drawn, and the draws are exact.

For rows e ~ N(0, sigma^2 I) the products needed are jointly normal: with S_c = Z_c'Z_c = L_c L_c in cell c,
Z_c'e = L_c eps_c; X'e = sum_c X_c'Z_c L_c^-1 eps_c + R eta with R R what the cells leave of X'X; and e'e = eps'eps +
eta'eta + sigma^2 chi2 on the degrees of freedom that remain. All roots are symmetric: another root would turn with the
signs of eigenvectors, which rounding chooses, and the same seed would give other draws after the rows came in another
order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.mixed.inference.bootstrap import Bootstrap, correlation_names, correlations_of, draws_shown
from outcomes.mixed.linear.fit import variance_blocks
from outcomes.mixed.linear.problem import LinearProblem, design_columns
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.linear.search.profiled import Profiled
from outcomes.mixed.nearby import DRAW_TOLERANCE, approach

START = 0.05
"""Smallest relative standard deviation to start from: at zero the deviance is flat, optimum or not."""


def bootstrap_linear(fit: LinearFit, draws: int = 1000, seed: int = 1, *, show_progress: bool = True) -> Bootstrap:
    """Simulate from a fit and fit again, from its cross-products.

    Parameters
    ----------
    fit : LinearFit
        Of engine="outcomes".
    draws : int
    seed : int
        The same seed gives the same draws.
    show_progress : bool
        Show a progress bar on a terminal.

    Raises
    ------
    UsageError
        When another engine made the fit.
    """
    return LinearDraws.of(fit).draw(draws, seed, show_progress=show_progress)


@dataclass(frozen=True)
class LinearDraws:
    """What the draws of a fit need, and nothing else: cross-products by level, without the names of levels.

    Draws with the same seed are the same wherever they are made.

    Parameters
    ----------
    simulator : Simulator
    reml : bool
    beta : ndarray, shape (p,)
    start : ndarray
        Covariance parameters where every search begins.
    near : ndarray
        About the second derivatives there.
    """

    simulator: Simulator
    reml: bool
    beta: np.ndarray
    start: np.ndarray
    near: np.ndarray

    @classmethod
    def of(cls, fit: LinearFit) -> LinearDraws:
        """Prepare the draws of a fit."""
        simulator = Simulator.of(fit)
        theta = simulator.theta
        diagonal = np.concatenate([factor.rows == factor.cols for factor in simulator.problem.factors])
        start = np.where(diagonal & (theta < START), START, theta)
        return cls(simulator, fit.reml, fit.beta, start, fit.optimizer.hessian)

    def draw(self, draws: int, seed: int, *, show_progress: bool = False) -> Bootstrap:
        """Simulate and fit again; see `bootstrap_linear`."""
        problem, rng = self.simulator.problem, np.random.default_rng(seed)
        blocks = variance_blocks(problem, self.simulator.theta, 1.0)
        beta, sigma = np.empty((draws, problem.p)), np.empty(draws)
        sd = np.empty((draws, sum(len(block.names) for block in blocks)))
        names = correlation_names(blocks)
        sd_names = tuple((block.group, name) for block in blocks for name in block.names)
        corr = np.empty((draws, len(names)))
        converged = np.empty(draws, dtype=bool)
        for i in draws_shown(draws, show_progress):
            objective = Profiled(self.simulator.draw(rng), reml=self.reml)
            found, _, converged[i] = approach(objective, self.start, self.near, DRAW_TOLERANCE)
            solution = objective.state(found)
            df = problem.n - problem.p if self.reml else problem.n
            sigma[i] = np.sqrt(solution.r2 / df) * problem.y_scale
            beta[i] = self.beta + problem.to_original @ solution.beta * problem.y_scale
            blocks = variance_blocks(problem, found, sigma[i])
            sd[i] = np.concatenate([block.sd for block in blocks])
            corr[i] = correlations_of(blocks)
        return Bootstrap(
            names=problem.names,
            beta=beta,
            sd_names=sd_names,
            sd=sd,
            sigma=sigma,
            converged=converged,
            seed=seed,
            corr_names=names,
            corr=corr,
        )


@dataclass(frozen=True)
class Simulator:
    """What a draw needs, prepared once; r random columns of the Gram, working units throughout.

    Parameters
    ----------
    codes : tuple of ndarray of int
        The cells' levels of each factor.
    problem : LinearProblem
    theta, sigma : ndarray, float
    S : ndarray, shape (n_cells, r, r)
        Z'Z by cell.
    ZX : ndarray, shape (n_cells, r, p)
        Z'X by cell.
    root, inverse_root, taken_up : ndarray, shape (n_cells, r, r)
        L with S = L L, the generalised inverse of L, and the projection on the directions that S has.
    remaining, left_free : ndarray, shape (p, p)
        Root of what the cells leave of X'X, and the projection on its directions.
    df : int
        Degrees of freedom that neither the cells nor X take up.
    """

    codes: tuple[np.ndarray, ...]
    problem: LinearProblem
    theta: np.ndarray
    sigma: float
    S: np.ndarray
    ZX: np.ndarray
    root: np.ndarray
    inverse_root: np.ndarray
    taken_up: np.ndarray
    remaining: np.ndarray
    left_free: np.ndarray
    df: int

    @classmethod
    def of(cls, fit: LinearFit) -> Simulator:
        """Prepare the draws of a fit."""
        state = fit.engine_state
        gram, problem = state.gram, state.problem
        X = design_columns(gram, gram.design(fit.formula), problem.names)
        r = gram.n_random
        S = np.ascontiguousarray(np.moveaxis(gram.cells[:, :r], 2, 0))
        ZX = np.einsum("avc,pv->cap", gram.cells, X, optimize=True)
        values, vectors = np.linalg.eigh(S)
        is_real = values > 1e-10 * np.maximum(values[:, -1:], 1e-300)
        scale = np.sqrt(np.where(is_real, values, 0.0))
        root = _symmetric(vectors, scale)
        inverse = _symmetric(vectors, np.where(is_real, 1 / np.where(is_real, scale, 1.0), 0.0))
        explained = np.einsum("cab,cbp->cap", inverse, ZX, optimize=True).reshape(-1, problem.p)
        left = problem.XX[: problem.p, : problem.p] - explained.T @ explained
        own, directions = np.linalg.eigh(left)
        is_free = own > 1e-9 * np.diag(problem.XX)[: problem.p].max()
        return cls(
            tuple(gram.levels[factor.group].codes for factor in problem.factors),
            replace(problem, rest=None if problem.rest is None else replace(problem.rest)),  # what it holds ready stays
            state.theta,
            fit.sigma / problem.y_scale,
            S,
            ZX,
            root,
            inverse,
            _symmetric(vectors, is_real),
            _symmetric(directions, np.sqrt(np.where(is_free, own, 0.0))),
            _symmetric(directions, is_free),
            problem.n - int(is_real.sum()) - int(is_free.sum()),
        )

    def draw(self, rng: np.random.Generator) -> LinearProblem:
        """The problem with an outcome drawn around zero fixed effects (adding X beta moves the estimates by beta)."""
        problem, sigma = self.problem, self.sigma
        coefficients = np.zeros(self.S.shape[:2])
        parts = zip(problem.factors, problem.slices, problem.n_levels, self.codes, strict=True)
        for factor, part, n, codes in parts:
            spherical = rng.standard_normal((n, factor.k))
            effects = sigma * spherical @ factor.relative_factor(self.theta[part]).T @ factor.columns
            coefficients += effects[codes]
        epsilon = sigma * rng.standard_normal(coefficients.shape)
        eta = sigma * rng.standard_normal(problem.p)
        epsilon = np.einsum("cab,cb->ca", self.taken_up, epsilon)
        eta = self.left_free @ eta
        noise = np.einsum("cab,cb->ca", self.root, epsilon)
        random = np.einsum("cab,cb->ca", self.S, coefficients)
        whitened = np.einsum("cab,cb->ca", self.inverse_root, epsilon)  # L^-1 eps
        Xy = np.einsum("cap,ca->p", self.ZX, coefficients + whitened) + self.remaining @ eta
        yy = np.vdot(coefficients, random) + 2 * np.vdot(coefficients, noise) + np.vdot(epsilon, epsilon)
        yy += eta @ eta + sigma**2 * (rng.chisquare(self.df) if self.df > 0 else 0.0)
        return self._with_outcome(random + noise, Xy, float(yy))

    def _with_outcome(self, Zy: np.ndarray, Xy: np.ndarray, yy: float) -> LinearProblem:
        """The problem with the outcome's products replaced; Zy (n_cells, r)."""
        problem = self.problem
        sums = []
        for factor, n, codes in zip(problem.factors, problem.n_levels, self.codes, strict=True):
            by_cell = Zy @ factor.columns.T
            sums.append([np.bincount(codes, weights=by_cell[:, a], minlength=n) for a in range(factor.k)])
        ZX, XX = problem.ZX.copy(), problem.XX.copy()
        ZX[:, :, -1] = np.array(sums[0])
        XX[:-1, -1] = XX[-1, :-1] = Xy
        XX[-1, -1] = yy
        rest = problem.rest
        if rest is not None:
            F = rest.F.copy()
            F[:, -1] = np.concatenate([np.array(part).T.ravel() for part in sums[1:]])
            rest = replace(rest, F=F)
        return replace(problem, ZX=ZX, XX=XX, rest=rest)


def _symmetric(vectors: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The symmetric matrices with these eigenvectors (columns) and eigenvalues."""
    return (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
