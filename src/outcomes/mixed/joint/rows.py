"""Rows of a joint model of ratings and dropout, summed by cell: what its likelihood needs and nothing else.

A cell is one client with one therapist. The ratings enter by their sums over cells, so that one evaluation costs the
same however many sessions a cell has; the hazard's rows stay rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from outcomes.errors import FitRefused, UsageError
from outcomes.links import Link
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import FixedPart, fixed_columns
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.elimination.packing import pairs_within


@dataclass(frozen=True)
class ClientCells:
    """Client and therapist of each cell, sorted by client, and the pairs of cells of one client.

    client, therapist : (K,); starts : (C,), first cell of each client; first, second : (P,), pairs of cells with one
    client, each cell with itself included; by_therapist : (J, K) indicator.
    """

    client: np.ndarray
    therapist: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    second: np.ndarray
    by_therapist: sparse.csr_array

    @property
    def n_clients(self) -> int:
        """Number of clients, C."""
        return self.starts.size

    @property
    def n_therapists(self) -> int:
        """Number of therapists, J."""
        return self.by_therapist.shape[0]


@dataclass(frozen=True)
class RatingSums:
    """Sums over the ratings of each cell, outcome standardised, x the random slopes' column.

    n, x, xx, y, yx : (K,); fixed, fixed_x : (K, p), sums of the fixed columns and of x times them; over all rows gram
    (p, p), cross (p,) with y, and square, the sum of y^2.
    """

    n: np.ndarray
    x: np.ndarray
    xx: np.ndarray
    fixed: np.ndarray
    fixed_x: np.ndarray
    y: np.ndarray
    yx: np.ndarray
    gram: np.ndarray
    cross: np.ndarray
    square: float
    n_rows: int


@dataclass(frozen=True)
class HazardRows:
    """W (N, g) fixed columns, events (N,) 0 or 1, cell (N,), by_cell (K, N) indicator.

    Where the hazard depends on the current value: fixed (N, p) and x (N,), the ratings' columns at these sessions, in
    the ratings' working coordinates; else x is 0 and fixed has no rows.
    """

    W: np.ndarray
    events: np.ndarray
    cell: np.ndarray
    by_cell: sparse.csr_array
    fixed: np.ndarray
    x: np.ndarray


@dataclass(frozen=True)
class JointRows:
    """Both parts on the same cells, and the way back to the formula's units.

    `ratings_part`, `hazard_part` carry working coefficients back to the columns; `y_center`, `y_scale` and `x_scale`
    are those of the outcome and of the random slopes' column.
    """

    cells: ClientCells
    ratings: RatingSums
    hazard: HazardRows
    ratings_part: FixedPart
    hazard_part: FixedPart
    y_center: float
    y_scale: float
    x_scale: float


def slope_column(design: Design, rows: ModelRows) -> np.ndarray:
    """The one column that random slopes are of, (n,); ones times nothing where there are no slopes.

    Raises
    ------
    UsageError
        If brackets differ in their slopes' column.
    """
    found: dict[str, np.ndarray] = {}
    for block, Z in zip(design.random, rows.Z, strict=True):
        found |= {name: Z[:, k] for k, name in enumerate(block.columns) if name != INTERCEPT_NAME}
    if len(found) > 1:
        raise UsageError(f"Random slopes of {' and '.join(found)}: the joint model has slopes of one column.")
    return next(iter(found.values())) if found else np.zeros(len(rows.y))


def join_rows(
    ratings_design: Design,
    ratings: ModelRows,
    hazard_design: Design,
    hazard: ModelRows,
    groups: tuple[str, ...],
    link: Link,
    current: tuple[Design, ModelRows] | None = None,
) -> JointRows:
    """Put ratings and hazard rows on common cells.

    Parameters
    ----------
    groups : tuple of str
        The client's column and, where the model has them, the therapist's.
    link : Link
        Of the hazard.
    current : Design and ModelRows, optional
        The ratings' columns at the hazard's rows, in the same order; where the hazard depends on the current value.

    Raises
    ------
    FitRefused
        Outcomes without variation, or events that are not 0 or 1.
    """
    events, _, _ = link.events(hazard.y, None)
    codes = [_common_codes(ratings, hazard, group) for group in groups]
    if len(codes) == 1:
        codes.append((np.zeros(len(ratings.y), dtype=np.int64), np.zeros(len(events), dtype=np.int64), 1))
    (client_y, client_h, _), (therapist_y, therapist_h, n_therapists) = codes
    key_y, key_h = client_y * n_therapists + therapist_y, client_h * n_therapists + therapist_h
    keys, positions = np.unique(np.concatenate([key_y, key_h]), return_inverse=True)
    cells = _cells(keys // n_therapists, keys % n_therapists, n_therapists)
    X, ratings_part = fixed_columns(ratings_design, ratings.X)
    W, hazard_part = fixed_columns(hazard_design, hazard.X)
    y_center, y_scale = float(ratings.y.mean()), float(ratings.y.std())
    if not y_scale > 0:
        raise FitRefused("All ratings are alike, so nothing can explain differences in them.")
    x = slope_column(ratings_design, ratings)
    x_scale = float(np.sqrt(np.mean(x**2))) or 1.0
    has_intercept = INTERCEPT_NAME in ratings_part.names
    y = (ratings.y - (y_center if has_intercept else 0.0)) / y_scale
    sums = _sums(X, y, x / x_scale, positions[: len(y)], len(keys))
    # rows of one cell side by side: sums over cells then run along memory
    order = np.argsort(positions[len(y) :], kind="stable")
    cell = positions[len(y) :][order]
    fixed, at = np.zeros((0, X.shape[1])), np.zeros(len(events))
    if current is not None:
        fixed = ((current[1].X - ratings_part.center) / ratings_part.scale)[:, ratings_part.kept][order]
        at = slope_column(*current)[order] / x_scale
    rows = HazardRows(np.ascontiguousarray(W[order]), events[order], cell, _indicator(cell, len(keys)), fixed, at)
    return JointRows(cells, sums, rows, ratings_part, hazard_part, y_center if has_intercept else 0.0, y_scale, x_scale)


def _common_codes(ratings: ModelRows, hazard: ModelRows, group: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Codes of one group's levels over both parts, and their number."""
    levels = [rows.groups[(group,)] for rows in (ratings, hazard)]
    labels = [level.labels.cast(pl.String).to_numpy() for level in levels]
    union, place = np.unique(np.concatenate(labels).astype(str), return_inverse=True)
    n = len(labels[0])
    return place[:n][levels[0].codes], place[n:][levels[1].codes], len(union)


