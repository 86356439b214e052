"""Laplace approximation of a generalised mixed model's deviance, with its exact gradient.

With b = Lambda(theta) u, u ~ N(0, I), A = Z Lambda and d, w, t the first three derivatives of the log-likelihood in eta
(score, minus the second, and dw/deta), the deviance is 2 F with

    F(own, beta, theta) = -l(beta, u) + u'u / 2 + log|H| / 2,    H = A'WA + I,    at the mode u of the first two terms.

The gradient includes the log-determinant's dependence on beta and theta, directly and through the mode: with v the
diagonal of A H^-1 A' and s = H^-1 A'(t v),

    dF/dbeta = X'[-d + (t v - w A s) / 2]

and the same for theta with Z dLambda u in the place of X (Bates et al. 2015 for the notation; Skaug & Fournier 2006,
doi 10.1016/j.csda.2006.03.005, for the adjoint). A parameter of the family (a threshold, a dispersion) that moves l, d
and w by l', d' and w' has the sums of -l' + (w' v + d' A s) / 2. W is the observed information, as in glmmTMB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from outcomes.mixed.elimination.inner import Effects, Inner, factorise
from outcomes.mixed.elimination.random_blocks import Blocks
from outcomes.mixed.generalised.family import Family, RowLikelihood
from outcomes.mixed.generalised.passes import Moments, moments, score_of_location, third_moments
from outcomes.mixed.generalised.rows import Rows
from outcomes.mixed.layout import Layout, consecutive

INNER_TOLERANCE = 1e-16
"""Newton decrement of the modes at which they are taken as found: u is then off by about 1e-8 in all, and the
gradient by ten times that in places."""

FINE_TOLERANCE = 1e-20
"""The same where a search ends: the gradient's error is then below 1e-9."""

INNER_NEAR = 1e-6
"""First decrement below which a search of the modes began near them, as it does where the search of the parameters
ends: it goes on to `FINE_TOLERANCE`, which costs a step at most."""

INNER_STALLED = 1e-10
"""A decrement below this that no longer falls is rounding: taken as found too."""

SLOW = 0.1
"""Share of the last decrement that steps with an older Hessian may leave; with more left it is factored anew."""

MAX_INNER = 50
"""Most Newton steps for the modes; more means that the parameters are far outside what data support."""


@dataclass(frozen=True)
class Mode:
    """Modes of the random effects at given parameters."""

    u: Effects
    lambdas: tuple[np.ndarray, ...]
    coefficients: np.ndarray  # (C, m)
    moments: Moments
    inner: Inner
    penalised: float  # -l + u'u / 2
    n_passes: int
    is_found: bool


@dataclass(frozen=True)
class Model:
    """What does not change while parameters do; `psi` = (own, beta, theta) throughout."""

    rows: Rows
    blocks: Blocks
    family: Family

    @cached_property
    def layout(self) -> Layout:
        """Where the parts of psi lie."""
        return Layout(self.family.n_own, self.rows.n_columns, tuple(factor.n_theta for factor in self.blocks.factors))

    def likelihood(self, psi: np.ndarray) -> RowLikelihood:
        """The rows' likelihood at the family's own parameters."""
        return self.family.at(psi[self.layout.own])

    def lambdas(self, psi: np.ndarray) -> tuple[np.ndarray, ...]:
        """Covariance factor of each grouping factor."""
        return tuple(
            factor.relative_factor(psi[part])
            for factor, part in zip(self.blocks.factors, self.layout.by_factor, strict=True)
        )

    def zeros(self) -> Effects:
        """Effects of zero."""
        return [np.zeros((factor.n_levels, factor.k)) for factor in self.blocks.factors]


def cell_coefficients(blocks: Blocks, effects: Effects) -> np.ndarray:
    """Coefficients of the m random columns in each cell, (C, m), from effects b (q_a, k_a)."""
    out = np.zeros((blocks.n_cells, blocks.n_random_columns))
    for a, (factor, effect) in enumerate(zip(blocks.factors, effects, strict=True)):
        spread = effect[blocks.levels[a]]
        for j, column in enumerate(factor.columns):
            out[:, column] += spread[:, j]
    return out


