"""Starting values of a generalised mixed model, and the refusal of complete separation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import Mode, Model, find_mode
from outcomes.mixed.generalised.passes import Information, information, moments
from outcomes.mixed.generalised.rows import Chunk

MAX_GLM_STEPS = 40
"""Most scoring steps of the model without random effects; separated data climb about one unit of eta a step for
ever."""

SEPARATION_TOLERANCE = 1e-3
"""A direction separates when no row moves against it by more than this share of the largest move."""

LEAST_CURVATURE = 1e-6
"""A Hessian whose smallest curvature is a smaller share of its largest is no guide to the scale of the parameters."""

GLM_TOLERANCE = 1e-10
"""Newton decrement at which the model without random effects has settled: no row that informs it moves any more."""

LEAST_MOVE = 0.1
"""Least movement of a row, in units of eta, in the last step of separated data (about 1 there, for ever)."""

UNBOUNDED_ERROR = 1e3
"""Standard error over the range of a column, in units of eta, that no finite estimate has: quasi-separated data give
1e5 and more where their likelihood stops rising, informed data less than 100."""

DISPERSION_SCALE = 0.2
"""Rough standard error of a dispersion parameter: the search's unit along it."""

START_SD = (0.15, 2.0)
"""Range of starting standard deviations on the link's scale; inside, so that no variance starts on its boundary."""


@dataclass(frozen=True)
class Start:
    """Where the search begins.

    psi : (r + p + n_theta,), own, beta and theta; by_location : du/d(own, beta), a (q_a, k_a, r + p) array a factor;
    root : (P, P) lower Cholesky factor of the approximate covariance of psi; has_hessian : whether that is the inverse
    of the exact Hessian there; mode : modes at psi.
    """

    psi: np.ndarray
    root: np.ndarray
    has_hessian: bool
    by_location: list[np.ndarray]
    mode: Mode
    n_passes: int


def find_start(model: Model, names: tuple[str, ...]) -> Start:
    """Start from the model without random effects, moment estimates of the variances, and the information there.

    Raises
    ------
    FitRefused
        When the outcome is the same in all rows, or a combination of columns separates it, wholly or in part.
    """
    location, _, passes = fit_glm(model, names)
    no_effects = np.zeros((model.blocks.n_cells, model.blocks.n_random_columns))
    psi = model.layout.join(location, np.zeros(model.blocks.n_theta))
    at_zero = moments(model.rows, model.likelihood(psi), psi[model.layout.beta], no_effects)
    for a, factor in enumerate(model.blocks.factors):
        score = model.blocks.to_levels(a, at_zero.score[:, factor.columns])
        weight = model.blocks.to_levels(a, np.diagonal(at_zero.weight, axis1=1, axis2=2)[:, factor.columns])
        # E d^2 = w + w^2 sigma^2: the method of moments for each effect on its own
        variance = (score**2 - weight).sum(axis=0) / np.maximum((weight**2).sum(axis=0), 1e-300)
        sd = np.clip(np.sqrt(np.maximum(variance, 0.0)), *START_SD)
        rows, columns = factor.theta_positions
        psi[model.layout.by_factor[a]] = np.where(rows == columns, sd[rows], 0.0)
    mode = find_mode(model, psi, model.zeros())
    root, has_hessian, by_location = _scales(model, psi, mode)
    return Start(psi, root, has_hessian, by_location, mode, passes + mode.n_passes + 2)


def _scales(model: Model, psi: np.ndarray, mode: Mode) -> tuple[np.ndarray, bool, list[np.ndarray]]:
    """Root of psi's approximate covariance, whether it is from the Hessian (where that is cheap and positive), and
    du/d(own, beta)."""
    rough = _theta_scale(model, psi)
    if has_exact_hessian(model):
        hessian, slopes = laplace_hessian(model, psi, mode, is_rough=True)
        values = np.linalg.eigvalsh(hessian)
        if values[0] > LEAST_CURVATURE * values[-1]:
            by_location = [slope[..., model.layout.location] for slope in slopes]
            return np.linalg.cholesky(np.linalg.inv(hessian)), True, by_location
    location = model.layout.location
    root = np.diag(model.layout.join(np.zeros(location.stop), rough))
    fixed, by_location = fixed_information(model, psi, mode)
    located = _located(model)
    root[: located.start, : located.start] = DISPERSION_SCALE * np.eye(located.start)
    root[located, located] = np.linalg.cholesky(np.linalg.inv(fixed[located, located]))
    return root, False, by_location


