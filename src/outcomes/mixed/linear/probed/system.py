"""The linked effects' system I + R after scaling to a diagonal of one: solved by conjugate gradients, and its log
determinant by random probes.

For z of random signs z'log(I + R)z has the mean log|I + R|. Conjugate gradients started at z leave the Lanczos matrix
of z behind, whose Gauss quadrature is that number (Ubaru, Chen & Saad 2017, doi 10.1137/16M1104974). What is known
exactly is taken out first: tr R = 0, and tr R^2 is a sum over the entries, so that probes only estimate terms of the
third order in R.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from outcomes.errors import FitRefused

TOLERANCE = 1e-10
"""Residual, as a share of the right side, at which a solution is taken as found."""

MAX_STEPS = 1000
"""Most steps: their number goes with the root of the condition number, which is below ten where few effects meet."""

ENTRIES_AT_ONCE = 2_000_000
"""Entries between which an inverse is estimated at once."""


@dataclass(frozen=True)
class Solved:
    """Solutions of (I + R) x = b, and what the steps tell of the probes.

    Parameters
    ----------
    x : ndarray, shape (Q, c)
    log_forms : ndarray, shape (n_probes,)
        z'log(I + R)z of the first n_probes right sides.
    n_steps : int
    """

    x: np.ndarray
    log_forms: np.ndarray
    n_steps: int


def signs(n_columns: int, n_probes: int, seed: int) -> np.ndarray:
    """Random signs (Q, n_probes); more probes of one seed begin with the same ones."""
    streams = np.random.default_rng(seed).spawn(n_probes)
    return np.column_stack([2.0 * rng.integers(0, 2, n_columns) - 1.0 for rng in streams])


def solve_all(R: sp.csr_array, right: np.ndarray, n_probes: int) -> Solved:
    """Solve (I + R) x = right (Q, c) column by column; the first `n_probes` columns are probes.

    Raises
    ------
    FitRefused
        Where the steps do not end.
    """
    x, residual = np.zeros_like(right), right.copy()
    direction = residual.copy()
    size = np.einsum("qc,qc->c", residual, residual)
    enough = TOLERANCE**2 * size
    alphas, betas = [], []
    for _ in range(MAX_STEPS):
        active = size > enough
        if not active.any():
            break
        image = direction + R @ direction
        along = np.einsum("qc,qc->c", direction, image)
        alpha = np.divide(size, along, out=np.zeros_like(size), where=active)
        x += alpha * direction
        residual -= alpha * image
        new_size = np.einsum("qc,qc->c", residual, residual)
        beta = np.divide(new_size, size, out=np.zeros_like(size), where=active)
        direction *= beta
        direction += residual
        size = np.where(active, new_size, size)
        alphas.append(alpha[:n_probes])
        betas.append(beta[:n_probes])
    else:
        raise FitRefused(
            f"The system of {len(right):,} linked random effects did not settle in {MAX_STEPS} steps.",
            "leave the largest crossed factor out, or fit practices or regions apart",
        )
    return Solved(x, len(right) * _log_quadrature(np.array(alphas), np.array(betas)), len(alphas))


def _log_quadrature(alphas: np.ndarray, betas: np.ndarray) -> np.ndarray:
    """e1'log(T)e1 of each probe's Lanczos matrix T, from the steps (n_steps, n_probes) of conjugate gradients."""
    n_steps, n_probes = alphas.shape
    T = np.zeros((n_probes, n_steps, n_steps))
    done = alphas == 0  # a probe that has settled: its matrix goes on as the identity, apart from what is before
    inverse = np.divide(1.0, alphas, out=np.ones_like(alphas), where=~done)
    diagonal = inverse.copy()
    diagonal[1:] += np.where(done[1:], 0.0, betas[:-1] * inverse[:-1])
    beside = np.where(done[1:], 0.0, np.sqrt(betas[:-1]) * inverse[:-1])
    at = np.arange(n_steps)
    T[:, at, at] = diagonal.T
    T[:, at[1:], at[:-1]] = T[:, at[:-1], at[1:]] = beside.T
    values, vectors = np.linalg.eigh(T)
    return np.einsum("ns,ns->n", vectors[:, 0] ** 2, np.log(np.maximum(values, np.finfo(float).tiny)))


def log_determinant(R: sp.csr_array, probes: np.ndarray, moved: np.ndarray, solved: Solved) -> tuple[float, float]:
    """Estimate of log|I + R| and its standard error; `moved` is R @ probes."""
    known = -0.5 * float(R.data @ R.data)
    left = solved.log_forms - np.einsum("qn,qn->n", probes, moved) + 0.5 * np.einsum("qn,qn->n", moved, moved)
    return known + float(left.mean()), float(left.std(ddof=1) / np.sqrt(len(left)))


def inverse_at(R: sp.csr_array, probes: np.ndarray, x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Entries of (I + R)^-1: those of I - R, and an estimate of what is left; `x` are the probes' solutions."""
    left = x - probes + R @ probes
    found = (rows == columns).astype(float) - entries_at(R, rows, columns)
    for start in range(0, len(rows), ENTRIES_AT_ONCE // probes.shape[1] + 1):
        part = slice(start, start + ENTRIES_AT_ONCE // probes.shape[1] + 1)
        one, two = rows[part], columns[part]
        both = np.einsum("en,en->e", left[one], probes[two]) + np.einsum("en,en->e", left[two], probes[one])
        found[part] += both / (2 * probes.shape[1])
    return found


def entries_at(matrix: sp.csr_array, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Entries of a sparse matrix with sorted rows at some places, zero where it has none; an array in any case."""
    width = matrix.shape[1]
    keys = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * width + matrix.indices
    wanted = rows.astype(np.int64) * width + columns
    if not len(keys):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, matrix.data[place], 0.0)
