"""Covariances that survive what the model leaves out: the sandwich, by therapist.

The score of the whole log-likelihood is a sum over clients (each one's part given all data); parts of clients who first
saw the same therapist are added up, and their spread replaces the model's own idea of it (White 1982,
doi 10.2307/1912526; Liang & Zeger 1986, doi 10.1093/biomet/73.1.13).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.gradient import Posterior, expected_products, posterior
from outcomes.mixed.dynamic.likelihood import State, residual_weights
from outcomes.mixed.dynamic.parameters import Tables
from outcomes.mixed.dynamic.patterns import Precisions, add_gradient, indices, precisions
from outcomes.mixed.dynamic.problem import DynamicProblem, crossing_places
from outcomes.mixed.dynamic.sequences import Stretches, cut, pair_up

MIN_CLUSTERS = 10
"""Fewer than this many clusters say too little about how they spread."""

MAX_CLUSTERS = 400
"""Above this, clusters are put together: sums of independent clusters are independent too, and cost less."""


@dataclass(frozen=True)
class Scores:
    """What the sandwich needs of the clusters: how many there are, and the sum of their scores' products with
    themselves, shape (p + m, p + m). No cluster lies in two parts of a table, so these add."""

    n: int
    products: np.ndarray

    def __add__(self, other: Scores) -> Scores:
        """Of two parts together."""
        return Scores(self.n + other.n, self.products + other.products)


def robust_covariance(scores: Scores, model_cov: np.ndarray) -> np.ndarray:
    """Sandwich covariance of (psi, theta) in the engine's units.

    Parameters
    ----------
    scores : Scores
        At the optimum.
    model_cov : ndarray, shape (p + m, p + m)
        Inverse of the observed information.

    Raises
    ------
    FitRefused
        Fewer than `MIN_CLUSTERS` clusters.
    """
    n = scores.n
    if n < MIN_CLUSTERS:
        raise FitRefused(
            f"There are only {n} therapists: too few for robust standard errors (at least {MIN_CLUSTERS}).",
            "use the model's own, which `fit_dynamic` gives",
        )
    return model_cov @ scores.products @ model_cov * n / (n - 1)


def sum_scores(problem: DynamicProblem, state: State) -> Scores:
    """The clusters' scores at a state, summed."""
    scores = cluster_scores(problem, state)
    return Scores(len(scores), scores.T @ scores)


def cluster_scores(problem: DynamicProblem, state: State) -> np.ndarray:
    """Parts of the log-likelihood's derivative with respect to (psi, theta), shape (clusters, p + m).

    A cluster is the clients who first saw one therapist, or one client in a model without therapists.
    """
    rows = problem.rows
    first_row = np.flatnonzero(np.diff(rows.client, prepend=-1))
    cluster = rows.therapist[first_row] if problem.layout is not None else np.arange(len(first_row))
    cluster = np.unique(cluster, return_inverse=True)[1] % MAX_CLUSTERS
    found = posterior(problem, state)
    n, kind = int(cluster.max()) + 1, cluster[rows.client]
    linear, dynamic = _parts_by_pattern(problem, state, found, kind, n)
    np.subtract.at(linear, cluster[problem.pairs.client], np.einsum("paq,pa->pq", state.assembly.h, found.mean))
    pieces = [linear[:, problem.size.linear], -dynamic / 2]
    for score in (found.client_score, found.therapist_score):
        if score is not None:
            by_cluster = np.zeros((n, 2, 2))
            np.add.at(by_cluster, cluster, score)
            pieces.append(np.array([parameters.factor_gradient(one) for one in by_cluster]))
    return np.hstack(pieces)


def _parts_by_pattern(
    problem: DynamicProblem, state: State, found: Posterior, kind: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """By cluster, X'V^-1 r of the errors with the effects left in, (n, q), and the dynamic gradient, (n, 9).

    One pass over the stretches, whose patterns are kept apart by cluster; each cluster has tables of its own.
    """
    weights = residual_weights(problem.size, state.psi)
    length = len(state.tables.power)
    tiled = Tables(np.tile(state.tables.power, (n, 1, 1)), np.tile(state.tables.cov, (1, n, 1, 1)))
    d_power, d_cov = np.zeros_like(tiled.power), np.zeros_like(tiled.cov)
    linear = np.zeros((n, len(weights)))
    for group in cut(problem.rows, pair_up(problem.rows)[1], kind):
        at = indices(group)
        precision = precisions(group, at, state.tables)
        np.add.at(linear, group.kind, _weighted_residuals(problem, group, precision, weights))
        places = crossing_places(group, problem.row_of, problem.column_of)
        S = expected_products(problem, group, places, weights, found.mean, found.cov)
        own = group.kind * length
        moved = replace(
            at,
            offset=at.offset + own[:, None],
            gap=at.gap + own[:, None, None],
            early=at.early + own[:, None, None],
        )
        add_gradient(group, moved, precision, S, tiled, d_power, d_cov)
    by_cluster = d_cov.reshape(2, n, length, 2, 2).swapaxes(0, 1)
    return linear, parameters.chain(state.theta, d_power.reshape(n, length, 2, 2), by_cluster)


def _weighted_residuals(
    problem: DynamicProblem, group: Stretches, precision: Precisions, weights: np.ndarray
) -> np.ndarray:
    """Columns times weighted residuals, summed by pattern: shape (W, q)."""
    size = np.diff(group.root_first, append=len(group.root_guidance))
    omega = np.repeat(precision.omega, size, axis=0)
    D, Y = group.root_guidance, group.root_satisfaction
    residuals = np.concatenate([D @ weights[: problem.size.q_d], Y @ weights[problem.size.q_d :]], axis=1)
    weighted = np.einsum("nij,nj->ni", omega, residuals)
    products = [
        np.einsum("niq,ni->nq", D, weighted[:, : group.nd]),
        np.einsum("niq,ni->nq", Y, weighted[:, group.nd :]),
    ]
    return np.add.reduceat(np.hstack(products), group.root_first, axis=0)
