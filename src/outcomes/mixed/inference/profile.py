"""Where a profile of the deviance meets the normal quantile, and the table of such limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl
from scipy.optimize import brentq

from outcomes.errors import no_such

WIDEST = 20.0
"""Standard errors from the estimate at which the search for a limit gives up."""

Row = tuple[str, str, float, float | None, float | None]
"""component, name, estimate, conf_low, conf_high"""


def meeting_point(
    excess: Callable[[float], float], estimate: float, step: float, least: float, sign: float, limit: float
) -> float | None:
    """Where the signed root of the deviance's rise reaches the quantile on one side of the estimate.

    Parameters
    ----------
    excess : callable
        Value held -> root of the rise less `limit`.
    estimate, step, least : float
        Optimum, its standard error, and the smallest value that exists.
    sign, limit : float
        -1 or 1; the normal quantile.

    Returns
    -------
    float or None
        0 where the smallest value is not excluded; None where no limit was found.
    """
    inner, width = estimate, step * limit
    while width < WIDEST * step * limit:
        outer = max(estimate + sign * width, least)
        if excess(outer) >= 0:
            return float(brentq(excess, inner, outer, xtol=1e-5 * step, rtol=1e-9))
        if outer == least:
            return 0.0
        inner, width = outer, width * 1.6
    return None


def interval_table(rows: Sequence[Row]) -> pl.DataFrame:
    """The limits as a table."""
    numbers = dict.fromkeys(("estimate", "conf_low", "conf_high"), pl.Float64)
    return pl.DataFrame(rows, schema={"component": pl.String, "name": pl.String, **numbers}, orient="row")


def names_to_profile(names: tuple[str, ...] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    """The fixed effects asked for; all where none are named.

    Raises
    ------
    UsageError
        Unknown names.
    """
    if unknown := [name for name in names or () if name not in known]:
        raise no_such("fixed effect of the model", unknown[0], known)
    return known if names is None else names
