"""Pictures of a researcher's own fit: diagnostics, curves and surfaces."""

from __future__ import annotations

from typing import Protocol

import altair as alt
import numpy as np
import polars as pl
from scipy import stats

from outcomes.door.charts import HEIGHT, WIDTH, band, finished, squares
from outcomes.door.columns import GUIDANCE, PREFERENCE
from outcomes.errors import UsageError
from outcomes.mixed import BinomialFit, FitStatus, LinearFit
from outcomes.report.figures.style import BLUE, INK, QUIET

BINS = 20
"""Bins of equally many rows along the fitted values: their mean residuals show a bend that single points hide."""
MOST_POINTS = 2_000
"""Points that are drawn at most, every so many-th of the sorted ones."""


class Drawn(Protocol):
    """What pictures read of a fit; see `outcomes.door.fits.OwnFit` for the meaning."""

    formula: str
    fit: LinearFit | BinomialFit

    @property
    def status(self) -> FitStatus:
        """How the fit ended."""
        ...

    @property
    def rows(self) -> pl.DataFrame:
        """Its rows with fitted values and residuals."""
        ...

    def curve(self, x: str) -> pl.DataFrame:
        """Predictions over one column."""
        ...

    def surface(self, x: str, y: str) -> pl.DataFrame:
        """Predictions over two columns."""
        ...


class FitPlots:
    """Pictures of one fit; each is an Altair chart."""

    def __init__(self, own: Drawn) -> None:
        self._own = own

    def residuals(self) -> alt.LayerChart:
        """Residuals over fitted values, and their means in 20 bins with +- 2 standard errors; level at 0 is well."""
        rows = self._own.rows.sort("fitted").with_row_index("i")
        binned = rows.group_by((pl.col("i") * BINS // rows.height).alias("bin")).agg(
            pl.col("fitted").mean(), pl.col("residual").mean().alias("mean"),
            (2 * pl.col("residual").std() / pl.len().sqrt()).alias("half"),
        )  # fmt: skip
        binned = binned.with_columns(low=pl.col("mean") - pl.col("half"), high=pl.col("mean") + pl.col("half"))
        x = alt.X("fitted:Q", title="fitted", scale=alt.Scale(zero=False))
        dots = alt.Chart(_thinned(rows).select("fitted", "residual")).mark_circle(color=QUIET, opacity=0.25, size=12)
        zero = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=INK, strokeDash=[2, 3]).encode(y="y:Q")
        bars = (
            alt.Chart(binned)
            .mark_rule(color=BLUE, strokeWidth=2)
            .encode(x=x, y=alt.Y("low:Q", title="residual"), y2="high:Q")
        )
        means = alt.Chart(binned).mark_point(color=BLUE, filled=True, size=45).encode(x=x, y="mean:Q")
        is_binomial = isinstance(self._own.fit, BinomialFit)
        layers = [zero, bars, means] if is_binomial else [dots.encode(x=x, y="residual:Q"), zero, bars, means]
        return finished(
            alt.layer(*layers).properties(width=WIDTH, height=HEIGHT), "Residuals over fitted values",
            f"Points with bars: means of {BINS} bins, twice their standard error. Fit {self._own.status.words}.",
        )  # fmt: skip

    def qq(self) -> alt.LayerChart:
        """Residuals against a normal distribution; on the line is well.

        Raises
        ------
        UsageError
            Of a binomial model, whose residuals are not normal.
        """
        if isinstance(self._own.fit, BinomialFit):
            raise UsageError("Residuals of a binomial model are not normal.", "look at `.plot.residuals()`")
        residual = np.sort(self._own.rows["residual"].to_numpy())
        normal = stats.norm.ppf((np.arange(1, residual.size + 1) - 0.5) / residual.size)
        frame = _thinned(pl.DataFrame({"normal": normal, "residual": residual / residual.std()}))
        ends = [float(normal[0]), float(normal[-1])]
        line = alt.Chart(pl.DataFrame({"normal": ends, "residual": ends})).mark_line(color=INK, strokeDash=[2, 3])
        dots = alt.Chart(frame).mark_circle(color=BLUE, opacity=0.6, size=16)
        x, y = alt.X("normal:Q", title="normal quantile"), alt.Y("residual:Q", title="residual (standard deviations)")
        chart = alt.layer(line.encode(x=x, y=y), dots.encode(x=x, y=y)).properties(width=340, height=340)
        return finished(chart, "Residuals against a normal distribution")

    def curve(self, column: str) -> alt.LayerChart:
        """The outcome over one column, others as is typical, with its 95% band."""
        outcome = self._own.formula.split("~")[0].strip()
        chart = band(self._own.curve(column), column, outcome)
        return finished(chart, f"{outcome} over {column}", "Others as is typical. Band: 95%.")

    def surface(self, x: str = GUIDANCE, y: str = PREFERENCE) -> alt.LayerChart:
        """The outcome over two columns, others as is typical; pale where no rows are."""
        outcome = self._own.formula.split("~")[0].strip()
        chart = squares(self._own.surface(x, y), x, y, outcome)
        return finished(chart, f"{outcome} over two columns", f"Others as is typical. Fit {self._own.status.words}.")


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.gather_every(max(1, -(-frame.height // MOST_POINTS)))
