"""Whether the sums of many rounds can be taken apart by the number of rows that clients have.

With one random intercept, [X y]'V^-1 [X y] at theta is T - sum over m of theta^2 / (1 + theta^2 m) S_m, where T are the
products over all rows and S_m the products of row sums over the clients of m rows. Its derivative, which is told as
well, is a sum of S_m / (1 + theta^2 m)^2, and round 1 tells T itself. So each round is two more equations for T and
all S_m. Seen as a regression with what is known beforehand (the size that an S_m has in standardised
ratings) and the rounding of the answers as noise, the resolution matrix says what the rounds tell of each S_m: a
diagonal near 1 is told, near 0 is not (Backus & Gilbert 1970, doi 10.1098/rsta.1970.0005). Nothing may be told of few:
of no S_m, and of no sum of neighbours, that fewer clients make up than a site may tell of. Random slopes and further
factors add unknowns and make it harder; they are not counted on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PRECISION = 1e-10
"""To which an answer is rounded, relative to its largest number (of a binomial model: to that of each of its parts).
Enough for estimates to 1e-8 (docs/federation.md)."""
TOLD = 0.25
"""Most that may be told of few, as a share of the variance that is not known beforehand. At a quarter a yes or no that
one in three says is guessed right in three of four cases instead of two of three."""


def told_of_few(
    n_rows: np.ndarray,
    thetas: Sequence[float],
    precision: float,
    fewest: int,
    clients: np.ndarray | None = None,
    *,
    is_total_told: bool = True,
) -> float:
    """How much the rounds of a linear model tell of fewer clients than `fewest`.

    Parameters
    ----------
    n_rows : ndarray, shape (levels,)
        Rows of each client, or of each level of another factor: as many as count beside the model's further terms.
    thetas : sequence of float
        Size of their relative standard deviation in each round.
    precision : float
        Rounding of an answer, relative to its largest number.
    fewest : int
    clients : ndarray, shape (levels,), optional
        Clients of each level; one by default.
    is_total_told : bool
        Whether round 1 tells T. It does not tell what T is beside further terms of the model.

    Returns
    -------
    float
        Share of what is not known beforehand, 0 to 1; above `TOLD` it is too much.
    """
    sizes, alike, n_levels = np.unique(n_rows, return_inverse=True, return_counts=True)
    counts = np.bincount(alike, weights=clients)
    total = float(np.sum(n_rows))
    squares = np.unique(np.asarray(thetas, dtype=float))[:, None] ** 2
    expected = np.append(total, np.sqrt(n_levels) * sizes * (1 + sizes) / 2)
    kept = 1 / (1 + squares * sizes)
    products = kept**2
    equations = [
        _equations(1.0, -squares * kept, precision * total),
        _equations(0.0, products, precision * (products @ (n_levels * sizes**2))[:, None]),
    ]
    if is_total_told:
        equations.append(_equations(1.0, np.zeros((1, sizes.size)), np.finfo(float).eps * total))
    return most_told(np.vstack(equations), expected, np.append(np.inf, counts), fewest)


def _equations(of_total: float, of_sizes: np.ndarray, unit: float | np.ndarray) -> np.ndarray:
    """Rows of equations for T and all S_m, with noise of size 1, of answers that are rounded to a unit."""
    return np.insert(of_sizes, 0, of_total, axis=1) / (unit / np.sqrt(12))


def most_told(
    equations: np.ndarray,
    expected: np.ndarray,
    counts: np.ndarray,
    fewest: int,
    orders: Sequence[np.ndarray] | None = None,
) -> float:
    """The most that equations tell of few: of an unknown, or of the sum of a run of unknowns, of too few clients.

    Parameters
    ----------
    equations : ndarray, shape (e, u)
        With noise of size 1.
    expected : ndarray, shape (u,)
        Sizes that the unknowns have as far as is known beforehand.
    counts : ndarray, shape (u,)
        Clients of each unknown, 1 or more.
    fewest : int
        Of so many clients and more anything may be told.
    orders : sequence of ndarray, shape (u,), optional
        Orders in which unknowns that are alike stand beside each other; as they are given by default.

    Returns
    -------
    float
        Share of the variance of such a sum that the equations take away; 1 where it cannot be computed.
    """
    scaled = equations * expected
    if not np.isfinite(scaled).all():
        return 1.0
    _, singular, directions = np.linalg.svd(scaled, full_matrices=False)
    told = directions * (singular / np.hypot(1, singular))[:, None]  # told'told is the resolution matrix
    most = 0.0
    for order in orders or [np.arange(counts.size)]:
        columns, sizes = told[:, order], expected[order]
        for first in range(counts.size):
            n_few = int(np.searchsorted(np.cumsum(counts[order[first : first + fewest]]), fewest))
            for end in range(first + 1, first + n_few + 1):
                run = sizes[first:end]
                told_of_run = float(np.sum((columns[:, first:end] @ run) ** 2) / (run @ run))
                most = max(most, told_of_run if np.isfinite(told_of_run) else 1.0)
    return most