def find_mode(
    model: Model, psi: np.ndarray, start: Effects, near: Inner | None = None, tolerance: float = INNER_TOLERANCE
) -> Mode:
    """Newton's method for u, halving steps that do not lower the penalised deviance.

    Where factoring H costs more than a pass over the rows, an older H (`near`, or of an earlier step) serves as long
    as the decrement falls fast; the mode has its own in any case.
    """
    inner = near if near is not None and near.is_costly else None
    blocks, lambdas = model.blocks, model.lambdas(psi)
    beta, likelihood = psi[model.layout.beta], model.likelihood(psi)
    u, step, size, passes = start, None, 1.0, 0
    before, last_decrement = np.inf, np.inf
    while True:
        trial = u if step is None else [a + size * b for a, b in zip(u, step, strict=True)]
        coefficients = cell_coefficients(blocks, [x @ L.T for x, L in zip(trial, lambdas, strict=True)])
        now = moments(model.rows, likelihood, beta, coefficients)
        passes += 1
        penalised = -now.loglik + 0.5 * sum(float((x * x).sum()) for x in trial)
        if step is None and not np.isfinite(penalised):
            raise FloatingPointError("the likelihood does not exist here")
        if step is not None and not penalised <= before + 1e-10 * (1 + abs(before)):
            if passes >= MAX_INNER:
                raise FloatingPointError("modes not found")
            size /= 2
            continue
        u, before, size = trial, penalised, 1.0
        gradient = [
            blocks.to_levels(a, now.score[:, factor.columns]) @ lambdas[a] - u[a]
            for a, factor in enumerate(blocks.factors)
        ]
        is_own = inner is None or not inner.is_costly
        if is_own:
            inner = factorise(blocks, lambdas, now.weight)
        step, decrement = _newton(inner, gradient)
        if passes == 1 and decrement < INNER_NEAR:
            tolerance = FINE_TOLERANCE
        found = decrement <= tolerance or (decrement <= INNER_STALLED and decrement > 0.1 * last_decrement)
        if not is_own and (found or passes >= MAX_INNER or decrement > SLOW * last_decrement):
            inner = factorise(blocks, lambdas, now.weight)
            if not found:
                step, decrement = _newton(inner, gradient)
        last_decrement = decrement
        if found or passes >= MAX_INNER:
            return Mode(u, lambdas, coefficients, now, inner, penalised, passes, found)


def _newton(inner: Inner, gradient: Effects) -> tuple[Effects, float]:
    """A step of the modes, and its decrement."""
    step = inner.solve(gradient)
    return step, sum(float((g * s).sum()) for g, s in zip(gradient, step, strict=True))


@dataclass(frozen=True)
class LogdetDerivatives:
    """How log|H| depends on the parameters, by cell and level."""

    spread: np.ndarray  # V (C, m, m)
    third: list[np.ndarray]  # T_a (q_a, k_a): sums of t v z by level
    adjoint: Effects  # s = H^-1 A'(t v)
    adjoint_cells: np.ndarray  # A s as coefficients of the cells (C, m)


def logdet_derivatives(model: Model, psi: np.ndarray, mode: Mode) -> LogdetDerivatives:
    """Third-order part of the gradient."""
    blocks, inner = model.blocks, mode.inner
    spread = inner.spread
    if mode.moments.third is not None:
        by_cell = mode.moments.third[:, None] * spread[:, :, 0]
    else:
        beta = psi[model.layout.beta]
        by_cell = third_moments(model.rows, model.likelihood(psi), beta, mode.coefficients, spread)
    third = [blocks.to_levels(a, by_cell[:, factor.columns]) for a, factor in enumerate(blocks.factors)]
    adjoint = inner.solve([T @ L for T, L in zip(third, mode.lambdas, strict=True)])
    cells = cell_coefficients(blocks, [s @ L.T for s, L in zip(adjoint, mode.lambdas, strict=True)])
    return LogdetDerivatives(spread, third, adjoint, cells)


