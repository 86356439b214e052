"""Fixed columns in coordinates that condition them, without those that the others make up, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design

RANK_TOLERANCE = 1e-11
"""A column is dropped when the columns before it leave less than this share of its square: 3e-6 of its length. lme4
asks for 1e-7 of the length, which sums of products cannot tell from rounding."""

LEAST_SQUARE = 1e-8
"""Mean square of a standardised column (1 where it varies) below which it is constant but for rounding."""


@dataclass(frozen=True)
class FixedPart:
    """Fixed columns in working coordinates: x_work = (x - center) / scale of the columns `kept`.

    x'beta = x_work'beta_work + shift'beta_work; `shift` (p,) is not zero only where thresholds stand for the intercept.
    names, dropped : names kept and dropped; back : (p, p), beta = back @ beta_work; x_cov : (p, p), covariance over
    rows.
    """

    names: tuple[str, ...]
    kept: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    back: np.ndarray
    dropped: tuple[str, ...]
    x_cov: np.ndarray
    shift: np.ndarray


def fixed_part(
    fixed: tuple[str, ...], mean: np.ndarray, center: np.ndarray, scale: np.ndarray, gram: np.ndarray, n: int
) -> FixedPart:
    """Coordinates of the fixed columns from their working Gram matrix (P, P), a mean over n rows; mean, center,
    scale (P,)."""
    varies = np.diag(gram) > LEAST_SQUARE
    kept = independent_columns(np.where(np.outer(varies, varies), gram, 0.0))
    names = tuple(name for name, keep in zip(fixed, kept, strict=True) if keep)
    back = np.diag(1.0 / scale[kept])
    if INTERCEPT_NAME in names:
        back[names.index(INTERCEPT_NAME)] -= center[kept] / scale[kept]
    shift = (mean - center) / scale
    cov = (gram - np.outer(shift, shift)) * np.outer(scale, scale) * n / (n - 1)
    constant = np.array([name == INTERCEPT_NAME for name in fixed])
    cov[constant] = cov[:, constant] = 0.0
    if len(names) >= n:
        raise FitRefused(
            f"The model has {len(names)} fixed columns and {n} complete rows.", "use fewer terms or more data"
        )
    dropped = tuple(name for name, keep in zip(fixed, kept, strict=True) if not keep)
    return FixedPart(names, kept, center, scale, back, dropped, cov[np.ix_(kept, kept)], np.zeros(len(names)))


def location_and_scale(
    fixed: tuple[str, ...], mean: np.ndarray, mean_square: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Center (zero without an intercept) and scale of the fixed columns, from means of x and of (x - center)^2."""
    constant = np.array([name == INTERCEPT_NAME for name in fixed])
    center = np.where(constant, 0.0, mean) if INTERCEPT_NAME in fixed else np.zeros(len(fixed))
    scale = np.sqrt(mean_square)
    # A constant column is left at a length that the rank check sees as nothing.
    scale[scale <= 1e-12 * np.maximum(np.abs(mean), 1e-300)] = 1.0
    scale[constant] = 1.0
    return center, scale


def fixed_columns(design: Design, X: np.ndarray) -> tuple[np.ndarray, FixedPart]:
    """Working columns (n, p) and how they were made."""
    n = len(X)
    mean = X.mean(axis=0)
    center, _ = location_and_scale(design.fixed, mean, np.ones(X.shape[1]))
    work = X - center
    _, scale = location_and_scale(design.fixed, mean, np.einsum("ij,ij->j", work, work) / n)
    work /= scale
    part = fixed_part(design.fixed, mean, center, scale, work.T @ work / n, n)
    return work if part.kept.all() else work[:, part.kept], part


def without_intercept(X: np.ndarray, part: FixedPart) -> tuple[np.ndarray, FixedPart]:
    """The working columns less the intercept, where thresholds take its place; the others stay centred."""
    if INTERCEPT_NAME not in part.names:
        return X, part
    rest = [j for j, name in enumerate(part.names) if name != INTERCEPT_NAME]
    shrunk = replace(
        part,
        names=tuple(part.names[j] for j in rest),
        back=part.back[np.ix_(rest, rest)],
        x_cov=part.x_cov[np.ix_(rest, rest)],
        shift=(part.center / part.scale)[part.kept][rest],
    )
    return X[:, rest], shrunk


def independent_columns(gram: np.ndarray) -> np.ndarray:
    """Which columns are not combinations of those before them, by sweeping their cross-products (p, p) in order."""
    left = gram.copy()
    kept = np.zeros(len(gram), dtype=bool)
    for j in range(len(gram)):
        if left[j, j] > RANK_TOLERANCE * gram[j, j]:
            kept[j] = True
            left = left - np.outer(left[:, j], left[j]) / left[j, j]
    return kept
