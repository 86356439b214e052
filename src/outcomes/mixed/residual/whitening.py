"""Errors that are not alike, made alike: rows times R^-1/2, and the cross-products that follow.

R has the blocks s_i s_j rho^|t_i - t_j| of the rows of one sequence: the rows of one cell, i.e. of one combination of
all grouping factors, in the order of t. s is a group's standard deviation relative to the first group's, over the root
of the row's weight. A row less rho^gap times the one before it, over sqrt(1 - rho^(2 gap)), has errors of variance
sigma^2 that do not depend on each other (Pinheiro & Bates 2000, doi 10.1007/b98882, section 5.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.mixed.design.levels import Levels
from outcomes.mixed.linear.gram import GramData

LARGEST_RHO = 1 - 1e-9
"""Autocorrelations are held inside this, so that no row loses its error altogether."""


@dataclass(frozen=True)
class Structure:
    """Which errors differ.

    variance_by : column of the groups with variances of their own, or None; ar1 : column of the order in a sequence, or
    None; labels : the groups, the first one being the unit.
    """

    variance_by: str | None
    ar1: str | None
    labels: tuple[str, ...]

    @property
    def n_ratios(self) -> int:
        """Ratios of standard deviations."""
        return len(self.labels) - 1 if self.variance_by else 0

    @property
    def size(self) -> int:
        """Residual parameters phi: log ratios, then atanh(rho)."""
        return self.n_ratios + (self.ar1 is not None)

    def ratios(self, phi: np.ndarray) -> np.ndarray:
        """Standard deviations (groups,) relative to the first group's."""
        return np.exp(np.append(0.0, phi[: self.n_ratios]))

    def rho(self, phi: np.ndarray) -> float:
        """Autocorrelation of neighbours; 0 without."""
        return float(np.clip(np.tanh(phi[-1]), -LARGEST_RHO, LARGEST_RHO)) if self.ar1 else 0.0


@dataclass(frozen=True)
class OrderedRows:
    """The complete rows, sorted by cell and order.

    Parameters
    ----------
    values : ndarray, shape (v, n)
        The Gram's columns, centred as it has them.
    group : ndarray of int, shape (n,)
        Position in `Structure.labels`; zeros without variances by group.
    gap : ndarray, shape (n,)
        Steps since the row before in the sequence; 0 for the first one.
    weights : ndarray, shape (n,)
    order : ndarray of int, shape (n,)
        Position of each of these rows among the complete rows as the data have them.
    starts : ndarray of int, shape (cells,)
        First row of each cell.
    levels : dict of tuple to Levels
        Codes of the cells by grouping factor.
    """

    values: np.ndarray
    group: np.ndarray
    gap: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    levels: dict[tuple[str, ...], Levels]


def scales(structure: Structure, rows: OrderedRows, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation of each row's error over sigma, and its correlation with the row before, each (n,)."""
    s = structure.ratios(phi)[rows.group] / np.sqrt(rows.weights)
    rho = structure.rho(phi)
    return s, np.where(rows.gap > 0, np.sign(rho) ** rows.gap * np.abs(rho) ** rows.gap, 0.0)


def whitened(plain: GramData, structure: Structure, rows: OrderedRows, phi: np.ndarray) -> GramData:
    """Cross-products of the rows times R^-1/2; `log_weights` becomes -log|R|."""
    s, link = scales(structure, rows, phi)
    scaled = rows.values / s
    free = 1 - link**2
    moved = scaled.copy()
    moved[:, 1:] -= link[1:] * scaled[:, :-1]
    moved /= np.sqrt(free)
    random = moved[: plain.n_random]
    cells = np.add.reduceat(random[:, None, :] * moved[None, :, :], rows.starts, axis=2)
    return replace(
        plain,
        total=moved @ moved.T,
        cells=cells,
        counts=np.diff(rows.starts, append=s.size),
        levels=rows.levels,
        log_weights=float(-2 * np.log(s).sum() - np.log(free).sum()),
    )


def drawn(structure: Structure, rows: OrderedRows, phi: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Errors over sigma of the ordered rows, shape (n,)."""
    s, link = scales(structure, rows, phi)
    error = rng.standard_normal(s.size)
    for i in np.flatnonzero(link):
        error[i] = link[i] * error[i - 1] + np.sqrt(1 - link[i] ** 2) * error[i]
    return s * error
