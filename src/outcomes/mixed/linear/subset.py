"""Leave clients or therapists out of cross-products that are formed already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.design.levels import Levels
from outcomes.mixed.linear.gram import GramData


def subset(gram: GramData, keep: np.ndarray) -> GramData:
    """Cross-products of some cells only, about their own means; the data are not read again.

    Parameters
    ----------
    gram : GramData
        Made with `prepare_linear(..., by_cell=True)` and without weights.
    keep : ndarray of bool, shape (n_cells,)
        Cells that stay; `gram.levels[group].codes` tells the level of each.

    Raises
    ------
    FitRefused
        If no cell stays.
    UsageError
        If the products of some columns were not kept by cell, or the data are weighted.
    """
    if gram.n_random < len(gram.columns):
        raise UsageError("The products of all columns are needed by cell.", "prepare_linear(..., by_cell=True)")
    if gram.population.weights is not None:
        raise UsageError("Cells of weighted data cannot be left out afterwards.", "filter the data before")
    if not keep.any():
        raise FitRefused("No session is left.")
    cells = gram.cells[:, :, keep]
    left = replace(
        gram,
        total=cells.sum(axis=2),
        cells=cells,
        counts=gram.counts[keep],
        levels={group: _kept(levels, keep) for group, levels in gram.levels.items()},
    )
    left = left.recentred(left.center + left.total[0] / left.total[0, 0])
    sd = np.sqrt(np.maximum(np.diag(left.total), 0.0) / left.total[0, 0])
    return replace(left, scale=np.where(sd > 0, sd, 1.0))


def _kept(levels: Levels, keep: np.ndarray) -> Levels:
    """Codes of the cells that stay, over the levels that still occur."""
    present, codes = np.unique(levels.codes[keep], return_inverse=True)
    return Levels(levels.name, codes.astype(np.int32), levels.labels[present])
