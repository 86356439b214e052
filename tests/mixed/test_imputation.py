"""Imputation within the mixed model against the closed form of its posterior; refits against full fits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from outcomes.errors import UsageError
from outcomes.mixed import fit_linear, impute_linear, prepare_linear, refit_linear, shift_outcome

FORMULA = "y ~ x + (1 | client) + (0 + x | client) + (1 | therapist)"


@pytest.fixture(scope="module")
def cohort() -> tuple[pl.DataFrame, np.ndarray]:
    """Rows with every fourth rating missing, and the ratings with NaN there."""
    rng = np.random.default_rng(11)
    client = np.repeat(np.arange(90), 6)
    therapist, x = client % 9, rng.normal(size=client.size)
    u, s, v = rng.normal(0, 0.9, 90), rng.normal(0, 0.5, 90), rng.normal(0, 0.6, 9)
    y = 5 + 0.4 * x + u[client] + s[client] * x + v[therapist] + rng.normal(size=client.size)
    y[rng.random(y.size) < 0.25] = np.nan
    y[:6] = np.nan  # a client who never rated
    rows = pl.DataFrame({"y": y, "x": x, "client": client, "therapist": therapist})
    return rows.with_columns(pl.col("y").fill_nan(None)), y


def closed_form(fit, rows: pl.DataFrame, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the missing ratings given the others, standard deviations taken as known.

    Universal kriging: the generalised least-squares slopes' own error enters the variance.
    """
    client, therapist, x = (rows[name].to_numpy() for name in ("client", "therapist", "x"))
    sds = {(block.group, block.names[0]): block.sd[0] for block in fit.variances}
    V = sds["client", "(Intercept)"] ** 2 * (client[:, None] == client)
    V = V + sds["client", "x"] ** 2 * (client[:, None] == client) * np.outer(x, x)
    V = V + sds["therapist", "(Intercept)"] ** 2 * (therapist[:, None] == therapist) + fit.sigma**2 * np.eye(y.size)
    X, lost = np.column_stack([np.ones(y.size), x]), np.isnan(y)
    inverse = np.linalg.inv(V[np.ix_(~lost, ~lost)])
    weights = V[np.ix_(lost, ~lost)] @ inverse
    information = X[~lost].T @ inverse @ X[~lost]
    beta = np.linalg.solve(information, X[~lost].T @ inverse @ y[~lost])
    left = X[lost] - weights @ X[~lost]
    mean = X[lost] @ beta + weights @ (y[~lost] - X[~lost] @ beta)
    variance = np.diag(V)[lost] - np.einsum("ij,ij->i", weights, V[np.ix_(lost, ~lost)])
    return mean, np.sqrt(variance + np.einsum("ij,jk,ik->i", left, np.linalg.inv(information), left))


def test_draws_have_the_mean_and_spread_of_the_closed_form(cohort):
    rows, y = cohort
    fit = fit_linear(FORMULA, rows)
    mean, sd = closed_form(fit, rows, y)
    draws = impute_linear(fit, rows, y, 600, seed=1)
    error = (draws.mean(axis=0) - mean) / (sd / np.sqrt(600))
    assert np.abs(error).max() < 4.5
    # the standard deviations are drawn as well, which widens the draws a little
    assert np.median(draws.std(axis=0) / sd) == pytest.approx(1.0, abs=0.03)


def test_ratings_of_one_client_are_drawn_together(cohort):
    rows, y = cohort
    draws = impute_linear(fit_linear(FORMULA, rows), rows, y, 600, seed=2)
    assert np.corrcoef(draws[:, 0], draws[:, 1])[0, 1] > 0.2  # both of the client who never rated


def test_the_same_seed_gives_the_same_draws_and_the_input_stays(cohort):
    rows, y = cohort
    fit, before = fit_linear(FORMULA, rows), y.copy()
    first = impute_linear(fit, rows, y, 2, seed=3)
    assert np.array_equal(first, impute_linear(fit, rows, y, 2, seed=3))
    assert np.array_equal(y, before, equal_nan=True)


def test_rows_without_predictors_are_refused(cohort):
    rows, y = cohort
    fit = fit_linear(FORMULA, rows)
    with pytest.raises(UsageError, match="without all predictors"):
        impute_linear(fit, rows.with_columns(x=pl.when(pl.col("client") == 3).then(None).otherwise("x")), y, 1, seed=1)
    with pytest.raises(UsageError, match="need as many outcomes"):
        impute_linear(fit, rows, y[:-1], 1, seed=1)


def test_a_refit_and_a_shift_give_what_a_full_fit_to_the_changed_data_gives(cohort):
    rows, y = cohort
    fit = fit_linear(FORMULA, rows)
    completed = y.copy()
    completed[np.isnan(y)] = impute_linear(fit, rows, y, 1, seed=5)[0]
    frame = rows.with_columns(y=pl.Series(completed), lost=pl.Series(np.isnan(y) * 1.0))
    indicator = "lost ~ 1 + (1 | client)"
    gram = prepare_linear([FORMULA, indicator], frame)
    outcome, by = (gram.population.design(formula).outcome for formula in (FORMULA, indicator))
    for shift in (0.0, -1.5):
        quick = refit_linear(fit, shift_outcome(gram, outcome, by, shift))
        full = fit_linear(FORMULA, frame.with_columns(y=pl.col("y") + shift * pl.col("lost")))
        assert quick.beta == pytest.approx(full.beta, abs=1e-6)
        assert quick.bse.to_numpy() == pytest.approx(full.bse.to_numpy(), rel=1e-5)
        assert quick.llf == pytest.approx(full.llf, abs=1e-7)
