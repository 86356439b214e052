"""Traces of products of large matrices, in parts that stay in the processor's cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

ROWS = 256
"""Rows of a large component's matrix that are handled at once."""

TILE = 128
"""Rows and columns of a tile: two of them are 256 kB."""


@dataclass(frozen=True)
class RowTraces:
    """tr(M N_i M N_j) (m1, m1); tr(dPsi_i R dPsi_j R) (m2, m2); the diagonals of R (Q,) and of C'N_i C (m1, Q)."""

    first: np.ndarray
    others: np.ndarray
    diagonal: np.ndarray
    ends: np.ndarray


def traces_by_rows(M: np.ndarray, psi: np.ndarray, moves: list[sp.csr_array], changes: np.ndarray) -> RowTraces:
    """Traces of one large component with one effect a level, a few rows of M at a time.

    With C = I - M N = M Psi^-1 and R = N C = Psi^-1 - Psi^-1 M Psi^-1; `changes` (m2, Q) are the diagonals of dPsi_i.
    """
    m1, m2, size = len(moves), len(changes), len(M)
    first, others, diagonal, ends = np.zeros((m1, m1)), np.zeros((m2, m2)), np.empty(size), np.zeros((m1, size))
    for start in range(0, size, ROWS):
        part = slice(start, start + ROWS)
        rows = M[part]
        ahead = [move[part] @ M for move in moves]
        for j, move in enumerate(moves):
            behind = (move @ np.ascontiguousarray(rows.T)).T
            for i in range(m1):
                first[i, j] += np.einsum("rc,rc->", ahead[i], behind)
            ends[j] += np.einsum("rc,rc->c", rows, ahead[j])
        R = rows / (-psi[part, None] * psi)
        R[np.arange(len(R)), np.arange(start, start + len(R))] += 1 / psi[part]
        diagonal[part] = R[np.arange(len(R)), np.arange(start, start + len(R))]
        others += changes[:, part] @ (R * R) @ changes.T
    return RowTraces(first, others, diagonal, ends / psi**2)


def trace_of(one: np.ndarray, two: np.ndarray) -> float:
    """Trace of the products one @ two, summed over components; in tiles that stay in the cache."""
    if one.shape[1] <= TILE:
        return float(np.einsum("nrc,ncr->", one, two))
    edges = range(0, one.shape[1], TILE)
    return float(
        sum(
            np.einsum("nrc,ncr->", one[:, r : r + TILE, c : c + TILE], two[:, c : c + TILE, r : r + TILE])
            for r in edges
            for c in edges
        )
    )
