"""A dynamic fit as aligned text."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.status import FitStatus


class Summarised(Protocol):
    """What a summary reads of a dynamic fit; see `DynamicFit` for the meaning."""

    formula: str
    guidance_formula: str
    status: FitStatus
    messages: tuple[str, ...]
    n_sessions: int
    n_rated: int
    n_missing: int
    n_groups: dict[str, int]
    llf: float
    aic: float
    bic: float
    optimizer: OptSummary
    covariance_kind: str

    def tidy(self) -> pl.DataFrame:
        """The coefficients as a table."""
        ...

    def spread(self) -> pl.DataFrame:
        """Standard deviations and correlations as a table."""
        ...


def as_text(fit: Summarised) -> str:
    """What was fitted, the coefficients by part, the spread, what to know."""
    story = fit.optimizer
    facts = [
        ("Satisfaction", fit.formula),
        ("Guidance", fit.guidance_formula),
        ("Status", fit.status.words),
        (
            "Sessions",
            f"{fit.n_sessions:,} with guidance, {fit.n_rated:,} of them rated, {fit.n_missing:,} rows left out",
        ),
        ("Groups", ", ".join(f"{name} {count:,}" for name, count in fit.n_groups.items())),
        ("Criterion", f"log-likelihood {fit.llf:.4f}   AIC {fit.aic:.2f}   BIC {fit.bic:.2f}"),
        ("Optimiser", f"{story.n_evaluations} evaluations, {story.n_restarts} restarts, {story.method}"),
        ("Errors", f"standard errors: {fit.covariance_kind}"),
    ]
    width = max(len(name) for name, _ in facts) + 2
    lines = ["Dynamic model of guidance and satisfaction fitted by maximum likelihood"]
    lines += [f"{name:<{width}}{value}" for name, value in facts]
    table = fit.tidy().drop("status")
    for part in table["part"].unique(maintain_order=True):
        lines += ["", str(part).capitalize(), *_aligned(table.filter(pl.col("part") == part).drop("part"))]
    lines += ["", "Spread (standard deviations, correlations)", *_aligned(fit.spread())]
    if fit.messages:
        lines += ["", *(f"Note: {message}" for message in fit.messages)]
    return "\n".join(lines)


def _aligned(table: pl.DataFrame) -> list[str]:
    """Columns aligned: text to the left, numbers to the right."""
    cells = [table.columns] + [
        [_cell(value, name) for value, name in zip(row, table.columns, strict=True)] for row in table.rows()
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]
    is_text = [kind == pl.String for kind in table.dtypes]
    return [
        "  ".join(f"{c:<{w}}" if t else f"{c:>{w}}" for c, w, t in zip(row, widths, is_text, strict=True)).rstrip()
        for row in cells
    ]


def _cell(value: object, name: str) -> str:
    """A value for people."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if name == "p_value":
        return "<0.0001" if value < 1e-4 else f"{value:.4f}"
    return f"{value:.2f}" if name == "statistic" else f"{value:.4g}"
