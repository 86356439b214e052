"""Covariances that survive what the model leaves out: the sandwich, by therapist.

The score of the whole log-likelihood is a sum over clients (each one's part given all data); parts of clients who first
saw the same therapist are added up, and their spread replaces the model's own idea of it (White 1982,
doi 10.2307/1912526; Liang & Zeger 1986, doi 10.1093/biomet/73.1.13).
"""

from __future__ import annotations

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.dynamic import parameters
from outcomes.mixed.dynamic.gradient import dynamic_gradient, posterior
from outcomes.mixed.dynamic.likelihood import State, assemble, residual_weights
from outcomes.mixed.dynamic.problem import DynamicProblem, build_problem

MIN_CLUSTERS = 10
"""Fewer than this many clusters say too little about how they spread."""

MAX_CLUSTERS = 400
"""Above this, clusters are put together: sums of independent clusters are independent too, and cost less."""


def robust_covariance(problem: DynamicProblem, state: State, model_cov: np.ndarray) -> np.ndarray:
    """Sandwich covariance of (psi, theta) in the engine's units.

    Parameters
    ----------
    problem, state
        At the optimum.
    model_cov : ndarray, shape (p + m, p + m)
        Inverse of the observed information.

    Raises
    ------
    FitRefused
        Fewer than `MIN_CLUSTERS` clusters.
    """
    scores = cluster_scores(problem, state)
    n = len(scores)
    if n < MIN_CLUSTERS:
        raise FitRefused(
            f"There are only {n} therapists: too few for robust standard errors (at least {MIN_CLUSTERS}).",
            "use the model's own, which `fit_dynamic` gives",
        )
    half = model_cov @ scores.T
    return half @ half.T * n / (n - 1)


def cluster_scores(problem: DynamicProblem, state: State) -> np.ndarray:
    """Parts of the log-likelihood's derivative with respect to (psi, theta), shape (clusters, p + m).

    A cluster is the clients who first saw one therapist, or one client in a model without therapists.
    """
    rows = problem.rows
    first_row = np.flatnonzero(np.diff(rows.client, prepend=-1))
    cluster = rows.therapist[first_row] if problem.layout is not None else np.arange(len(first_row))
    cluster = np.unique(cluster, return_inverse=True)[1] % MAX_CLUSTERS
    found = posterior(problem, state)
    weights = residual_weights(problem, state.psi)
    entry_client = np.empty(problem.n_flat, dtype=np.int64)
    for block in problem.blocks:
        who = problem.pairs.client[block.pairs][:: block.n_therapists]
        entry_client[block.part] = np.repeat(who, block.shape[1] * block.shape[2])
    scores = []
    for value in range(int(cluster.max()) + 1):
        is_in = cluster == value
        part = build_problem(rows.take(is_in[rows.client]), has_therapists=False)
        assembly = assemble(part, state.tables)
        mean = found.mean[is_in[problem.pairs.client]]
        cov = found.cov[is_in[entry_client]]
        linear = assembly.gram @ weights - np.einsum("paq,pa->q", assembly.h, mean)
        pieces = [linear[problem.linear], -dynamic_gradient(part, state, assembly, mean, cov) / 2]
        for score in (found.client_score, found.therapist_score):
            if score is not None:
                pieces.append(parameters.factor_gradient(score[is_in].sum(axis=0)))
        scores.append(np.concatenate(pieces))
    return np.array(scores)
