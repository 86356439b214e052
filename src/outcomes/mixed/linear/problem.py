"""Constants of one linear specification, cut out of the cross-products: what every evaluation of its deviance shares.

Working coordinates: with a fixed intercept every column and the outcome are centred and scaled; without one they are
only scaled. Symbols: X (n, p), y, Z; J levels and k random columns of the factor that is eliminated first; q = p + 1.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.columns import RANK_TOLERANCE, independent_columns
from outcomes.mixed.elimination.components import LinkedLevels, build_rest
from outcomes.mixed.layout import consecutive
from outcomes.mixed.linear.factors import WorkingFactor, build_factors
from outcomes.mixed.linear.gram import GramData


class Moments(Protocol):
    """What the coordinates of a specification follow from; see `GramData`, which has it."""

    columns: tuple[str, ...]
    n_random: int
    center: np.ndarray
    scale: np.ndarray
    total: np.ndarray
    log_weights: float


@dataclass(frozen=True)
class LinearFrame:
    """What a specification is in working coordinates, before any level's data.

    Parameters
    ----------
    factors : tuple of WorkingFactor
        The eliminated factor first.
    slices : tuple of slice
        Each factor's place in theta.
    n_levels : tuple of int
    XX : ndarray, shape (q, q)
        [X y]'[X y].
    names, dropped : tuple of str
        Fixed effects kept and dropped.
    to_original : ndarray, shape (p, p)
        Working coefficients times this (and `y_scale`) are the formula's, up to `y_center` on the intercept.
    y_center, y_scale : float
    log_det_x : float
        log |R| with X = X_work R, which the REML criterion needs.
    n : int
    log_weights : float
    """

    factors: tuple[WorkingFactor, ...]
    slices: tuple[slice, ...]
    n_levels: tuple[int, ...]
    XX: np.ndarray
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    to_original: np.ndarray
    y_center: float
    y_scale: float
    log_det_x: float
    n: int
    log_weights: float

    @property
    def p(self) -> int:
        """Fixed effects."""
        return len(self.names)

    @property
    def n_theta(self) -> int:
        """Covariance parameters."""
        return self.slices[-1].stop


@dataclass(frozen=True)
class LinearProblem(LinearFrame):
    """One specification's constants.

    Parameters
    ----------
    G : ndarray, shape (k, k, J)
        Z'Z of the eliminated factor by level.
    ZX : ndarray, shape (k, J, q)
        Z'[X y] of the eliminated factor by level.
    rest : LinkedLevels or None
        The other factors.
    """

    G: np.ndarray
    ZX: np.ndarray
    rest: LinkedLevels | None

    @property
    def is_exact(self) -> bool:
        """Whether all random effects can be eliminated exactly."""
        return self.rest is None or self.rest.packing.is_dense

    def with_columns(self, W: np.ndarray, names: tuple[str, ...]) -> LinearProblem:
        """The problem with [X y] replaced by [X y] @ W; W (q, new q), `names` of the new fixed columns."""
        rest = None if self.rest is None else self.rest.with_products(self.rest.F @ W)
        return replace(self, ZX=self.ZX @ W, XX=W.T @ self.XX @ W, rest=rest, names=names)


def linear_frame(
    moments: Moments, design: Design, n: int, n_levels: dict[tuple[str, ...], int], like: LinearFrame | None = None
) -> LinearFrame:
    """Coordinates of one specification.

    Parameters
    ----------
    moments : GramData, or what a pool of them has
    design : Design
    n : int
        Rows.
    n_levels : dict of tuple to int
        Levels of each grouping factor.
    like : LinearFrame, optional
        Of a pool that these rows are a part of: its fixed effects and its order of factors are kept.

    Raises
    ------
    FitRefused
        Fewer than two levels; one row (or fewer rows than random effects) per level; no more rows than columns; a
        constant outcome.
    """
    factors = build_factors(design, moments, is_part=like is not None)
    if like is None:  # a part may be small; what it is a part of was checked
        for factor in factors:
            _check_levels(factor, n_levels[factor.group], n)
        if n <= len(design.fixed):
            raise FitRefused(f"{n} rows cannot determine {len(design.fixed)} fixed effects.", "use fewer predictors")
    order = sorted(n_levels, key=lambda group: -n_levels[group]) if like is None else [f.group for f in like.factors]
    factors = tuple(sorted(factors, key=lambda factor: order.index(factor.group)))
    X, y, to_original, scales = _fixed_coordinates(moments, design)
    if like is None:
        kept = np.flatnonzero(independent_columns(X @ moments.total @ X.T))
    else:
        kept = np.array([design.fixed.index(name) for name in like.names])
    V = np.vstack([X[kept], y])
    XX = V @ moments.total @ V.T
    if like is None and XX[-1, -1] <= 0:
        raise FitRefused(f"The outcome {design.formula.outcome} is constant.", "there is nothing to explain")
    if like is None and residual_share(XX) <= RANK_TOLERANCE:
        raise FitRefused(
            f"The fixed effects give the outcome {design.formula.outcome} exactly: nothing is left to vary.",
            "look whether a predictor was computed from the outcome",
        )
    kept_names = tuple(design.fixed[i] for i in kept)
    return LinearFrame(
        factors=factors,
        slices=consecutive([factor.n_theta for factor in factors]),
        n_levels=tuple(n_levels[factor.group] for factor in factors),
        XX=XX,
        names=kept_names,
        dropped=tuple(name for name in design.fixed if name not in kept_names),
        to_original=to_original[np.ix_(kept, kept)],
        y_center=moments.center[moments.columns.index(design.outcome)] if ONE in _sql(design) else 0.0,
        y_scale=scales[-1],
        log_det_x=float(np.log(scales[:-1][kept]).sum()),
        n=n,
        log_weights=moments.log_weights,
    )


def residual_share(XX: np.ndarray) -> float:
    """Share of the outcome's square (the last of the columns) that the independent columns before it leave."""
    left = XX.copy()
    for j in range(len(XX) - 1):
        left = left - np.outer(left[:, j], left[j]) / left[j, j]
    return float(left[-1, -1] / XX[-1, -1])


