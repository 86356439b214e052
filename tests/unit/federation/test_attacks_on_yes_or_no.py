"""What somebody tried who had the messages of all rounds of a yes or no, and what a site now refuses therefore."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import polars as pl
import pytest
from conftest import COURSES, DROPOUT, SITES, FalseWest, courses, publish, take_turns

from outcomes.errors import DataRefused
from outcomes.federation.plan import Plan
from outcomes.federation.rounds import Standing, standing
from outcomes.federation.site import answer, numbers
from outcomes.federation.taken_apart import PRECISION, TOLD
from outcomes.federation.told_by_outcome import events_told
from outcomes.links import link_named
from outcomes.mixed.binomial.pooled import fit_shares
from outcomes.mixed.binomial.shares import Asked, PlaceRows, Share
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.population import open_population

TABLE = "mart_person_session"
PLAN = Plan(DROPOUT, TABLE, SITES, link="logit")
FAR = np.array([-3e4 * 2.9, 0.0, 3e4])
"""At these parameters all outcomes are certain but those of rows whose second predictor is at 2.9 deviations."""


def _read(frame: pl.DataFrame, formula: str, link: str = "logit") -> PlaceRows:
    return PlaceRows.read(open_population([formula], frame).design(formula), link_named(link))


class _Rounds:
    """The honest rounds of a fit over sites, or questions of somebody's choice; and what the first of them answered."""

    def __init__(self, sites: list[pl.DataFrame], formula: str, link: str = "logit") -> None:
        self.rows = [_read(frame, formula, link) for frame in sites]
        self.design = open_population([formula], sites[0]).design(formula)
        self.sums: BinomialSums = reduce(add, [rows.sums() for rows in self.rows])
        self.fixed = self.sums.fixed(self.design)
        self.order = [":".join(group) for group in self.sums.order]
        self.asked: list[tuple[Asked, np.ndarray]] = []
        self.answers: list[np.ndarray] = []

    def ask(self, asked: Asked, at: np.ndarray) -> Share:
        shares = [rows.place(self.fixed, self.order).share(asked, at).rounded(PRECISION) for rows in self.rows]
        self.asked.append((asked, at))
        self.answers.append(shares[0].to_vector())
        return reduce(add, shares)

    def honest(self) -> _Rounds:
        fit_shares(self.design, self.rows[0].link, self.sums, self.ask)
        return self


def test_far_parameters_single_out_one_row_of_all_sites():
    """The attack is a real one: the sum over all sites is that of one row, whose predictors are read to 8 digits."""
    rounds = _Rounds([courses(seed) for seed in range(3)], DROPOUT)
    told = rounds.ask(Asked.INFORMATION, FAR).hessian
    rows = [((one.rows.X - rounds.fixed.center) / rounds.fixed.scale)[:, rounds.fixed.kept] for one in rounds.rows]
    assert np.abs(np.concatenate(rows) - told[0] / told[0, 0]).max(axis=1).min() < 1e-8


def test_a_site_that_steers_the_search_to_one_row_is_not_answered(tmp_path, clinics):
    folder = tmp_path / "shared"
    west = FalseWest(folder, PLAN)

    def both():
        for name in ("east", "north"):
            answer(clinics[name], folder, name)

    both()  # keys
    both()
    west.send(standing(folder, PLAN).question, numbers(clinics["west"], PLAN, Standing()))
    both()
    question = standing(folder, PLAN).question
    wished = Share(np.array([-1e6]), FAR - question.at, np.eye(3))  # a step of Newton's goes where it is wished
    west.wish(question, wished.to_vector())
    np.testing.assert_allclose(standing(folder, PLAN).question.at, FAR, atol=1e-3)
    with pytest.raises(DataRefused, match="would be that of fewer than 10 clients") as refused:
        both()
    assert "answered falsely" in str(refused.value)
    assert not (folder / "rounds/0003").exists()


