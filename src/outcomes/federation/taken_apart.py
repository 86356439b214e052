"""Whether the sums of many rounds can be taken apart by the number of rows that clients have.

With one random intercept, [X y]'V^-1 [X y] at theta is T - sum over m of theta^2 / (1 + theta^2 m) S_m, where T are the
products over all rows and S_m the products of row sums over the clients of m rows. Each round is one more equation
for T and all S_m. Seen as a regression with what is known beforehand (the size that an S_m has in standardised
ratings) and the rounding of the answers as noise, the resolution matrix says which S_m the rounds tell apart: a
diagonal near 1 is told, near 0 is not (Backus & Gilbert 1970, doi 10.1098/rsta.1970.0005). Random slopes and further
factors add unknowns and make it harder; they are not counted on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

TOLD = 0.5
"""Resolution above which a sum counts as told apart from its neighbours."""


def fewest_told_apart(clients: Mapping[int, int], thetas: Sequence[float], precision: float) -> float:
    """The fewest clients whose summed numbers the rounds tell apart from the others'.

    Parameters
    ----------
    clients : mapping of int to int
        Clients by number of rows.
    thetas : sequence of float
        Size of the clients' relative standard deviation in each round.
    precision : float
        Rounding of an answer, relative to its largest number.

    Returns
    -------
    float
        A number of clients; infinite where nothing is told apart.
    """
    sizes = np.array(sorted(clients))
    counts = np.array([clients[size] for size in sizes], dtype=float)
    n_rows = float(sizes @ counts)
    squares = np.unique(np.asarray(thetas, dtype=float))[:, None] ** 2
    expected = np.append(n_rows, np.sqrt(counts) * sizes * (1 + sizes) / 2)
    equations = np.column_stack([np.ones(len(squares)), -squares / (1 + squares * sizes)]) * expected
    noise = precision * n_rows / np.sqrt(12)
    return fewest_resolved(resolution(equations / noise)[1:, 1:], counts)


def resolution(equations: np.ndarray) -> np.ndarray:
    """Resolution matrix (u, u) of equations (e, u) for unknowns of expected size 1, with noise of size 1."""
    _, singular, directions = np.linalg.svd(equations, full_matrices=False)
    return (directions.T * (singular**2 / (1 + singular**2))) @ directions


def fewest_resolved(resolved: np.ndarray, counts: np.ndarray) -> float:
    """The fewest clients that stand together in what a resolution matrix (u, u) tells; `counts` (u,) are the unknowns'
    own."""
    weights = np.abs(resolved) / np.maximum(np.abs(resolved).max(axis=1, keepdims=True), 1e-300)
    blended = weights @ counts
    return float(np.min(blended[np.diag(resolved) > TOLD], initial=np.inf))
