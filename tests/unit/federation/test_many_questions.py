"""Many questions about the same rows: what somebody can compute who reads the sums of all rounds.

With one random intercept, [X y]'V^-1 [X y] at theta is a known sum of (sums over the clients of m sessions) over all m.
Enough thetas give a linear system for these sums; a client who alone has m sessions stands there by itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from conftest import SITES

from outcomes.federation.taken_apart import PRECISION, TOLD, most_told, told_of_few
from outcomes.mixed import fit_linear
from outcomes.mixed.linear.gram import prepare_linear
from outcomes.mixed.linear.places.shares import evaluate
from outcomes.mixed.linear.problem import linear_problem

FORMULA = "y ~ 1 + (1 | client)"
LENGTHS = (4, 5, 6, 7, 8)


def _sites(seed: int) -> list[pl.DataFrame]:
    """Three sites, 30 clients of each length but the last, which one client has."""
    rng = np.random.default_rng(seed)
    frames = []
    for site in SITES:
        rows = []
        for length in LENGTHS:
            for client in range(10 if length < LENGTHS[-1] else int(site == SITES[0])):
                usual = rng.normal(0, 1)
                rows += [(f"{site}-{length}-{client}", 6 + usual + rng.normal()) for _ in range(length)]
        frames.append(pl.DataFrame(rows, schema=["client", "y"], orient="row"))
    return frames


def _error(seed: int, precision: float | None) -> float:
    """How far the lone client's summed departure from the mean is off, relative to the truth."""
    frames = _sites(seed)
    together = prepare_linear(FORMULA, pl.concat(frames))
    thetas = _asked(fit_linear(FORMULA, pl.concat(frames)).theta[0])
    sums = np.zeros(len(thetas))
    for frame in frames:
        gram = prepare_linear(FORMULA, frame)
        gram = replace(gram.recentred(together.center), scale=together.scale)
        problem = linear_problem(gram, gram.design(FORMULA))
        for i, theta in enumerate(thetas):
            share = evaluate(problem, np.array([theta]))
            sums[i] += (share if precision is None else share.rounded(precision)).cross[-1, -1]
    n_rows = pl.concat(frames).height
    system = np.column_stack([np.ones(len(thetas)), *(-(thetas**2) / (1 + thetas**2 * m) for m in LENGTHS)])
    solved = np.linalg.lstsq(system, sums, rcond=precision or 1e-15)[0]
    rated = pl.concat(frames).filter(pl.col("client").str.contains("-8-"))["y"].to_numpy()
    truth = ((rated - together.center[-1]).sum() / together.scale[-1]) ** 2
    assert n_rows == together.n_rows
    return abs(np.sqrt(max(solved[-1], 0.0)) - np.sqrt(truth)) / np.sqrt(truth)


def _asked(optimum: float) -> np.ndarray:
    """Thetas as a fit asks for them: toward the optimum, then around it."""
    steps = np.array([0.5, 0.53, 0.66, 0.87, 0.97, 1.0, 1.0 + 6e-6, 1.0 - 6e-6])
    return np.where(steps < 1, steps * 1.04, steps * optimum)


def _rows(clients: dict[int, int]) -> np.ndarray:
    """Rows of each client, from clients by number of rows."""
    return np.repeat(list(clients), list(clients.values()))


def _clients(lone: int) -> np.ndarray:
    return _rows(dict.fromkeys(LENGTHS[:-1], 30) | {LENGTHS[-1]: lone})


def test_the_lone_client_is_read_off_the_rounds_by_solving_them():
    assert np.median([_error(seed, PRECISION) for seed in range(6)]) < 0.05  # the attack is a real one


def test_what_the_attack_reads_is_foreseen():
    thetas = _asked(1.04)
    assert told_of_few(_clients(1), thetas, PRECISION, 10) > TOLD
    assert told_of_few(_clients(30), thetas, PRECISION, 10) < TOLD


def test_a_lone_client_far_from_all_others_is_told_however_many_these_are():
    assert told_of_few(_rows(dict.fromkeys(range(1, 11), 100) | {60: 1}), _asked(1.04), PRECISION, 10) > TOLD


@pytest.mark.parametrize("asked", [0.8, 1.04, 1.27])
def test_few_at_the_longest_courses_are_told_apart_unless_courses_are_cut(asked):
    rng = np.random.default_rng(3)
    lengths = np.clip(rng.negative_binomial(3, 0.25, 700) + 1, 1, 40)
    assert told_of_few(lengths, _asked(asked), PRECISION, 10) > TOLD
    assert told_of_few(np.minimum(lengths[lengths >= 3], 20), _asked(asked), PRECISION, 10) < TOLD


@pytest.mark.parametrize("seed", [1, 2])
def test_rounded_shares_still_give_the_share(seed):
    gram = prepare_linear(FORMULA, pl.concat(_sites(seed)))
    share = evaluate(linear_problem(gram, gram.design(FORMULA)), np.array([0.7]))
    np.testing.assert_allclose(share.rounded(PRECISION).to_vector(), share.to_vector(), atol=1e-10 * 400)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's on the way; the answer is what counts
@pytest.mark.parametrize("size", [1e160, 1e200, 1e308, np.inf, np.nan])
def test_what_cannot_be_computed_counts_as_told(size):
    equations, ones = np.array([[size, 0.0], [0.0, 1e-3]]), np.ones(2)
    assert most_told(equations, ones, ones, 10) == pytest.approx(1.0)
    assert most_told(equations, ones * 1e10, ones, 10) == pytest.approx(1.0)


def test_a_therapist_of_few_clients_is_told_and_one_of_ten_may_be():
    n_rows = np.append(np.repeat(LENGTHS[:-1], 30) * 10, 300)
    for clients, is_too_much in ((9, True), (10, False)):
        told = told_of_few(n_rows, _asked(0.3), PRECISION, 10, np.append(np.full(120, 12), clients))
        assert (told > TOLD) == is_too_much
