"""Spline bases as piecewise polynomials, which the database can evaluate.

The bases are those of R's splines package (bs, ns), outside the range too: bs goes on with its end polynomials, ns
with straight lines (Hastie 1992, Statistical Models in S, section 7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline, PPoly

from outcomes.mixed.design.data import literal


@dataclass(frozen=True)
class Pieces:
    """Columns as polynomials between breaks.

    breaks : (m + 1,); coefficients : (columns, m, degree + 1), lowest power first, of x less the piece's left break
    (of its right break in the first piece, which has no left one).
    """

    breaks: np.ndarray
    coefficients: np.ndarray


def b_spline(inner: np.ndarray, low: float, high: float, *, degree: int, intercept: bool) -> Pieces:
    """B-spline columns of R's ``bs``; without intercept the first is left out."""
    coefficients = _pieces(inner, low, high, degree)
    breaks = np.r_[low, inner, high]
    return Pieces(breaks, coefficients if intercept else coefficients[1:])


def natural_spline(inner: np.ndarray, low: float, high: float, *, intercept: bool) -> Pieces:
    """Natural cubic spline columns of R's ``ns``: cubic, straight beyond the range."""
    coefficients = _pieces(inner, low, high, 3)
    width = high - (inner[-1] if len(inner) else low)
    last = coefficients[:, -1]
    curvature = np.stack([2 * coefficients[:, 0, 2], 2 * last[:, 2] + 6 * last[:, 3] * width])
    if not intercept:
        coefficients, curvature = coefficients[1:], curvature[:, 1:]
    Q = np.linalg.qr(curvature.T, mode="complete")[0]
    columns = np.einsum("kj,kmd->jmd", Q[:, 2:], coefficients)
    first, last = columns[:, 0], columns[:, -1]
    before, after = np.zeros_like(first), np.zeros_like(first)
    before[:, :2] = first[:, :2]
    after[:, 0] = last @ width ** np.arange(4)
    after[:, 1] = last[:, 1:] @ (np.arange(1, 4) * width ** np.arange(3))
    columns = np.concatenate([before[:, None], columns, after[:, None]], axis=1)
    return Pieces(np.r_[-np.inf, low, inner, high, np.inf], columns)


def piecewise_sql(x: str, breaks: np.ndarray, coefficients: np.ndarray) -> str:
    """SQL of one column; the end pieces go on beyond the breaks."""
    pieces = []
    for j, powers in enumerate(coefficients):
        origin = breaks[j] if np.isfinite(breaks[j]) else breaks[j + 1]
        polynomial = literal(float(powers[-1]))
        for power in powers[-2::-1]:
            polynomial = f"({literal(float(power))} + ({x} - {literal(float(origin))}) * {polynomial})"
        is_last = j == len(coefficients) - 1
        where = "else" if is_last else f"when {x} < {literal(float(breaks[j + 1]))} then"
        pieces.append(f"{where} {polynomial}")
    if len(pieces) == 1:
        return pieces[0].removeprefix("else ")
    return f"case when {x} is null then null {' '.join(pieces)} end"


def _pieces(inner: np.ndarray, low: float, high: float, degree: int) -> np.ndarray:
    """Coefficients (columns, pieces, degree + 1), lowest power first, of the full B-spline basis."""
    knots = np.r_[[low] * (degree + 1), inner, [high] * (degree + 1)]
    columns = []
    for j in range(len(knots) - degree - 1):
        spline = BSpline(knots, np.eye(len(knots) - degree - 1)[j], degree)
        columns.append(PPoly.from_spline(spline).c[::-1, degree : degree + len(inner) + 1].T)
    return np.array(columns)
