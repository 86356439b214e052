"""The response surface as tables: all that is needed to draw it, or to test another shape on it, from the release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from outcomes.answers.balance.curve_forms import SURFACE
from outcomes.answers.balance.free_model import FreeModel
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.balance.tables import (
    SURFACE_COVARIANCES,
    SURFACE_GRID,
    SURFACE_TERMS,
    SurfaceCoefficient,
)
from outcomes.answers.common.tables import filled
from outcomes.methods.curvature.surface_models import SurfaceModel, surface_design

GRID_STEPS = 20
"""Steps along the scale: half a point on a scale from 0 to 10, finer than raters tell apart."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class FittedSurface:
    """A surface with the rows that it was fitted to."""

    rows: GuidanceRows
    model: FreeModel


def surface_tables(surfaces: list[FittedSurface], scale: tuple[float, float]) -> dict[str, pl.DataFrame]:
    """Coefficients, covariances and grids of surfaces, as tables by name.

    Parameters
    ----------
    surfaces : list of FittedSurface
        Those whose rows know preferences; others are left out.
    scale : (float, float)
        Ends of the scale of guidance.
    """
    terms: list[dict[str, Any]] = []
    covariances: list[dict[str, Any]] = []
    grid: list[dict[str, Any]] = []
    for one in surfaces:
        if not one.rows.has_preference:
            continue
        at = {"outcome": one.rows.outcome, "level": one.rows.level}
        found = one.model.project(SURFACE)
        names = tuple(SurfaceCoefficient)
        for i, term in enumerate(names):
            terms.append(
                at | {"term": term, "centre": one.rows.midpoint, "estimate": float(found.theta[i]),
                      "std_error": float(np.sqrt(found.covariance[i, i])), "df_denom": one.model.df,
                      "status": one.model.status}
            )  # fmt: skip
            for j, other in enumerate(names):
                covariances.append(at | {"term": term, "term_2": other, "covariance": float(found.covariance[i, j])})
        grid += [at | point for point in _grid(one, found.theta, found.covariance, scale)]
    return {
        SURFACE_TERMS.name: filled(SURFACE_TERMS, terms),
        SURFACE_COVARIANCES.name: filled(SURFACE_COVARIANCES, covariances),
        SURFACE_GRID.name: filled(SURFACE_GRID, grid),
    }


def _grid(
    one: FittedSurface, theta: np.ndarray, covariance: np.ndarray, scale: tuple[float, float]
) -> list[dict[str, Any]]:
    """Heights x'b with intervals x'b +- t sqrt(x'Vx), x = (d, p, d^2, dp, p^2), and the rows nearest to each point."""
    step = (scale[1] - scale[0]) / GRID_STEPS
    ends = scale[0] + step * np.arange(GRID_STEPS + 1)
    guidance, preference = (axis.ravel() for axis in np.meshgrid(ends, ends, indexing="ij"))
    centre = one.rows.midpoint
    X = surface_design(SurfaceModel.FULL, guidance - centre, preference - centre)[:, 1:]
    height = X @ theta
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, one.model.df) * np.sqrt(np.einsum("ij,jk,ik->i", X, covariance, X))
    near = one.rows.frame.group_by(
        *(((pl.col(c) + centre - scale[0]) / step).round().clip(0, GRID_STEPS).cast(pl.Int64) for c in ("d", "p"))
    ).agg(pl.len(), pl.col("client_id").n_unique().alias("clients"))
    counts = {(row["d"], row["p"]): (row["len"], row["clients"]) for row in near.iter_rows(named=True)}
    places = [(i, j) for i in range(GRID_STEPS + 1) for j in range(GRID_STEPS + 1)]
    return [
        {"guidance": d, "preference": p, "estimate": z, "conf_low": z - h, "conf_high": z + h,
         "n_rows": counts.get(place, (0, 0))[0], "n_clients": counts.get(place, (0, 0))[1],
         "status": one.model.status}
        for place, d, p, z, h in zip(
            places, *(column.tolist() for column in (guidance, preference, height, half)), strict=True
        )
    ]  # fmt: skip
