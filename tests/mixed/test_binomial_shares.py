"""Rows in several places: the sum of their shares gives the binomial fit of all rows together."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import polars as pl
import pytest
from test_binomial_partitions import FORMULAS, sessions

from outcomes.errors import FitRefused
from outcomes.links import LINKS, Link
from outcomes.mixed import BinomialFit, fit_binomial
from outcomes.mixed.binomial import shares
from outcomes.mixed.binomial.contributions import contributions
from outcomes.mixed.binomial.pooled import fit_shares
from outcomes.mixed.binomial.shares import Asked, PlaceRows, Share, modes_at
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.population import open_population
from outcomes.mixed.generalised.laplace import find_mode

LEVELS = {"m": ["a", "b", "c", "d"]}
FIXED_AND_TWO = FORMULAS[1]


class Pooled:
    """A fit over places that send vectors, rounded as institutions do; each place begins every answer anew."""

    def __init__(self, formula: str, frames: list[pl.DataFrame], link: Link, precision: float | None = None) -> None:
        designs = [open_population([formula], frame, levels=LEVELS).design(formula) for frame in frames]
        self.rows = [PlaceRows.read(design, link) for design in designs]
        vectors = [rows.sums().to_vector(designs[0]) for rows in self.rows]
        self.sums = BinomialSums.from_vector(reduce(add, vectors), designs[0])
        self.fixed, self.precision = self.sums.fixed(designs[0]), precision
        self.asked: list[tuple[Asked, np.ndarray]] = []
        self.fit: BinomialFit = fit_shares(designs[0], link, self.sums, self._ask)

    def _ask(self, asked: Asked, at: np.ndarray) -> Share:
        self.asked.append((asked, at))
        order = [":".join(group) for group in self.sums.order]
        found = [rows.place(self.fixed, order).share(asked, at) for rows in self.rows]
        found = [share.rounded(self.precision) if self.precision else share for share in found]
        return Share.from_vector(reduce(add, [share.to_vector() for share in found]), asked, at.size)


def _practices() -> list[pl.DataFrame]:
    return [part for _, part in sessions().group_by("practice_id", maintain_order=True)]


def _assert_close(ours: BinomialFit, theirs: BinomialFit, size: float) -> None:
    np.testing.assert_allclose(ours.beta, theirs.beta, rtol=size, atol=size)
    np.testing.assert_allclose(ours.vcov, theirs.vcov, rtol=size, atol=size * np.abs(theirs.vcov).max())
    assert ours.llf == pytest.approx(theirs.llf, rel=size)
    assert ours.status == theirs.status


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("link", LINKS.values(), ids=str)
def test_nine_places_fit_what_one_place_fits(formula, link):
    nine, one = Pooled(formula, _practices(), link), Pooled(formula, [sessions()], link)
    _assert_close(nine.fit, one.fit, 1e-8)
    assert len(nine.asked) < 40
    whole = fit_binomial(formula, sessions(), link=link)
    np.testing.assert_allclose(nine.fit.beta, whole.beta, atol=1e-7)  # its search ends a little earlier
    assert nine.fit.llf == pytest.approx(whole.llf, rel=1e-9)


@pytest.mark.parametrize("formula", FORMULAS)
def test_rounded_answers_give_the_same_fit(formula):
    link = LINKS["logit"]
    rounded, exact = Pooled(formula, _practices(), link, 1e-10), Pooled(formula, _practices(), link)
    np.testing.assert_allclose(rounded.fit.beta, exact.fit.beta, rtol=1e-8, atol=1e-8)
    assert rounded.fit.llf == pytest.approx(exact.fit.llf, rel=1e-8)
    np.testing.assert_allclose(rounded.fit.vcov, exact.fit.vcov, rtol=1e-5, atol=1e-6)  # of the same rounds


def test_the_estimates_leave_no_gradient():
    pooled = Pooled(FIXED_AND_TWO, _practices(), LINKS["logit"])
    state = pooled.fit.engine_state
    share = pooled._ask(Asked.HESSIAN, state.psi)
    left = np.linalg.solve(2 * share.hessian, share.gradient)
    assert np.abs(left).max() < 1e-8


@pytest.mark.parametrize("link", LINKS.values(), ids=str)
def test_what_levels_contribute_sums_to_the_share(link):
    pooled = Pooled("left ~ x + m + (1 | client_id)", _practices()[:3], link)
    for rows in pooled.rows:
        place = rows.place(pooled.fixed, ["client_id"])
        for asked, at in pooled.asked:
            by_level = contributions(place.model, asked, at)
            assert by_level.shape[0] == rows.rows.groups[("client_id",)].n_levels
            share = rows.place(pooled.fixed, ["client_id"]).share(asked, at).to_vector()
            np.testing.assert_allclose(by_level.sum(axis=0)[: 1 + at.size], share[: 1 + at.size], atol=1e-7)
            np.testing.assert_allclose(by_level.sum(axis=0), share, rtol=1e-4, atol=1e-4)  # differences


def test_modes_that_are_not_found_are_a_number_in_the_sum():
    pooled = Pooled(FIXED_AND_TWO, _practices(), LINKS["cloglog"])
    place = pooled.rows[0].place(pooled.fixed, [":".join(group) for group in pooled.sums.order])
    far = np.full(pooled.asked[-1][1].size, 1e200)
    with np.errstate(all="ignore"):
        for asked in (Asked.DEVIANCE, Asked.HESSIAN):
            share = place.share(asked, far)
            assert not share.exists
            assert np.isfinite(share.rounded(1e-9).to_vector()).all()
    assert place.share(Asked.DEVIANCE, pooled.asked[-1][1]).exists


@pytest.mark.parametrize(
    ("separated", "says"),
    [
        (pl.col("left") * 2.0, "completely separated by x"),
        (pl.when(pl.col("m") == "b").then(pl.col("left")).otherwise(0) * 1.0, "separated by x"),
    ],
)
def test_separation_is_seen_in_sums(separated, says):
    frames = [frame.with_columns(x=separated) for frame in _practices()]
    with pytest.raises(FitRefused, match=says):
        Pooled("left ~ x + (1 | therapist_id)", frames, LINKS["logit"])


def _short_courses() -> list[pl.DataFrame]:
    """Three places whose clients come once to three times, one in nine of whom leaves: no bound on their variance."""
    rng = np.random.default_rng(8)
    rows = [
        (f"{place}-{client}", place, float(rng.normal()), int(client % 9 == 0 and x == client // 9 % 3))
        for place in range(3)
        for client in range(120)
        for x in range(1 + client // 9 % 3)
    ]
    frame = pl.DataFrame(rows, schema=["client", "place", "x", "left"], orient="row")
    return [part for _, part in frame.group_by("place", maintain_order=True)]


def test_modes_that_are_not_found_from_zero_are_found_by_way_of_smaller_variances(monkeypatch):
    pooled = Pooled("left ~ x + (1 | client)", _short_courses(), LINKS["logit"])
    model, psi = pooled.rows[0].place(pooled.fixed, ["client"]).model, np.array([-9.5, 0.3, 10.7])
    direct = modes_at(model, psi)

    def stuck(model, psi, start, **how):
        """Where Newton's steps from zero go to and fro, as they do at some large variances."""
        if psi[-1] > 5 and not start[0].any():
            raise FloatingPointError("modes not found")
        return find_mode(model, psi, start, **how)

    monkeypatch.setattr(shares, "find_mode", stuck)
    found = modes_at(model, psi)
    assert found.is_found
    np.testing.assert_allclose(found.u[0], direct.u[0], atol=1e-7)


def test_a_variance_without_bound_takes_no_more_rounds_than_others():
    pooled = Pooled("left ~ x + (1 | client)", _short_courses(), LINKS["logit"], 1e-10)
    assert len(pooled.asked) < 30
    assert pooled.fit.optimizer.is_converged


def test_a_variance_that_grows_for_ever_is_refused_in_words():
    rows = [(f"{c}", x, int(c % 9 == 0)) for c in range(90) for x in range(4)]  # all or nothing, for each client
    frame = pl.DataFrame(rows, schema=["client", "x", "left"], orient="row")
    with pytest.raises(FitRefused, match="have no bound for it"):
        Pooled("left ~ x + (1 | client)", [frame[:180], frame[180:]], LINKS["logit"])