def has_exact_hessian(model: Model) -> bool:
    """Whether `laplace_hessian` serves: random intercepts only, and no parameters of the family."""
    return model.rows.n_random_columns == 1 and not model.rows.has_slopes and not model.family.n_own


def _located(model: Model) -> slice:
    """The part of psi that the model without random effects estimates: beta, and thresholds before it."""
    return slice(0 if model.family.is_own_located else model.layout.own.stop, model.layout.location.stop)


def _theta_scale(model: Model, psi: np.ndarray) -> np.ndarray:
    """Rough standard errors of theta: sd / sqrt(2 levels), at least; off-diagonals likewise."""
    scale = np.empty_like(psi)
    for factor, part in zip(model.blocks.factors, model.layout.by_factor, strict=True):
        rows, columns = factor.theta_positions
        sd = psi[part][rows == columns]
        scale[part] = sd[rows] / np.sqrt(factor.n_levels)
    return scale[model.layout.theta]


def fixed_information(model: Model, psi: np.ndarray, mode: Mode) -> tuple[np.ndarray, list[np.ndarray]]:
    """X'WX - X'WA H^-1 A'WX, the information of the location when theta and the weights are held, and
    du/d(own, beta)."""
    found = information(model.rows, model.likelihood(psi), psi[model.layout.beta], mode.coefficients, with_cells=True)
    blocks = model.blocks
    crossed = [
        np.einsum("lkp,kc->lcp", blocks.to_levels(a, found.mixed[:, factor.columns]), mode.lambdas[a])
        for a, factor in enumerate(blocks.factors)
    ]
    solved = [mode.inner.solve([block[:, :, j] for block in crossed]) for j in range(model.layout.location.stop)]
    slopes = [-np.stack([s[a] for s in solved], axis=2) for a in range(len(crossed))]
    fixed = found.fixed + sum(np.einsum("lcp,lcr->pr", c, s) for c, s in zip(crossed, slopes, strict=True))
    return (fixed + fixed.T) / 2, slopes


def fit_glm(model: Model, names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, int]:
    """Maximum likelihood without random effects: (location, covariance of what is estimated, row passes).

    Newton's method with step halving; a search that does not settle is followed up for separation. A dispersion keeps
    the family's first value.
    """
    rows, layout, located = model.rows, model.layout, _located(model)
    n_shift = layout.own.stop - located.start
    location = np.concatenate([model.family.first_own(), first_beta(model)])

    def at(there: np.ndarray) -> Information:
        return information(rows, model.family.at(there[layout.own]), there[layout.beta], None, with_cells=False)

    def moved(step: np.ndarray) -> Movement:
        return movement(model, step[:n_shift], step[n_shift:])

    return climb(at, location, located, moved, names)


def climb(
    at: Callable[[np.ndarray], Information],
    location: np.ndarray,
    located: slice,
    moved: Callable[[np.ndarray], Movement],
    names: tuple[str, ...],
) -> tuple[np.ndarray, np.ndarray, int]:
    """Newton's method for the model without random effects, wherever its rows are.

    Parameters
    ----------
    at : callable
        Log-likelihood, score and information at a location.
    location : ndarray
        Where it begins.
    located : slice
        What of it is estimated.
    moved : callable
        How the rows move along a step.
    names : tuple of str
        Of the fixed effects, the last of what is estimated.

    Returns
    -------
    location, covariance of what is estimated, and how often `at` was asked

    Raises
    ------
    FitRefused
        Separation, or a search that does not settle.
    """
    now = at(location)
    passes, step = 1, np.zeros(0)
    for _ in range(MAX_GLM_STEPS):
        try:
            step = np.linalg.solve(now.fixed[located, located], now.score[located])
        except np.linalg.LinAlgError:
            break
        size, decrement = 1.0, float(step @ now.score[located])
        while True:
            there = location.copy()
            there[located] += size * step
            ahead = at(there)
            passes += 1
            if ahead.loglik >= now.loglik - 1e-9 * abs(now.loglik) or size < 1e-6:
                break
            size /= 2
        location, now = there, ahead
        if decrement < GLM_TOLERANCE:
            found = moved(step)
            refuse_separation(step[step.size - len(names) :], found, names)
            vcov = np.linalg.inv(now.fixed[located, located])
            refuse_unbounded(np.sqrt(np.diag(vcov))[step.size - len(names) :], found, names)
            return location, vcov, passes
    if step.size:
        refuse_separation(step[step.size - len(names) :], moved(step), names)
    raise FitRefused(
        "The model without random effects does not converge; its starting values are needed.",
        "bring the columns to similar units, or leave out columns that are nearly combinations of others",
    )


