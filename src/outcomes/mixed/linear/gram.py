"""Cross-products by cell, formed in the database: all that a linear mixed model needs of its data.

A cell is one combination of levels of all grouping factors. With v = (1, x1 .. xp, y1 ..) centred, and z the columns
that a random term uses, the sums kept are sum(w z v') a cell and sum(w v v') over all rows. They add over partitions
of the rows (Luo et al. 2022, doi 10.1038/s41467-022-29160-4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from outcomes.errors import UsageError
from outcomes.mixed.design.coding import ONE, Design
from outcomes.mixed.design.levels import Levels, encode
from outcomes.mixed.design.population import Population, open_population
from outcomes.mixed.linear.sums import Wanted, sums


@dataclass(frozen=True)
class GramData:
    """Cross-products of one population, from which any number of linear specifications are fitted.

    Parameters
    ----------
    population : Population
        Compiles further formulas; the data are not read again.
    columns : tuple of str, length v
        SQL of each column; the first is the constant, the first `n_random` may vary over levels.
    n_random : int
    center : ndarray, shape (v,)
        What was subtracted from each column before the sums were formed (0 for the constant).
    scale : ndarray, shape (v,)
        Standard deviation of each column (1 for constants), used to condition the numerics.
    total : ndarray, shape (v, v)
        Weighted cross-products over all rows.
    cells : ndarray, shape (n_random, v, n_cells)
        Weighted cross-products of the random columns with all columns by cell.
    counts : ndarray, shape (n_cells,)
        Rows of each cell.
    levels : dict of tuple to Levels
        Codes of the cells by grouping factor.
    n_missing : int
        Rows left out because a column is missing.
    log_weights : float
        Sum of the logarithms of the weights.
    """

    population: Population
    columns: tuple[str, ...]
    n_random: int
    center: np.ndarray
    scale: np.ndarray
    total: np.ndarray
    cells: np.ndarray
    counts: np.ndarray
    levels: dict[tuple[str, ...], Levels]
    n_missing: int
    log_weights: float

    @property
    def n_rows(self) -> int:
        """Rows that take part."""
        return int(self.counts.sum())

    def design(self, formula: str) -> Design:
        """Compile a formula and check that its cross-products are here.

        Raises
        ------
        UsageError
            When a column, or a random column, was not among the prepared formulas.
        """
        design = self.population.design(formula)
        known = set(self.columns)
        missing = [name for name, sql in design.columns.items() if sql not in known]
        missing += [] if design.outcome in known else [design.formula.outcome]
        random = {design.columns[name] for block in design.random for name in block.columns}
        missing += [sql for sql in random if sql not in self.columns[: self.n_random]]
        missing += [":".join(group) for group in design.groups if group not in self.levels]
        if missing:
            raise UsageError(
                f"The cross-products lack {', '.join(dict.fromkeys(missing))}.",
                "name every formula that shares the population in prepare_linear",
            )
        return design

    def recentred(self, center: np.ndarray) -> GramData:
        """The same cross-products about another centre; exact algebra, the data are not read."""
        center = np.append(0.0, center[1:])
        delta = self.center - center
        z_delta = delta[: self.n_random]
        ones = self.total[0]
        total = self.total + np.outer(delta, ones) + np.outer(ones, delta) + np.outer(delta, delta) * ones[0]
        cells = self.cells.copy()
        # One column at a time: all together take four times the memory.
        for row, own, moved in zip(cells, self.cells, z_delta, strict=True):
            row += moved * self.cells[0]
            row += delta[:, None] * own[0]
            row += np.outer(moved * delta, self.cells[0, 0])
        return replace(self, center=center, total=total, cells=cells)

    def second_moments(self, columns: Sequence[str], *, about_mean: bool) -> np.ndarray:
        """Weighted mean products of some columns (by SQL), about their means or about zero."""
        at = [self.columns.index(column) for column in columns]
        offset = self.total[0] / self.total[0, 0]
        products = (self.total / self.total[0, 0] - np.outer(offset, offset))[np.ix_(at, at)]
        mean = (offset + self.center)[at]
        mean[[i for i, column in enumerate(columns) if column == ONE]] = 1.0
        return products if about_mean else products + np.outer(mean, mean)

    def __add__(self, other: GramData) -> GramData:
        """Pool two partitions of one population (practices, machines, chunks): the sums add.

        Raises
        ------
        UsageError
            When the partitions were prepared with different columns or levels.
        """
        if self.columns != other.columns or set(self.levels) != set(other.levels) or self.n_random != other.n_random:
            raise UsageError(
                "The two sets of cross-products have different columns.",
                "prepare both with the same formulas, and give `levels` when a categorical predictor is among them",
            )
        other = other.recentred(self.center)
        pooled = replace(
            self,
            total=self.total + other.total,
            cells=np.concatenate([self.cells, other.cells], axis=2),
            counts=np.concatenate([self.counts, other.counts]),
            levels={group: _joined(self.levels[group], other.levels[group]) for group in self.levels},
            n_missing=self.n_missing + other.n_missing,
            log_weights=self.log_weights + other.log_weights,
        )
        pooled = pooled.recentred(pooled.center + pooled.total[0] / pooled.total[0, 0])
        sd = np.sqrt(np.maximum(np.diag(pooled.total), 0.0) / pooled.total[0, 0])
        return replace(pooled, scale=np.where(sd > 0, sd, 1.0))


def prepare_linear(
    formulas: str | Sequence[str],
    data: Any,
    *,
    weights: str | None = None,
    levels: dict[str, list] | None = None,
    by_cell: bool = False,
    also: Sequence[str] = (),
) -> GramData:
    """Form the cross-products that all of some formulas need, in at most three passes over the data.

    Parameters
    ----------
    formulas : str or sequence of str
        In lme4's syntax. They share one population: the rows complete in the columns of all of them.
    data : DuckDB relation, polars or pandas frame, Arrow table
        Rows are read by the database only.
    weights : str, optional
        Column of positive prior weights (the residual variance of a row is sigma^2 / weight).
    levels : dict of str to list, optional
        Levels of categorical predictors, when partitions that will be added must agree on them.
    by_cell : bool
        Keep the products of all columns by cell, not only of the random ones: `subset` and `score_contributions` need
        them. Memory grows with the square of the number of columns times the number of cells.
    also : sequence of str
        Further columns of the data that must not be missing.

    Returns
    -------
    GramData
        For `fit_linear`, as often as wanted.

    Raises
    ------
    FormulaError, FitRefused
        See `outcomes.mixed.design.coding` and `outcomes.mixed.design.survey`.

    Notes
    -----
    Passes: a survey (means, non-finite values), the totals, the cells, or one where the rows are few (see `sums`); one
    more before them when categorical predictors' levels must be found.
    """
    formulas = [formulas] if isinstance(formulas, str) else list(formulas)
    population = open_population(formulas, data, weights, levels, also=also)
    designs = [population.design(formula) for formula in formulas]
    names = {sql: name for design in designs for name, sql in design.columns.items()}
    names |= {design.outcome: design.formula.outcome for design in designs}
    columns, n_random = columns_of(designs)
    weight = designs[0].weights
    groups = tuple(dict.fromkeys(group for design in designs for group in design.groups))
    keys = tuple(dict.fromkeys(name for group in groups for name in group))
    n_random = len(columns) if by_cell else n_random
    found = sums(population, Wanted(names, columns, n_random, weight, keys))
    return GramData(
        population=population,
        columns=columns,
        n_random=n_random,
        center=found.center,
        scale=np.array([found.survey.sd.get(sql, 1.0) or 1.0 for sql in columns]),
        total=found.total,
        cells=found.cells,
        counts=found.counts,
        levels={group: encode(found.keys, group) for group in groups},
        n_missing=found.survey.n_missing,
        log_weights=found.log_weights,
    )


def columns_of(designs: Sequence[Design]) -> tuple[tuple[str, ...], int]:
    """SQL of the columns that some designs need, the constant first, and how many of them have random effects."""
    random = {design.columns[name]: None for design in designs for block in design.random for name in block.columns}
    fixed = [sql for design in designs for sql in (*design.columns.values(), design.outcome)]
    return tuple(dict.fromkeys([ONE, *random, *fixed])), len({ONE, *random})


def _joined(left: Levels, right: Levels) -> Levels:
    """Codes of two sets of cells over the union of their levels."""
    labels = pl.concat([left.labels, right.labels]).unique().sort()
    position = pl.DataFrame({"label": labels, "code": np.arange(len(labels), dtype=np.int32)})
    codes = [
        side.labels.to_frame("label").join(position, on="label", how="left", maintain_order="left")["code"].to_numpy()
        for side in (left, right)
    ]
    return Levels(left.name, np.concatenate([codes[0][left.codes], codes[1][right.codes]]), labels.alias(""))
