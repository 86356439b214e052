"""Small symmetric matrices by the thousand, stored as (k, k, n) so that every operation runs along n."""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

CHUNK = 8192
"""Levels that are handled at once, so that the work stays in the processor's cache."""

_LARGE = 64  # above this size LAPACK alone is faster than NumPy's batches


def chunks(n: int) -> list[slice]:
    """Slices of at most CHUNK."""
    return [slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK)]


def sandwich(left: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """left @ stack[:, :, i] @ left.T for every i; left (k, k), stack (k, k, n)."""
    k = len(left)
    if k == 1:
        return stack * left[0, 0] ** 2
    twice = (left[:, None, :, None] * left[None, :, None, :]).reshape(k * k, k * k)
    return (twice @ stack.reshape(k * k, -1)).reshape(stack.shape)


def inverse_and_logdet(stack: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverses of positive definite matrices (k, k, n), by Cholesky or written out, and the sum of their log
    determinants."""
    k = len(stack)
    if k == 1:
        return 1.0 / stack, float(np.log(stack[0, 0]).sum())
    if k == 2:
        determinant = stack[0, 0] * stack[1, 1] - stack[1, 0] ** 2
        inverse = np.empty_like(stack)
        inverse[0, 0], inverse[1, 1] = stack[1, 1] / determinant, stack[0, 0] / determinant
        inverse[0, 1] = inverse[1, 0] = -stack[1, 0] / determinant
        return inverse, float(np.log(determinant).sum())
    lower = np.zeros_like(stack)
    inverse = np.zeros_like(stack)  # of the Cholesky factor
    log_determinant = np.zeros(stack.shape[2:])
    for j in range(k):
        pivot = stack[j, j] - sum(lower[j, c] ** 2 for c in range(j))
        lower[j, j] = np.sqrt(pivot)
        log_determinant += np.log(pivot)
        for i in range(j + 1, k):
            lower[i, j] = (stack[i, j] - sum(lower[i, c] * lower[j, c] for c in range(j))) / lower[j, j]
    for j in range(k):
        inverse[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, k):
            inverse[i, j] = -sum(lower[i, c] * inverse[c, j] for c in range(j, i)) / lower[i, i]
    result = np.empty_like(stack)
    for a in range(k):
        for b in range(a + 1):
            result[a, b] = result[b, a] = sum(inverse[c, a] * inverse[c, b] for c in range(a, k))
    return result, float(log_determinant.sum())


def multiply(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Products left[:, :, i] @ right[:, :, i] of (k, k, n) stacks; further axes beside n are broadcast."""
    k = len(left)
    if k == 1:
        return left * right
    return np.einsum("ac...,cb...->ab...", left, right)


def apply(stack: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Products stack[:, :, i] @ columns[:, i, :]; columns (k, n, q), with more axes in front of n in both or none."""
    return np.einsum("ab...,b...q->a...q", stack, columns)


def symmetric_pairs(k: int) -> list[tuple[int, int]]:
    """Places (a, b), a <= b, of a symmetric k x k matrix."""
    return [(a, b) for a in range(k) for b in range(a, k)]


def positive_inverse(stack: np.ndarray) -> tuple[np.ndarray, float]:
    """Inverses of positive definite matrices stored as (n, m, m), and the sum of their log determinants."""
    if stack.shape[1] == 1:
        return 1.0 / stack, float(np.log(stack).sum())
    if stack.shape[1] <= _LARGE:
        lower = np.linalg.cholesky(stack)
        return np.linalg.inv(stack), 2 * float(np.log(np.diagonal(lower, axis1=1, axis2=2)).sum())
    inverses, log_det = np.empty_like(stack), 0.0
    for i, matrix in enumerate(stack):
        factor, _ = lapack.dpotrf(matrix, lower=1)
        log_det += 2 * float(np.log(np.diag(factor)).sum())
        inverse, _ = lapack.dpotri(factor, lower=1)
        inverses[i] = np.tril(inverse) + np.tril(inverse, -1).T
    return inverses, log_det
