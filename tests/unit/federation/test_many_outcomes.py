"""Many questions about the same yes-or-no outcomes: what somebody can compute who reads the sums of all rounds.

What a client adds to a Laplace deviance follows from the number of her sessions and whether she left. Somebody who
knows the sums of one site (he has every other site's numbers and keys), and how many clients have each number of
sessions, has one linear equation a number for how many of them left; a client who alone has so many sessions stands
there by herself.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import polars as pl
import pytest

from outcomes.federation.taken_apart import PRECISION, TOLD
from outcomes.federation.told_by_outcome import Told
from outcomes.links import link_named
from outcomes.mixed.binomial.contributions import contributions
from outcomes.mixed.binomial.pooled import fit_shares
from outcomes.mixed.binomial.shares import Asked, PlaceRows, Share
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.population import open_population

FORMULA = "left ~ 1 + (1 | client)"
LOGIT = link_named("logit")
CLIENT = ("client",)


def _courses(clients: dict[tuple[int, int], int]) -> pl.DataFrame:
    """Sessions of so many clients of each number of sessions who left (1) after the last or not (0)."""
    rows = []
    for (length, left), n in clients.items():
        for client in range(n):
            rows += [(f"{length}-{left}-{client}", x, int(left and x == length)) for x in range(1, length + 1)]
    return pl.DataFrame(rows, schema=["client", "number", "left"], orient="row")


def _site(seed: int, lengths: range, each: int, lone: tuple[int, int] | None = None) -> dict[tuple[int, int], int]:
    """A site with about `each` clients of every length, a third of whom left, and perhaps one of another length."""
    rng = np.random.default_rng(seed)
    left = {length: int(rng.binomial(each, 0.35)) for length in lengths}
    clients = {(length, 1): n for length, n in left.items()} | {(length, 0): each - n for length, n in left.items()}
    return clients | ({lone: 1} if lone else {})


def _read(frame: pl.DataFrame, formula: str = FORMULA) -> PlaceRows:
    return PlaceRows.read(open_population([formula], frame).design(formula), LOGIT)


class _Rounds:
    """A fit over sites; what was asked, and what the first of them answered."""

    def __init__(self, sites: list[pl.DataFrame], formula: str = FORMULA) -> None:
        self.rows = [_read(site, formula) for site in sites]
        design = open_population([formula], sites[0]).design(formula)
        sums: BinomialSums = reduce(add, [rows.sums() for rows in self.rows])
        self.fixed = sums.fixed(design)
        self.asked: list[tuple[Asked, np.ndarray]] = []
        self.answers: list[np.ndarray] = []
        fit_shares(design, LOGIT, sums, self._ask)

    def _ask(self, asked: Asked, at: np.ndarray) -> Share:
        shares = [rows.place(self.fixed, ["client"]).share(asked, at).rounded(PRECISION) for rows in self.rows]
        self.asked.append((asked, at))
        self.answers.append(shares[0].to_vector())
        return reduce(add, shares)

    def told(self) -> float:
        """What the first site foresees."""
        n = self.rows[0].rows.groups[CLIENT].n_levels
        return Told(self.rows[0], self.fixed, CLIENT, np.ones(n)).of_few(self.asked, PRECISION, 10)


def _reading(rounds: _Rounds, site: dict[tuple[int, int], int]) -> dict[int, float]:
    """The attack: how many clients of each length left, by least squares with what is known beforehand."""
    lengths = sorted({length for length, _ in site})
    kinds = [(length, left) for length in lengths for left in (0, 1)]
    places = _read(_courses(dict.fromkeys(kinds, 1))).place(rounds.fixed, ["client"])
    order = {label: i for i, label in enumerate(sorted(f"{length}-{left}-0" for length, left in kinds))}
    by_kind = np.concatenate([contributions(places.model, *question) for question in rounds.asked], axis=1)
    stay, leave = (np.stack([by_kind[order[f"{length}-{left}-0"]] for length in lengths]) for left in (0, 1))
    known = np.array([site.get((length, 0), 0) + site.get((length, 1), 0) for length in lengths], dtype=float)
    answers = np.concatenate(rounds.answers)
    unit = np.concatenate(
        [
            np.full(part.size, PRECISION * np.abs(part).max(initial=0.0))
            for (_, at), answer in zip(rounds.asked, rounds.answers, strict=True)
            for part in np.split(answer, [1, 1 + at.size])
        ]
    )
    is_hessian = [kind is Asked.HESSIAN for kind, _ in rounds.asked]
    exact = np.concatenate(
        [
            np.arange(answer.size) < (1 + at.size if hessian else answer.size)
            for hessian, (_, at), answer in zip(is_hessian, rounds.asked, rounds.answers, strict=True)
        ]
    )  # second derivatives are differences at the site, whose error the attacker does not have
    share = 0.35
    sd = np.sqrt(known * share * (1 - share))
    weight = np.sqrt(12) / unit[exact]
    system = np.vstack([((leave - stay)[:, exact] * weight).T * sd, np.eye(len(lengths))])
    right = (answers[exact] - known @ stay[:, exact] - (known * share) @ (leave - stay)[:, exact]) * weight
    solved = np.linalg.lstsq(system, np.append(right, np.zeros(len(lengths))), rcond=None)[0]
    return dict(zip(lengths, known * share + sd * solved, strict=True))


def _rounds(seed: int, lengths: range, each: int, lone: tuple[int, int] | None) -> tuple[_Rounds, dict]:
    site = _site(seed, lengths, each, lone)
    others = (_site(more + seed, lengths, each) for more in (100, 200))
    return _Rounds([_courses(clients) for clients in (site, *others)]), site


@pytest.mark.parametrize("left", [0, 1])
@pytest.mark.parametrize("lengths", [range(4, 8), range(1, 11)])
def test_whether_the_lone_client_left_is_read_off_the_rounds_and_that_is_foreseen(lengths, left):
    for seed in range(3):
        rounds, site = _rounds(seed, lengths, 30, (22, left))
        assert _reading(rounds, site)[22] == pytest.approx(left, abs=0.1)  # the attack is a real one
        assert rounds.told() > TOLD


def test_many_beside_her_do_not_hide_a_client_who_came_far_longer():
    readings = []
    for seed in range(6):
        rounds, site = _rounds(seed, range(1, 21), 100, (30, seed % 2))
        readings.append(round(_reading(rounds, site)[30]) == seed % 2)
        assert rounds.told() > TOLD
    assert all(readings)


def test_what_is_not_foreseen_is_not_read():
    right = []
    for seed in range(6):
        rounds, site = _rounds(seed, range(1, 21), 250, (22, seed % 2))
        assert rounds.told() < TOLD
        right.append(abs(_reading(rounds, site)[22] - seed % 2) < 0.25)
    assert np.mean(right) < 0.5


def test_a_site_where_many_share_every_course_may_answer():
    rounds, _ = _rounds(1, range(1, 6), 60, None)
    assert rounds.told() < TOLD


def test_who_is_alone_in_a_category_among_those_of_her_length_counts_as_alone():
    def site(*, alone: int) -> pl.DataFrame:
        kinds = {(length, left): 30 for length in range(1, 4) for left in (0, 1)}
        men, women = _courses(kinds | {(4, 1): alone}), _courses(kinds | {(4, 0): 30, (4, 1): 30})
        named = (
            frame.with_columns(pl.format("{}-{}", pl.lit(man), "client").alias("client"), pl.lit(man).alias("man"))
            for man, frame in ((1, men), (0, women))
        )
        return pl.concat(named)

    formula = "left ~ man + (1 | client)"
    assert _Rounds([site(alone=30)] * 3, formula).told() < TOLD
    assert _Rounds([site(alone=1), site(alone=30), site(alone=30)], formula).told() > TOLD


def test_few_of_one_category_over_several_lengths_are_looked_at_together():
    def site(men: dict[tuple[int, int], int]) -> pl.DataFrame:
        kinds = {(length, left): 60 for length in range(1, 13) for left in (0, 1)}
        named = (
            _courses(clients).with_columns(
                pl.format("{}-{}", pl.lit(man), "client").alias("client"), pl.lit(man).alias("man")
            )
            for man, clients in ((1, men), (0, kinds))
        )
        return pl.concat(named)

    formula = "left ~ man + (1 | client)"
    common = {(length, left): 30 for length in range(1, 4) for left in (0, 1)}
    few = common | {(length, 1): 1 for length in range(7, 13)}
    rounds = _Rounds([site(few), site(common), site(common)], formula)
    assert rounds.told() > TOLD
    assert _Rounds([site(common)] * 3, formula).told() < TOLD


def test_predictors_of_many_values_hide_some_of_it_and_known_ones_do_not():
    # Three different sites: of alike ones each has its own optimum at that of all, where its gradient is rounded to
    # almost nothing and tells as much.
    frames = [_courses(_site(seed, range(1, 21), 100, (26, 1) if seed == 3 else None)) for seed in (3, 5, 6)]
    rng = np.random.default_rng(4)
    hidden = [frame.with_columns(x=pl.Series(rng.normal(0, 1, frame.height))) for frame in frames]
    known = [frame.with_columns(x=pl.col("number").log()) for frame in frames]
    told = [_Rounds(sites, "left ~ x + (1 | client)").told() for sites in (hidden, known)]
    assert told[0] < 0.9
    assert told[1] > 0.99


@pytest.mark.parametrize(("kind", "least"), [(Asked.INFORMATION, 0.4), (Asked.DEVIANCE, 0.1)])
def test_an_answer_with_a_part_of_exactly_zero_is_no_way_round(kind, least):
    rows = _read(_courses({(1, 1): 15, (1, 0): 13, (4, 1): 1}))  # 16 events in 32 rows: the score below is zero
    fixed = rows.sums().fixed(open_population([FORMULA], _courses({(1, 1): 1, (1, 0): 1})).design(FORMULA))
    beta = np.zeros(1) if kind is Asked.INFORMATION else np.zeros(2)  # without variance its gradient is zero
    alone = Told(rows, fixed, CLIENT, np.ones(29)).of_few([(kind, beta)], PRECISION, 10)
    assert alone > least