def _separated(seed: int) -> pl.DataFrame:
    return courses(seed).with_columns(is_dropout=(pl.col("directiveness_so_far") > 1).cast(pl.Int64))


def test_separated_data_end_before_the_rows_at_the_border_are_told(tmp_path):
    """Without the rule the honest search goes on to where two rows have all the weight."""
    studies = {name: publish(tmp_path / name, _separated(seed), tables=COURSES) for seed, name in enumerate(SITES)}
    with pytest.raises(DataRefused, match="would be that of fewer than 10 clients"):
        take_turns(studies, tmp_path / "shared", PLAN, 20)
    assert len(list((tmp_path / "shared/rounds").iterdir())) < 8


def _clients(kinds: dict[tuple[str, int, int], int]) -> pl.DataFrame:
    """So many clients of each therapist, number of sessions, and whether they left after the last."""
    rows = [
        (f"{name}-{length}-{left}-{client}-{x}", name, f"{name}-{length}-{left}-{client}", x, int(left and x == length))
        for (name, length, left), n in kinds.items()
        for client in range(n)
        for x in range(1, length + 1)
    ]
    names = ["session_id", "therapist_id", "client_id", "attended_number", "is_dropout"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(log_session=pl.col("attended_number").log(), is_last=pl.col("is_dropout") == 1)


BY_BOTH = "is_dropout ~ 1 + (1 | client_id) + (1 | therapist_id)"
COMMON = {(f"t{t}", length, left): 11 + t for t in range(5) for length in (1, 2) for left in (0, 1)}
STEERED = [np.array([-0.5, 0.0, theta]) for theta in (0.2, 0.5, 1.0, 2.0, 4.0)]
NEAR = [np.array([-0.5, 0.3, 0.3]), np.array([-0.4, 0.6, 0.4]), np.array([-0.42, 0.5, 0.45])]


@pytest.mark.parametrize("asked", [STEERED, NEAR])
@pytest.mark.parametrize("lone", [("alone", 1, 1), ("t0", 3, 1)])
def test_who_is_alone_at_her_therapist_is_seen_whoever_else_has_as_many_sessions(tmp_path, lone, asked):
    """A therapist of one client; a client of three sessions whose therapist has no other, while others have many."""
    kinds = COMMON | {("t4", 3, left): 30 for left in (0, 1)}
    plan = replace(PLAN, formula=BY_BOTH)
    studies = [
        publish(tmp_path / name, _clients(kinds | more), tables=COURSES) for name, more in (("a", {}), ("b", {lone: 1}))
    ]
    own = [numbers(study, plan, Standing()) for study in studies]
    sums = BinomialSums.from_vector(3 * own[1], plan.design)
    where = Standing(sums=sums, asked=tuple(("hessian", at) for at in asked))
    numbers(studies[0], plan, where)
    with pytest.raises(DataRefused, match="whether they had the event, within each therapist_id"):
        numbers(studies[1], plan, where)


BY_GROUP = "is_dropout ~ man + turkish + (1 | therapist_id)"


def _groups(seed: int, left: int | None = None) -> pl.DataFrame:
    """Courses of men and women, some of whom speak another language; of the men only one where `left` says whether that
    one dropped out."""
    frame, rng = courses(seed, clients=30, longest=3), np.random.default_rng(9 + seed)
    names = frame["client_id"].unique(maintain_order=True)
    man = rng.random(len(names)) < 0.4
    turkish = (rng.random(len(names)) < 0.2) & ~man
    if left is not None:
        one = int(np.flatnonzero(man)[0])
        turkish[one] = True
        is_hers = pl.col("client_id") == names[one]
        last = pl.col("session_id") == pl.col("session_id").last().over("client_id")
        ended = pl.when(is_hers).then((last & bool(left)).cast(pl.Int64)).otherwise(pl.col("is_dropout"))
        frame = frame.with_columns(is_dropout=ended)
    groups = pl.DataFrame({"client_id": names, "man": man.astype(float), "turkish": turkish.astype(float)})
    return frame.join(groups, on="client_id", maintain_order="left")


def _events_by_group(rounds: _Rounds) -> np.ndarray:
    """The attack: rows without and with the event of each of four groups, by least squares; the latter, the last of men
    who speak the language."""
    groups = np.array([[1, man, turkish] for man in (0, 1) for turkish in (0, 1)], dtype=float)
    X = ((groups - rounds.fixed.center) / rounds.fixed.scale)[:, rounds.fixed.kept]
    upper = np.triu_indices(3)
    system, told = [], []
    for (kind, at), answered in zip(rounds.asked, rounds.answers, strict=True):
        if kind is Asked.INFORMATION:
            columns = []
            for event in (0.0, 1.0):
                row = rounds.rows[0].link.derivatives(X @ at, np.full(4, event), None)
                products = row.weight[:, None] * X[:, upper[0]] * X[:, upper[1]]
                columns.append(np.column_stack([row.loglik, row.score[:, None] * X, products]))
            system.append(np.concatenate(columns).T)
            told.append(answered)
    return np.linalg.lstsq(np.concatenate(system), np.concatenate(told), rcond=1e-11)[0][4:]


@pytest.mark.parametrize("link", ["cloglog", "probit"])
@pytest.mark.parametrize("left", [0, 1])
def test_whether_the_one_man_of_a_language_left_is_read_and_that_is_foreseen(link, left):
    frames = [_groups(0, left), _groups(1), _groups(2)]
    rounds = _Rounds(frames, BY_GROUP, link).honest()
    assert _events_by_group(rounds)[-1] == pytest.approx(left, abs=0.01)  # the attack is a real one
    told = [
        events_told(rows, rounds.fixed, frame["client_id"].rank("dense").to_numpy() - 1, rounds.asked, PRECISION, 10)
        for rows, frame in zip(rounds.rows, frames, strict=True)
    ]
    assert told[0] > 0.99
    assert max(told[1:]) < TOLD


def test_events_that_few_have_by_two_predictors_together_are_refused_in_the_first_rounds(tmp_path):
    def plan(link: str) -> Plan:
        return Plan("is_dropout ~ session_1 + session_2 + (1 | therapist_id)", TABLE, SITES, link=link)

    frame = _groups(0, 1)
    named = {"man": "session_1", "turkish": "session_2"}
    studies = {
        name: publish(tmp_path / name, one.rename(named), tables=COURSES)
        for name, one in zip(SITES, (frame, _groups(1), _groups(2)), strict=True)
    }
    with pytest.raises(DataRefused, match="by what the predictors say of them together"):
        take_turns(studies, tmp_path / "cloglog", plan("cloglog"), 9)


def _joined_by(each: int) -> pl.DataFrame:
    """Clients who come later, so many to each therapist."""
    return courses(50, clients=each).with_columns(
        pl.format("new-{}", pl.col(column)).alias(column) for column in ("session_id", "client_id")
    )


@pytest.mark.parametrize(("each", "is_refused"), [(6, True), (14, False)])
def test_the_few_joiners_of_a_therapist_are_not_told_by_the_rounds_of_two_plans(tmp_path, clinics, each, is_refused):
    """Each plan tells its therapists' sums, of 40 and 46 clients: their difference is that of six."""
    take_turns(clinics, tmp_path / "first", PLAN, 2)
    grown = pl.concat([courses(0), _joined_by(each)])
    later = clinics | {"east": publish(tmp_path / "east", grown, "bbbbbbbbbbbb", COURSES)}
    second = replace(PLAN, formula="is_dropout ~ directiveness_so_far + (1 | therapist_id)")
    if is_refused:
        with pytest.raises(DataRefused, match=r"since the plan \w+: The rounds of this fit would tell of fewer"):
            take_turns(later, tmp_path / "second", second, 20)
    else:
        take_turns(later, tmp_path / "second", second, 5)
        assert standing(tmp_path / "second", second).question.number == 5
