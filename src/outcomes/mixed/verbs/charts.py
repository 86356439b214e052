"""Plots of a fit as altair charts, which is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import scipy

from outcomes.errors import UsageError, no_such
from outcomes.mixed.design.data import VIEW
from outcomes.mixed.verbs.effects import Effective, predictions
from outcomes.mixed.verbs.grid import is_categorical, moments, spread
from outcomes.mixed.verbs.rows import data_of, design_of, fitted_rows, residuals

if TYPE_CHECKING:
    import altair

SHOWN = 2_000
"""Most points of one panel; more are thinned evenly by their order."""
BLUE, RED, GREY = "#4c78a8", "#c0392b", "#888888"
WIDTH, HEIGHT = 300, 220


def plot_diagnostics(fit: Effective) -> altair.VConcatChart:
    """Four panels: residuals by fitted values, their normal quantiles, their spread, the random effects' quantiles.

    Parameters
    ----------
    fit : LinearFit or BinomialFit

    Returns
    -------
    altair.VConcatChart
        ``.save("page.html")``, or shown in a notebook. At most 2,000 points a panel.

    Raises
    ------
    UsageError
        A fit whose data are not with it.
    """
    import altair as alt

    found = fitted_rows(fit)
    residual = residuals(fit, "standardised").to_numpy()
    is_used = np.isfinite(residual)
    points = pl.DataFrame({"fitted": found.mean[is_used], "residual": residual[is_used]}).with_columns(
        pl.col("residual").abs().sqrt().alias("root")
    )
    shown = _thinned(points)
    rule = alt.Chart(pl.DataFrame({"y": [0.0]})).mark_rule(color=GREY).encode(y="y:Q")
    scatter = _panel(alt, shown, "fitted", "residual", "Fitted value", "Standardised residual", "Residuals")
    spread_panel = _panel(alt, shown, "fitted", "root", "Fitted value", "Root of |residual|", "Spread")
    top = (scatter + rule) | _quantiles(alt, residual[is_used], "Normal quantiles of residuals")
    effects = []
    for group in fit.n_groups:
        modes = fit.conditional.modes(group)
        for k, name in enumerate(modes.names):
            values = modes.mode[:, k]
            if values.std() > 0:
                effects.append((f"{group}: {name}", values / values.std()))
    panels = [_quantiles(alt, values, label) for label, values in effects[:1]]
    bottom = alt.hconcat(spread_panel, *panels)
    more = [
        alt.hconcat(*[_quantiles(alt, v, label) for label, v in effects[i : i + 2]]) for i in range(1, len(effects), 2)
    ]
    return alt.vconcat(top, bottom, *more)


def plot_random_effects(fit: Effective, group: str, level: float = 0.95, most: int = 60) -> altair.HConcatChart:
    """Caterpillar: conditional modes of a grouping factor in order of the first effect, with intervals.

    Parameters
    ----------
    fit : LinearFit or BinomialFit
    group : str
        One of `n_groups`.
    level : float
        Of the intervals: mode and normal quantile of its conditional standard deviation.
    most : int
        Levels shown; of more, those with the smallest and largest modes.

    Raises
    ------
    UsageError
        When the model has no such grouping factor.
    """
    import altair as alt

    if group not in fit.n_groups:
        raise no_such("grouping factor of the model", group, fit.n_groups)
    modes = fit.conditional.modes(group)
    order = np.argsort(modes.mode[:, 0], kind="stable")
    if len(order) > most:
        order = np.r_[order[: most // 2], order[len(order) - most // 2 :]]
    quantile = scipy.stats.norm.ppf((1 + level) / 2)
    labels = [str(label) for label in modes.labels.gather(order)]
    panels = []
    for k, name in enumerate(modes.names):
        half = quantile * np.sqrt(np.maximum(modes.cond_cov[order, k, k], 0.0))
        values = modes.mode[order, k]
        frame = pl.DataFrame({"label": labels, "mode": values, "low": values - half, "high": values + half})
        y = alt.Y("label:N", sort=None, title=group if not k else None, axis=alt.Axis(labels=not k, ticks=not k))
        base = alt.Chart(frame).encode(y=y)
        bars = base.mark_rule(color=BLUE).encode(x=alt.X("low:Q", title=f"{name} ({level:.0%})"), x2="high:Q")
        dots = base.mark_circle(color=BLUE, size=30).encode(x="mode:Q")
        zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=GREY).encode(x="x:Q")
        panels.append((zero + bars + dots).properties(width=220, height=max(120, 11 * len(order))))
    return alt.hconcat(*panels)


def plot_effects(
    fit: Effective, x: str, by: str | None = None, at: dict[str, Any] | None = None, level: float = 0.95
) -> altair.LayerChart:
    """Expected outcome over a predictor, with intervals and a rug of where the data lie.

    Parameters
    ----------
    fit : LinearFit or BinomialFit
    x : str
        Predictor on the axis; numbers give a line with a band, factors points with bars.
    by : str, optional
        A second predictor, one colour a level; of a number the mean and one standard deviation about it.
    at : dict, optional
        Values of the other predictors; those not named are typical (see `grid`).
    level : float
        Of the intervals.

    Raises
    ------
    UsageError
        Columns that the model does not read; a fit whose data are not with it.
    """
    import altair as alt

    if by == x:
        raise UsageError(f"{x!r} cannot be on the axis and in the colours.", "name another predictor in `by`")
    values = {**(at or {}), x: spread(fit, x)}
    if by is not None and by not in (at or {}):
        values[by] = _levels_shown(fit, by)
    frame = predictions(fit, values, level=level)
    if by is not None and not is_categorical(fit, by):
        frame = frame.with_columns(pl.col(by).round(3))
    frame = frame.select([x, *([by] if by else []), "estimate", "conf_low", "conf_high"])
    names = {x: "x_value"} | ({by: "by_value"} if by else {})
    frame = frame.rename(names)
    outcome = design_of(fit).formula.source.partition("~")[0].strip()
    colour = alt.Color("by_value:N", title=by) if by else alt.value(BLUE)
    y = alt.Y("estimate:Q", title=f"Expected {outcome}", scale=alt.Scale(zero=False))
    if is_categorical(fit, x):
        frame = frame.with_columns(pl.col("x_value").cast(pl.String))
        offset = {"xOffset": "by_value:N"} if by else {}
        base = alt.Chart(frame).encode(
            x=alt.X("x_value:N", title=x, axis=alt.Axis(labelAngle=0)), color=colour, **offset
        )
        bars = base.mark_rule().encode(y=alt.Y("conf_low:Q", title=f"Expected {outcome}"), y2="conf_high:Q")
        return (bars + base.mark_circle(size=60).encode(y=y)).properties(width=WIDTH + 100, height=HEIGHT)
    base = alt.Chart(frame).encode(x=alt.X("x_value:Q", title=x, scale=alt.Scale(zero=False)), color=colour)
    band = base.mark_area(opacity=0.2, line=False).encode(
        y=alt.Y("conf_low:Q", title=f"Expected {outcome}"), y2="conf_high:Q"
    )
    rug = alt.Chart(_thinned(_observed(fit, x))).mark_tick(color=GREY, opacity=0.4, thickness=1, height=8)
    rug = rug.encode(x="x_value:Q", y=alt.value(HEIGHT - 4))
    return (rug + band + base.mark_line().encode(y=y)).properties(width=WIDTH + 100, height=HEIGHT)


def _levels_shown(fit: Effective, name: str) -> list:
    """Levels of a factor, or the mean of a number and one standard deviation about it."""
    if is_categorical(fit, name):
        return spread(fit, name)
    mean, sd = moments(fit, name, "avg", "stddev_pop")
    return [mean - sd, mean, mean + sd]


def _observed(fit: Effective, x: str) -> pl.DataFrame:
    """Values of a predictor in the complete rows, for the rug."""
    source, design = data_of(fit), design_of(fit)
    value = f"cast({source.columns.sql(x)} as double) as x_value"
    return pl.from_arrow(source.query(f"select distinct {value} from {VIEW} where {design.complete} order by 1"))


def _thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """At most SHOWN rows, evenly by their order."""
    return frame.gather_every(-(-frame.height // SHOWN)) if frame.height > SHOWN else frame


def _panel(alt: Any, frame: pl.DataFrame, x: str, y: str, x_title: str, y_title: str, title: str) -> altair.Chart:
    """Points."""
    chart = alt.Chart(frame, title=title).mark_circle(color=BLUE, opacity=0.5, size=18)
    scale = alt.Scale(zero=False)
    return chart.encode(x=alt.X(f"{x}:Q", title=x_title, scale=scale), y=alt.Y(f"{y}:Q", title=y_title)).properties(
        width=WIDTH, height=HEIGHT
    )


def _quantiles(alt: Any, values: np.ndarray, title: str) -> altair.LayerChart:
    """Values in order against normal quantiles, with the line that normal ones lie on."""
    ordered = np.sort(values)
    normal = scipy.stats.norm.ppf((np.arange(len(ordered)) + 0.5) / len(ordered))
    points = _panel(
        alt,
        _thinned(pl.DataFrame({"normal": normal, "value": ordered})),
        "normal",
        "value",
        "Normal quantile",
        "",
        title,
    )
    ends = pl.DataFrame({"normal": normal[[0, -1]], "value": normal[[0, -1]]})
    line = alt.Chart(ends).mark_line(color=RED, strokeDash=[4, 3]).encode(x="normal:Q", y="value:Q")
    return line + points
