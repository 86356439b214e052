"""How far one client's mean lies from the therapist's, over the whole study: what the ranges on pages are made of.

An interval made of a therapist's own clients would tell of them: who knows all but one of them could work out the last
from value and interval together. So each interval is the same for all therapists with as many clients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import polars as pl
from scipy import stats

from outcomes.feedback.figures import Measure
from outcomes.study.tables.confidential import Disclosure

_LEVEL = 0.95
_DIGITS = 2  # significant


def reaches(sessions: pl.DataFrame, rule: Disclosure, before: Mapping[Measure, float]) -> dict[Measure, float]:
    r"""Return half the width of the interval of a mean of one client, by measure.

    .. math:: t_{0.975, f} \\sqrt{\\sum_g (n_g - 1) s_g^2 / f}, \\quad f = \\sum_g (n_g - 1)

    over the groups g of clients of one therapist in one period, rounded up. What was used once is used again, so that
    no page changes because other therapists' clients do.

    Parameters
    ----------
    sessions : DataFrame
        One row a therapist, client and period.
    rule : Disclosure
        `minimum_residual_df`: with fewer degrees of freedom f there is none.
    before : mapping of Measure to float
        What was used before.
    """
    columns = {
        Measure.SATISFACTION: pl.col("satisfaction"), Measure.DISTANCE: pl.col("distance"),
        Measure.LEANING: pl.col("leaning"),
        Measure.ASKED: pl.when(pl.col("asked") + pl.col("not_asked") > 0).then(
            pl.col("asked") / (pl.col("asked") + pl.col("not_asked"))
        ),
    }  # fmt: skip
    groups = sessions.group_by("therapist_id", "start").agg(
        *(value.var().alias(f"{name}_var") for name, value in columns.items()),
        *((value.count().cast(pl.Int64) - 1).clip(0).alias(f"{name}_df") for name, value in columns.items()),
    )
    found = dict(before)
    for name in columns:
        df = int(groups[f"{name}_df"].sum())
        squares = (groups[f"{name}_var"] * groups[f"{name}_df"]).sum()
        if name not in found and df >= rule.minimum_residual_df and squares:
            found[name] = _up(stats.t.ppf((1 + _LEVEL) / 2, df) * math.sqrt(squares / df))
    return found


def _up(value: float) -> float:
    """Round up to two significant digits."""
    step = 10.0 ** (math.floor(math.log10(value)) - _DIGITS + 1)
    return round(math.ceil(value / step - 1e-9) * step, 12)
