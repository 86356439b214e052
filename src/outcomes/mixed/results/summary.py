"""A fit as aligned text and as HTML."""

from __future__ import annotations

from html import escape
from typing import Protocol

import numpy as np
import polars as pl

from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.results.modes import VarianceBlock
from outcomes.mixed.results.status import FitStatus
from outcomes.store.html_tables import as_html_table


class Summarised(Protocol):
    """What a summary reads of a fit; see `MixedFit` for the meaning."""

    model_name: str
    statistic_name: str
    formula: str
    engine: str
    status: FitStatus
    messages: tuple[str, ...]
    nobs: int
    n_missing: int
    n_groups: dict[str, int]
    criterion: float
    llf: float
    aic: float
    bic: float
    optimizer: OptSummary | None
    variances: tuple[VarianceBlock, ...]

    @property
    def own_rows(self) -> tuple[str, list[str], list[list[str]]] | None:
        """A table of further parameters: title, header, rows."""
        ...

    def tidy(self) -> pl.DataFrame:
        """The fixed effects as a table."""
        ...


def as_text(fit: Summarised) -> str:
    """The fit as aligned text in lme4's order: what was fitted, random effects, fixed effects, what to know."""
    facts = [
        ("Formula", fit.formula),
        ("Status", fit.status.words),
        ("Observations", f"{fit.nobs:,} used, {fit.n_missing:,} left out as missing"),
        ("Groups", ", ".join(f"{name} {count:,}" for name, count in fit.n_groups.items())),
        ("Criterion", f"{fit.criterion:.4f}   log-likelihood {fit.llf:.4f}   AIC {fit.aic:.2f}   BIC {fit.bic:.2f}"),
    ]
    if fit.optimizer is not None:
        story = fit.optimizer
        facts.append(("Optimiser", f"{story.n_evaluations} evaluations, {story.n_restarts} restarts, {story.method}"))
    width = max(len(name) for name, _ in facts) + 2
    parts = [f"{fit.model_name} (engine: {fit.engine})", *(f"{name:<{width}}{value}" for name, value in facts)]
    parts += ["", "Random effects", _aligned(*random_rows(fit)), "", "Fixed effects", _aligned(*fixed_rows(fit))]
    if fit.own_rows is not None:
        title, header, rows = fit.own_rows
        parts += ["", title, _aligned(header, rows)]
    if fit.messages:
        parts += ["", *(f"Note: {message}" for message in fit.messages)]
    return "\n".join(parts)


def as_html(fit: Summarised) -> str:
    """The same tables for a notebook."""
    notes = "".join(f"<p>{escape(message)}</p>" for message in fit.messages)
    further = "" if fit.own_rows is None else _html_table(*fit.own_rows[1:])
    return (
        f"<div><p><b>{escape(fit.model_name)}</b><br><code>{escape(fit.formula)}</code><br>"
        f"Status: {escape(fit.status.words)}; {fit.nobs:,} observations, {fit.n_missing:,} left out as missing</p>"
        f"{_html_table(*random_rows(fit))}{_html_table(*fixed_rows(fit))}{further}{notes}</div>"
    )


def fixed_rows(fit: Summarised) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the fixed effects."""
    header = ["", "estimate", "std_error", "df_denom", fit.statistic_name, "p_value", "lower 95%", "upper 95%"]
    rows = [
        [
            row["term"],
            f"{row['estimate']:.5g}",
            f"{row['std_error']:.4g}",
            "inf" if np.isinf(row["df_denom"]) else f"{row['df_denom']:.1f}",
            f"{row['statistic']:.2f}",
            _p(row["p_value"]),
            f"{row['conf_low']:.5g}",
            f"{row['conf_high']:.5g}",
        ]
        for row in fit.tidy().iter_rows(named=True)
    ]
    return header, rows


def random_rows(fit: Summarised) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the random effects; the residual last when the model has one."""
    rows = []
    for block in fit.variances:
        for i, name in enumerate(block.names):
            correlations = "  ".join(f"{value:.2f}" for value in block.corr[i, :i])
            label = block.group if i == 0 else ""
            rows.append([label, name, f"{block.cov[i, i]:.5g}", f"{block.sd[i]:.5g}", correlations])
    sigma = getattr(fit, "sigma", None)
    if sigma is not None:
        rows.append(["Residual", "", f"{sigma**2:.5g}", f"{sigma:.5g}", ""])
    return ["group", "name", "variance", "sd", "corr"], rows


def _p(value: float | None) -> str:
    """A p-value for people; a fit that did not converge has none."""
    if value is None:
        return "-"
    return "<0.0001" if value < 1e-4 else f"{value:.4f}"


def _aligned(header: list[str], rows: list[list[str]]) -> str:
    """Columns aligned: text to the left, numbers to the right."""
    table = [header, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(header))]
    is_text = [i == 0 or header[i] == "name" for i in range(len(header))]
    lines = []
    for row in table:
        cells = [f"{c:<{w}}" if t else f"{c:>{w}}" for c, w, t in zip(row, widths, is_text, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def _html_table(header: list[str], rows: list[list[str]]) -> str:
    """A plain table: numbers to the right."""
    return as_html_table(header, rows, [bool(name) and name not in ("group", "name") for name in header])
