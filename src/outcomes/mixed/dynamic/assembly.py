"""The cross-products of all columns and of the effects, before any intercept is integrated out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.mixed.dynamic.parameters import Tables
from outcomes.mixed.dynamic.patterns import Precisions, precisions
from outcomes.mixed.dynamic.problem import DynamicProblem
from outcomes.mixed.dynamic.sequences import Stretches


@dataclass(frozen=True)
class Assembly:
    """Weighted cross-products at one value of the dynamic parameters; q columns of both equations.

    Parameters
    ----------
    precisions : tuple of Precisions
        By group of patterns.
    gram : ndarray, shape (q, q)
    h : ndarray, shape (P, 2, q)
        Effects with columns.
    flat : ndarray
        Effects with effects, client by client (see `ClientBlocks`).
    log_det : float
        Of the errors' covariances.
    """

    precisions: tuple[Precisions, ...]
    gram: np.ndarray
    h: np.ndarray
    flat: np.ndarray
    log_det: float


def assemble(problem: DynamicProblem, tables: Tables) -> Assembly:
    """Weigh the patterns' sums with their precisions."""
    found = tuple(precisions(g, at, tables) for g, at in zip(problem.groups, problem.places, strict=True))
    q = problem.q_d + problem.q_y
    gram = np.zeros((q, q))
    log_det = 0.0
    n_cells = problem.to_pairs.shape[1]
    columns, precision_of = np.empty((n_cells, 2, q)), np.empty((n_cells, 4))
    for group, precision, part in zip(problem.groups, found, problem.cells, strict=True):
        log_det += float(group.count @ precision.log_det)
        gram += _gram(group, precision)
        summed = _by_outcome(precision.omega, group, axis=1)
        twice = _by_outcome(summed, group, axis=2).reshape(-1, 4)
        precision_of[part] = group.cell_count[:, None] * twice[group.cell_word]
        _weigh_cells(group, summed, columns[part])
    h = problem.to_pairs @ columns.reshape(n_cells, 2 * q)
    own = problem.to_pairs @ precision_of
    flat = np.zeros(problem.n_flat)
    for group, precision, places in zip(problem.groups, found, problem.crossing_places, strict=True):
        if group.crossing is not None:
            crossing = group.crossing
            omega = precision.omega[crossing.word]
            values = np.concatenate(
                [omega[:, :, : group.nd] @ crossing.D, omega[:, :, group.nd :] @ crossing.Y], axis=2
            )
            np.add.at(h.reshape(-1, q), crossing.effect, values)
            np.add.at(flat, places, omega)
    flat[problem.diagonal] += own.reshape(-1, 2, 2)
    return Assembly(found, gram, h.reshape(-1, 2, q), flat, log_det)


def _by_outcome(values: np.ndarray, group: Stretches, axis: int) -> np.ndarray:
    """Sums over the observations of each outcome: the axis gets length 2."""
    return np.add.reduceat(values, [0, group.nd], axis=axis) if group.ny else _without_ratings(values, axis)


def _without_ratings(values: np.ndarray, axis: int) -> np.ndarray:
    """Sums by outcome where there is no satisfaction."""
    total = values.sum(axis=axis, keepdims=True)
    return np.concatenate([total, np.zeros_like(total)], axis=axis)


def _weigh_cells(group: Stretches, weights: np.ndarray, out: np.ndarray) -> None:
    """Sums of the cells' columns with each pattern's weights (W, 2, n_m), into `out` of shape (C, 2, q)."""
    q_d = group.cell_guidance.shape[2]
    stops = np.append(group.cell_first, len(group.cell_word))[1:]
    for first, stop in zip(group.cell_first, stops, strict=True):
        own = weights[group.cell_word[first]]
        np.matmul(own[:, : group.nd], group.cell_guidance[first:stop], out=out[first:stop, :, :q_d])
        np.matmul(own[:, group.nd :], group.cell_satisfaction[first:stop], out=out[first:stop, :, q_d:])


def _gram(group: Stretches, precision: Precisions) -> np.ndarray:
    """Cross-products of all columns, weighted by the patterns' precisions."""
    size = np.diff(group.root_first, append=len(group.root_guidance))
    whitener = np.repeat(precision.whitener, size, axis=0)
    whitened = np.concatenate(
        [whitener[:, :, : group.nd] @ group.root_guidance, whitener[:, :, group.nd :] @ group.root_satisfaction], axis=2
    )
    whitened = whitened.reshape(-1, whitened.shape[2])
    return whitened.T @ whitened
