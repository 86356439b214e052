"""Parametric bootstrap: simulate from a fit and fit again, many times; what a draw is comes from the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from outcomes.errors import UsageError
from outcomes.mixed.results.modes import VarianceBlock, correlation_name

MAX_FAILED = 0.1
"""Largest share of draws that may fail to settle before the intervals are refused."""


@dataclass(frozen=True)
class Bootstrap:
    """Estimates on simulated data.

    Parameters
    ----------
    names : tuple of str, length p
    beta : ndarray, shape (draws, p)
    sd_names : tuple of (group, effect)
    sd : ndarray, shape (draws, number of random effects)
        Standard deviations of the random effects; zeros are draws in which the component is estimated as zero.
    sigma : ndarray, shape (draws,), or None
        Residual standard deviation, where the model has one.
    converged : ndarray of bool, shape (draws,)
    seed : int
    corr_names : tuple of (group, name)
        Correlations, as ``corr(a, b)``.
    corr : ndarray, shape (draws, number of correlations)
        NaN in draws in which one of the two standard deviations is zero.
    """

    names: tuple[str, ...]
    beta: np.ndarray
    sd_names: tuple[tuple[str, str], ...]
    sd: np.ndarray
    sigma: np.ndarray | None
    converged: np.ndarray
    seed: int
    corr_names: tuple[tuple[str, str], ...]
    corr: np.ndarray

    def intervals(self, level: float = 0.95, *, correlations: bool = False) -> pl.DataFrame:
        """Percentile intervals: component, name, std_error, conf_low, conf_high.

        With `correlations` theirs as well, missing where more than a tenth of the draws have none.

        Raises
        ------
        UsageError
            When more than a tenth of the draws did not settle.
        """
        failed = 1 - self.converged.mean()
        if failed > MAX_FAILED:
            raise UsageError(f"{failed:.0%} of the draws did not converge: intervals would mislead.")
        residual = [] if self.sigma is None else [("Residual", "sigma")]
        labels = [
            *(("fixed", name) for name in self.names),
            *self.sd_names,
            *residual,
            *(self.corr_names if correlations else ()),
        ]
        parts = [
            self.beta,
            self.sd,
            *([] if self.sigma is None else [self.sigma]),
            *([self.corr] if correlations else []),
        ]
        values = np.column_stack(parts)[self.converged]
        lost = np.isnan(values).mean(axis=0) > MAX_FAILED
        values = np.where(lost, 0.0, values)
        conf_low, conf_high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return pl.DataFrame(
            {
                "component": [component for component, _ in labels],
                "name": [name for _, name in labels],
                "std_error": np.where(lost, np.nan, np.nanstd(values, axis=0, ddof=1)),
                "conf_low": np.where(lost, np.nan, conf_low),
                "conf_high": np.where(lost, np.nan, conf_high),
            }
        ).fill_nan(None)


def correlations_of(blocks: Sequence[VarianceBlock]) -> np.ndarray:
    """Correlations of some brackets, in the order of `correlation_names`."""
    found = [block.corr[np.tril_indices(len(block.names), -1)] for block in blocks]
    return np.concatenate([np.empty(0), *found])


def correlation_names(blocks: Sequence[VarianceBlock]) -> tuple[tuple[str, str], ...]:
    """Group and name of each correlation."""
    return tuple(
        (block.group, correlation_name(block.names[b], block.names[a]))
        for block in blocks
        for a, b in zip(*np.tril_indices(len(block.names), -1), strict=True)
    )


def draws_shown(draws: int, show_progress: bool) -> Iterable[int]:
    """Count the draws, with a progress bar on a terminal."""
    from rich.progress import Progress  # a tenth of the package's import, for those who draw

    with Progress(transient=True, disable=not show_progress) as progress:
        yield from progress.track(range(draws), description="Parametric bootstrap")
