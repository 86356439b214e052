"""Score contributions and subsets of cross-products, against refits and the closed form of their sum."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed import fit_linear, prepare_linear, score_contributions, subset

FORMULAS = (
    "y ~ x + t + (1 + x | client)",
    "y ~ x + t + (1 + x | client) + (1 | therapist)",
    "y ~ x + t + (1 + x | client) + (1 + x | therapist)",
)


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    rng = np.random.default_rng(1)
    client = np.repeat(np.arange(160), 6)
    therapist = (client // 8 + (rng.random(len(client)) < 0.1)) % 20  # some sessions with a neighbour: crossed
    x, t = rng.normal(5, 1, len(client)), np.tile(np.arange(6), 160)
    slope = 0.2 + rng.normal(0, 0.4, 160)[client] + rng.normal(0, 0.3, 20)[therapist]
    y = slope * x + rng.normal(0, 1, 20)[therapist] + rng.normal(0, 1, 160)[client] + rng.normal(0, 1, len(client))
    return pl.DataFrame({"y": y, "x": x, "t": t, "client": client, "therapist": therapist})


@pytest.fixture(scope="module")
def gram(rows):
    return prepare_linear(FORMULAS, rows, by_cell=True)


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("group", ["client", "therapist"])
def test_contributions_add_up_to_the_estimate_over_its_squared_error(gram, formula, group):
    fit = fit_linear(formula, gram)
    expected = fit.params["x"] / (fit.bse["x"] / fit.sigma) ** 2
    assert score_contributions(fit, "x", group).values.sum() == pytest.approx(expected, rel=1e-9)


def test_contributions_are_those_of_the_dense_formula(rows, gram):
    fit = fit_linear(FORMULAS[2], gram)
    X = np.column_stack([np.ones(rows.height), rows["x"], rows["t"]])
    V = np.eye(rows.height)
    for block in fit.variances:
        code = rows[block.group].to_numpy()
        Z = X[:, [0, 1]]
        V += np.where(code[:, None] == code, Z @ block.cov @ Z.T, 0) / fit.sigma**2
    whitened = np.linalg.inv(V)
    others = X[:, [0, 2]]
    project = np.linalg.solve(others.T @ whitened @ others, others.T @ whitened)
    y = rows["y"].to_numpy()
    contribution = (X[:, 1] - others @ (project @ X[:, 1])) * (whitened @ (y - others @ (project @ y)))
    ours = score_contributions(fit, "x", "therapist")
    assert ours.labels.to_list() == list(range(20))
    assert ours.values == pytest.approx(np.bincount(rows["therapist"], weights=contribution), rel=1e-6)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_subset_fits_as_the_rows_themselves_would(rows, gram, formula):
    codes = gram.levels[("client",)]
    kept = codes.labels.to_numpy() % 3 > 0
    ours = fit_linear(formula, subset(gram, kept[codes.codes]))
    direct = fit_linear(formula, rows.filter(pl.col("client") % 3 > 0))
    assert ours.nobs == direct.nobs
    assert ours.n_groups == direct.n_groups
    assert ours.beta == pytest.approx(direct.beta, rel=1e-6)
    assert ours.vcov == pytest.approx(direct.vcov, rel=1e-4)


def test_a_fit_from_anothers_end_is_the_same_fit(gram):
    cold = fit_linear(FORMULAS[1], gram)
    warm = fit_linear(FORMULAS[1], gram, start=cold.theta * 1.1)
    assert warm.criterion == pytest.approx(cold.criterion, abs=1e-7)
    assert warm.optimizer.n_evaluations < cold.optimizer.n_evaluations


def test_what_was_not_kept_by_cell_is_refused(rows, gram):
    small = prepare_linear(FORMULAS, rows)
    with pytest.raises(UsageError, match="by cell"):
        subset(small, np.ones(len(small.counts), dtype=bool))
    with pytest.raises(UsageError, match="by cell"):
        score_contributions(fit_linear(FORMULAS[0], small), "x", "client")
    fit = fit_linear(FORMULAS[0], gram)
    with pytest.raises(UsageError, match="no fixed effect"):
        score_contributions(fit, "z", "client")
    with pytest.raises(UsageError, match="no grouping factor"):
        score_contributions(fit, "x", "practice")
    with pytest.raises(UsageError, match="covariance parameters"):
        fit_linear(FORMULAS[1], gram, start=np.ones(2))
    with pytest.raises(FitRefused, match="No session"):
        subset(gram, np.zeros(len(gram.counts), dtype=bool))