def _cells(client: np.ndarray, therapist: np.ndarray, n_therapists: int) -> ClientCells:
    """Cells with their pairs; `client` is sorted and has no gaps once renumbered."""
    _, starts, client, sizes = np.unique(client, return_index=True, return_inverse=True, return_counts=True)
    first, second = pairs_within(sizes)
    return ClientCells(client, therapist, starts, first, second, _indicator(therapist, n_therapists))


def _indicator(codes: np.ndarray, n: int) -> sparse.csr_array:
    """Matrix (n, len(codes)) that sums by code."""
    return sparse.csr_array((np.ones(codes.size), (codes, np.arange(codes.size))), shape=(n, codes.size))


def _sums(X: np.ndarray, y: np.ndarray, x: np.ndarray, cell: np.ndarray, n_cells: int) -> RatingSums:
    """Sums by cell of everything the Gaussian part needs."""
    to_cells = _indicator(cell, n_cells)
    return RatingSums(
        n=to_cells @ np.ones(len(y)),
        x=to_cells @ x,
        xx=to_cells @ x**2,
        fixed=to_cells @ X,
        fixed_x=to_cells @ (X * x[:, None]),
        y=to_cells @ y,
        yx=to_cells @ (x * y),
        gram=X.T @ X,
        cross=X.T @ y,
        square=float(y @ y),
        n_rows=len(y),
    )