def first_beta(model: Model) -> np.ndarray:
    """Coefficients to start from: zero, or least squares of the family's linear predictor less the offset."""
    rows = model.rows
    cross, gram = np.zeros(rows.n_columns), np.zeros((rows.n_columns, rows.n_columns))
    for part in rows.parts():
        for chunk in part():
            eta = model.family.start_eta(chunk.events, chunk.trials)
            if eta is None and chunk.offset is None:
                return cross
            eta = 0.0 if eta is None else eta
            cross += chunk.weighted_sum(eta - (0.0 if chunk.offset is None else chunk.offset))
            gram += chunk.X @ chunk.X.T
    return np.linalg.solve(gram, cross)


@dataclass(frozen=True)
class Movement:
    """How the linear predictor moves along a direction: furthest against an outcome, and furthest; and the columns'
    ranges, low and high (p,)."""

    against: float
    along: float
    low: np.ndarray
    high: np.ndarray

    def __add__(self, other: Movement) -> Movement:
        """That of both parts of the rows."""
        return Movement(
            max(self.against, other.against),
            max(self.along, other.along),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )


def movement(model: Model, own: np.ndarray, direction: np.ndarray) -> Movement:
    """Move beta along `direction`, and the thresholds along `own`."""

    def of(chunk: Chunk) -> Movement:
        move = chunk.times(direction)
        against = model.family.against(move, own, chunk.events, chunk.trials)
        ends = chunk.X.min(axis=1), chunk.X.max(axis=1)
        return Movement(max(0.0, float(against.max())), max(0.0, float(np.abs(move).max())), *ends)  # 0 where NaN

    return reduce(add, (of(chunk) for part in model.rows.parts() for chunk in part()))


def refuse_unbounded(std_error: np.ndarray, found: Movement, names: tuple[str, ...]) -> None:
    """Raise where the likelihood is flat along a column: part of the rows are separated, rounding hides which."""
    if std_error.max(initial=0.0) < UNBOUNDED_ERROR:
        return
    unbounded = std_error * (found.high - found.low) > UNBOUNDED_ERROR
    if guilty := [name for name, is_it in zip(names, unbounded, strict=True) if is_it]:
        raise FitRefused(
            f"The outcome is separated in part of the rows by {', '.join(guilty)}: the estimate has no bound.",
            "leave the column out, or merge levels in which all outcomes are alike",
        )


def refuse_separation(direction: np.ndarray, found: Movement, names: tuple[str, ...]) -> None:
    """Raise when moving beta along `direction` never lowers the likelihood of any row: the estimates are infinite.

    A direction separates when x'direction >= 0 in rows with events only, <= 0 in rows without, and = 0 in rows with
    both (Albert & Anderson 1984, doi 10.1093/biomet/71.1.1). Rows that do not move (quasi-separation) are allowed.
    """
    if found.along < LEAST_MOVE or found.against > SEPARATION_TOLERANCE * found.along:
        return
    share = np.abs(direction) * (found.high - found.low)
    guilty = [name for name, s in zip(names, share, strict=True) if s > 0.1 * share.max(initial=0.0)]
    raise FitRefused(
        f"The outcome is completely separated by {', '.join(guilty)}: the estimate is infinite.",
        "leave the column out, or merge levels in which all outcomes are alike",
    )