def theta_gradient(model: Model, mode: Mode, extra: LogdetDerivatives) -> np.ndarray:
    """dF/dtheta, shape (n_theta,); from cells and levels alone."""
    blocks = model.blocks
    traces = mode.inner.trace_derivatives()
    weighted = np.einsum("cij,cj->ci", mode.moments.weight, extra.adjoint_cells)
    out = np.empty(model.layout.size)
    for a, factor in enumerate(blocks.factors):
        score = blocks.to_levels(a, mode.moments.score[:, factor.columns])
        pull = blocks.to_levels(a, weighted[:, factor.columns])
        u, s = mode.u[a], extra.adjoint[a]
        full = traces[a].T + (0.5 * extra.third[a] - 0.5 * pull - score).T @ u + 0.5 * score.T @ s
        out[model.layout.by_factor[a]] = full[factor.theta_positions]
    return out[model.layout.theta]


def mode_slopes(model: Model, mode: Mode) -> list[np.ndarray]:
    """du/dtheta at a mode, one (q_a, k_a, n_theta) array a factor: H^-1 (Lambda_j' Z'd - A'WZ Lambda_j u)."""
    blocks, found = model.blocks, mode.moments
    places = consecutive(model.layout.n_theta)
    out = [np.empty((*u.shape, blocks.n_theta)) for u in mode.u]
    for a, factor in enumerate(blocks.factors):
        score = blocks.to_levels(a, found.score[:, factor.columns])
        for j, (r, c) in enumerate(zip(*factor.theta_positions, strict=True), start=places[a].start):
            moved = found.weight[:, :, factor.columns[r]] * mode.u[a][blocks.levels[a], c, None]
            right = [
                -blocks.to_levels(b, moved[:, other.columns]) @ mode.lambdas[b]
                for b, other in enumerate(blocks.factors)
            ]
            right[a][:, c] += score[:, r]
            for target, solved in zip(out, mode.inner.solve(right), strict=True):
                target[..., j] = solved
    return out


@dataclass
class LaplaceDeviance:
    """Deviance -2 log L (Laplace) and its gradient in psi = (own, beta, theta), without binomial coefficients.

    Keeps the last modes and their slopes, to predict the next modes to first order, and counts row passes: the only
    state. `mode` is the last one whole, None before the first.
    """

    model: Model
    last_psi: np.ndarray
    u: Effects
    by_location: list[np.ndarray]  # du/d(own, beta), (q_a, k_a, r + p)
    by_theta: list[np.ndarray]  # du/dtheta, (q_a, k_a, n_theta)
    n_passes: int = 0
    mode: Mode | None = None

    @classmethod
    def near(cls, model: Model, psi: np.ndarray, mode: Mode, by_location: list[np.ndarray]) -> LaplaceDeviance:
        """Start from known modes at psi."""
        return cls(model, psi, mode.u, by_location, mode_slopes(model, mode), mode=mode)

    def predicted(self, psi: np.ndarray) -> Effects:
        """Modes expected at psi."""
        change = psi - self.last_psi
        layout = self.model.layout
        return [
            u + location @ change[layout.location] + theta @ change[layout.theta]
            for u, location, theta in zip(self.u, self.by_location, self.by_theta, strict=True)
        ]

    def mode_at(self, psi: np.ndarray) -> Mode | None:
        """Modes at psi, or None where they cannot be found."""
        if self.mode is not None and np.array_equal(psi, self.last_psi):
            return self.mode
        try:
            mode = find_mode(self.model, psi, self.predicted(psi), None if self.mode is None else self.mode.inner)
        except (FloatingPointError, np.linalg.LinAlgError):
            return None
        self.mode = mode
        self.last_psi, self.u, self.by_theta = psi, mode.u, mode_slopes(self.model, mode)
        self.n_passes += mode.n_passes
        return mode

    def __call__(self, psi: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient; infinite where the modes cannot be found."""
        model = self.model
        mode = self.mode_at(psi)
        if mode is None:
            return np.inf, np.zeros(psi.size)
        beta = psi[model.layout.beta]
        extra = logdet_derivatives(model, psi, mode)
        found = mode.moments
        location = score_of_location(
            model.rows, model.likelihood(psi), beta, mode.coefficients, extra.spread, extra.adjoint_cells, found.by_row
        )
        self.n_passes += (found.by_row is None) + (found.third is None)
        value = 2 * mode.penalised + mode.inner.logdet
        return value, 2 * model.layout.join(location, theta_gradient(model, mode, extra))