def linear_problem(
    gram: GramData, design: Design, like: LinearFrame | None = None, beside: LinearProblem | None = None
) -> LinearProblem:
    """Cut one specification out of the cross-products; `like` as in `linear_frame`.

    `beside` is another of the same rows with the same random terms: its grouping factors are not prepared again.

    Raises
    ------
    FitRefused
        See `linear_frame`.
    """
    levels = {group: gram.levels[group].n_levels for group in design.groups}
    frame = linear_frame(gram, design, gram.n_rows, levels, like)
    X, y, _, _ = _fixed_coordinates(gram, design)
    V = np.vstack([X[[design.fixed.index(name) for name in frame.names]], y])
    used = np.flatnonzero(np.any(V != 0, axis=0))
    sums = [_level_sums(gram, factor, used) for factor in frame.factors]
    ZX = [np.tensordot(columns, V[:, used], axes=(1, 1)) for columns, _ in sums]
    rest = None
    if len(frame.factors) > 1:
        cells = [(gram.levels[f.group].codes, f.columns, gram.levels[f.group].n_levels) for f in frame.factors]
        F = np.concatenate([np.swapaxes(zx, 0, 1).reshape(-1, len(V)) for zx in ZX[1:]])
        if beside is None:
            rest = build_rest(cells[0], cells[1:], gram.cells[:, : gram.n_random], F)
        else:
            rest = beside.rest.with_products(F)
    shared = {part.name: getattr(frame, part.name) for part in fields(LinearFrame)}
    return LinearProblem(**shared, G=sums[0][1], ZX=np.ascontiguousarray(ZX[0]), rest=rest)


