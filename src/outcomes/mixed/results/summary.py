"""A fit as aligned text and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from outcomes.mixed.results.fit import MixedFit


def as_text(fit: MixedFit) -> str:
    """The fit in lme4's order: what was fitted, random effects, fixed effects, what to know."""
    facts = [
        ("Formula", fit.formula),
        ("Status", str(fit.status)),
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
    if fit.messages:
        parts += ["", *(f"Note: {message}" for message in fit.messages)]
    return "\n".join(parts)


def as_html(fit: MixedFit) -> str:
    """The same tables for a notebook."""
    notes = "".join(f"<p>{escape(message)}</p>" for message in fit.messages)
    return (
        f"<div><p><b>{escape(fit.model_name)}</b><br><code>{escape(fit.formula)}</code><br>"
        f"Status: {escape(str(fit.status))}; {fit.nobs:,} observations, {fit.n_missing:,} left out as missing</p>"
        f"{_html_table(*random_rows(fit))}{_html_table(*fixed_rows(fit))}{notes}</div>"
    )


def fixed_rows(fit: MixedFit) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the fixed effects."""
    interval = fit.conf_int()
    header = ["", "estimate", "se", "df", fit.statistic_name, "p", "lower 95%", "upper 95%"]
    rows = [
        [
            name,
            f"{fit.beta[i]:.5g}",
            f"{fit.bse.iloc[i]:.4g}",
            "inf" if np.isinf(fit.df_denom.iloc[i]) else f"{fit.df_denom.iloc[i]:.1f}",
            f"{fit.tvalues.iloc[i]:.2f}",
            _p(fit.pvalues.iloc[i]),
            f"{interval.iloc[i, 0]:.5g}",
            f"{interval.iloc[i, 1]:.5g}",
        ]
        for i, name in enumerate(fit.names)
    ]
    return header, rows


def random_rows(fit: MixedFit) -> tuple[list[str], list[list[str]]]:
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


def _p(value: float) -> str:
    """A p-value for people."""
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
    """A plain table."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