def cell_sums(gram: GramData, design: Design, frame: LinearFrame) -> tuple[np.ndarray, np.ndarray]:
    """Z'Z, shape (k, k, n_cells), and Z'[X y], shape (k, n_cells, q), of the first factor's columns, cell by cell."""
    X, y, _, _ = _fixed_coordinates(gram, design)
    V = np.vstack([X[[design.fixed.index(name) for name in frame.names]], y])
    columns = frame.factors[0].columns
    rows = np.flatnonzero(np.any(columns != 0, axis=0))
    used = np.flatnonzero(np.any(V != 0, axis=0))
    Zv = np.einsum("ka,abc->kbc", columns[:, rows], gram.cells[rows], optimize=True)
    ZZ = np.einsum("kbc,lb->klc", Zv[:, rows], columns[:, rows], optimize=True)
    return ZZ, np.einsum("kac,qa->kcq", Zv[:, used], V[:, used], optimize=True)


def design_columns(gram: GramData, design: Design, names: tuple[str, ...]) -> np.ndarray:
    """Working fixed columns as combinations of the Gram's, shape (p, v)."""
    X = _fixed_coordinates(gram, design)[0]
    return X[[design.fixed.index(name) for name in names]]


def outcome_column(gram: GramData, design: Design) -> np.ndarray:
    """The working outcome as a combination of the Gram's columns, shape (v,)."""
    return _fixed_coordinates(gram, design)[1]


def _check_levels(factor: WorkingFactor, n_levels: int, n: int) -> None:
    """Refuse grouping factors that the rows cannot inform."""
    name = ":".join(factor.group)
    if n_levels < 2:
        raise FitRefused(f"The grouping factor {name} has {n_levels} level.", "a random effect needs at least two")
    if n_levels >= n:
        raise FitRefused(
            f"The grouping factor {name} has one row per level ({n_levels} levels, {n} rows): "
            "its variance cannot be told from the residual.",
            "leave it out",
        )
    if n_levels * factor.k >= n:
        raise FitRefused(
            f"{n} rows cannot determine {factor.k} random effects for each of {n_levels} levels of {name}.",
            "use fewer random slopes",
        )


def _sql(design: Design) -> list[str]:
    """SQL of the fixed columns in order."""
    return [design.columns[name] for name in design.fixed]


def _fixed_coordinates(gram: Moments, design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Working [X y] as combinations of the Gram's columns, the map back to the formula's coefficients, and scales."""
    sql = _sql(design)
    is_centred = ONE in sql
    X = np.zeros((len(sql) + 1, len(gram.columns)))
    scales = np.ones(len(sql) + 1)
    to_original = np.eye(len(sql))
    for i, column in enumerate([*sql, design.outcome]):
        source = gram.columns.index(column)
        center, scale = gram.center[source], gram.scale[source]
        if not is_centred:
            scale = np.hypot(center, scale)
            X[i, 0] = center / scale
        scales[i] = scale
        X[i, source] += 1 / scale
        if i < len(sql):
            to_original[i, i] = 1 / scale
            if is_centred and source:
                to_original[sql.index(ONE), i] = -center / scale
    return X[:-1], X[-1], to_original, scales


def _level_sums(gram: GramData, factor: WorkingFactor, used: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z'v, shape (k, len(used), L), and Z'Z, shape (k, k, L), of a factor by level."""
    levels = gram.levels[factor.group]
    rows = np.flatnonzero(np.any(factor.columns != 0, axis=0))
    needed = np.union1d(rows, used)
    by_level = np.empty((len(rows), len(needed), levels.n_levels))
    for i, a in enumerate(rows):
        for j, b in enumerate(needed):
            by_level[i, j] = np.bincount(levels.codes, weights=gram.cells[a, b], minlength=levels.n_levels)
    columns = factor.columns[:, rows]
    Zv = np.tensordot(columns, by_level, axes=1)
    ZZ = np.swapaxes(np.tensordot(Zv[:, np.searchsorted(needed, rows)], columns, axes=(1, 1)), 1, 2)
    return Zv[:, np.searchsorted(needed, used)], ZZ
