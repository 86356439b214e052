"""The multiverse: which specifications there are, that each is the model it says, and what they say together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from answer_cohorts import SETTINGS, every_estimate_has_its_interval_and_state, is_described, only
from multiverse_cohorts import SMALL, cohort, settings, tables

import outcomes.study
from outcomes.answers.multiverse import run as multiverse
from outcomes.answers.multiverse.rows import session_table
from outcomes.answers.multiverse.specs import space
from outcomes.answers.multiverse.tables import SPECS, TABLES, TESTS
from outcomes.errors import FitRefused, StudyError
from outcomes.mixed import fit_linear
from outcomes.study import read_settings
from outcomes.study.tables.multiverse import Dimension, Exclusion, Lag, Multiverse, Responsiveness
from outcomes.study.tables.scales import Scale

BOTH_LAGS = SMALL.model_copy(update={"lag": Dimension[Lag](type="N", choices=tuple(Lag))})


@pytest.fixture(scope="module")
def answered():
    with tables(cohort(3, slope=0.3, slope_sd=0.3)) as con:
        made = multiverse.run(con, settings())
        yield made[SPECS.name], made[TESTS.name], con


def test_every_combination_of_choices_is_one_row_with_its_interval_and_state(answered):
    specs, tests, _ = answered
    assert specs.height == 2 * 3 * 3 * 2  # detrending, centring, structure, covariates
    assert specs["formula"].n_unique() == specs.height
    assert tests["n_specs"].to_list() == [specs.height]
    for text, table in zip(TABLES, (specs, tests), strict=True):
        assert is_described(text.name, table)
        assert every_estimate_has_its_interval_and_state(table)


def test_every_specification_is_the_model_that_its_formula_says(answered):
    specs, _, con = answered
    sessions = session_table(con, settings())
    for row in specs.filter(status="converged").gather_every(7).rows(named=True):
        fit = fit_linear(row["formula"], sessions)
        assert row["estimate"] == pytest.approx(fit.params["within"], rel=1e-5)
        assert row["std_error"] == pytest.approx(fit.bse["within"], rel=1e-4)
        assert row["p_value"] == pytest.approx(fit.pvalues["within"], rel=1e-2)
        assert row["n_sessions"] == fit.nobs


def test_specifications_that_adjust_for_responses_stand_in_a_pool_of_their_own():
    declared = SMALL.model_copy(update={"responsiveness": tuple(Responsiveness)})
    with tables(cohort(3, slope=0.3, slope_sd=0.3)) as con:
        made = multiverse.run(con, settings(declared))
    specs, tests = made[SPECS.name], made[TESTS.name]
    adjusted = specs.filter(responsiveness="adjusted")
    assert adjusted.height == 2 * 2  # detrending, covariates
    assert adjusted["formula"].to_list()[0] == "y ~ d"
    assert (adjusted["conf_low"] < 0.3).all()
    assert (adjusted["conf_high"] > 0.3).all()
    assert tests["pool"].to_list() == ["responsiveness: ignored", "responsiveness: adjusted"]
    assert tests["n_specs"].to_list() == [36, 4]
    assert tests["p_value"].null_count() == 1
    assert "not made for the dynamic model" in tests["reason"][1]


def test_clients_are_left_out_as_if_their_sessions_were_filtered():
    frames = cohort(5)
    few = pl.col("client_id").is_in([f"c{i}" for i in range(0, 240, 4)]) & (pl.col("attended_number") > 2)
    risk = frames["mart_person_session"].filter(~few)
    declared = SMALL.model_copy(
        update={"exclusions": Dimension[Exclusion](type="U", choices=(Exclusion.NONE, Exclusion.FEWER_THAN_3))}
    )
    with tables(frames | {"mart_person_session": risk}) as con:
        specs = multiverse.run(con, settings(declared))[SPECS.name]
        sessions = session_table(con, settings())
        row = specs.filter(exclusions="at least 3 sessions", structure="three levels").row(0, named=True)
        fit = fit_linear(row["formula"], sessions.filter("n_sessions >= 3"))
    assert row["n_clients"] == 180
    assert row["estimate"] == pytest.approx(fit.params["within"], rel=1e-5)
    assert specs["pool"].n_unique() == 2


def test_the_middle_and_the_shares_are_those_of_the_estimates(answered):
    specs, tests, _ = answered
    row, estimates = tests.row(0, named=True), specs["estimate"].drop_nulls().sort()
    assert row["n_estimated"] == len(estimates)
    assert row["estimate"] == estimates[(len(estimates) - 1) // 2]
    assert (row["lowest"], row["highest"]) == (estimates[0], estimates[-1])
    assert row["same_sign_prop"] == ((estimates > 0) == (row["estimate"] > 0)).mean()
    assert row["significant_prop"] == (specs["p_value"].drop_nulls() < 0.05).mean()
    assert row["p_value"] == specs["p_adjusted"].min()


def test_a_slope_that_is_there_is_found_by_the_joint_test(answered):
    assert answered[1]["p_value"][0] < 0.01
    assert answered[1]["estimate"][0] == pytest.approx(0.3, abs=0.2)


def test_choices_that_are_not_equivalent_are_never_pooled():
    with tables(cohort(4)) as con:
        made = multiverse.run(con, settings(BOTH_LAGS))
    tests = made[TESTS.name]
    assert tests["pool"].to_list() == ["lag: same session", "lag: next session"]
    assert tests["n_specs"].to_list() == [36, 36]
    assert (tests["pooled_over"] == "covariates, structure, centring, detrending").all()


def test_a_singular_specification_stays_with_its_state_and_without_an_estimate():
    with tables(cohort(16)) as con:  # no slope by therapist in truth
        made = multiverse.run(con, settings())
    singular = made[SPECS.name].filter(status="singular")
    assert not singular.is_empty()
    assert singular["estimate"].null_count() == singular.height
    assert singular["reason"].str.contains("Singular").all()
    assert made[TESTS.name]["n_singular"].sum() == singular.height


def test_what_the_data_do_not_allow_is_left_out_in_words(answered):
    with tables(cohort(1)) as con:
        sessions = session_table(con, settings())
        found = space(settings(Multiverse()), sessions)
    left_out = "; ".join(found.left_out)
    assert found.choices["covariates"] == ("none", "severity")
    assert found.choices["exclusions"] == ("all_clients",)
    assert "covariates, preference: not known for any session" in left_out
    assert "exclusions, one therapist only: no client changed therapist" in left_out
    assert "one scale" in answered[1]["left_out"][0]


def test_a_second_rating_of_satisfaction_is_a_dimension_on_the_same_range():
    frames = cohort(6, slope=0.3)
    doubled = frames["core_sessions"]
    with tables(frames) as con:
        con.execute(
            "create or replace table core_sessions as "
            "select *, satisfaction_score * 2 + 3 as rated_by_therapist_score from core_sessions"
        )
        scale = Scale(minimum=3, maximum=23, rater="therapist", measures="satisfaction")
        declared = settings()
        declared = declared.model_copy(update={"scales": declared.scales | {"rated_by_therapist": scale}})
        specs = multiverse.run(con, declared)[SPECS.name]
    assert doubled.height == 30 * 8 * 6
    by_rating = specs.pivot("satisfaction_rating", index="formula", values="estimate").drop_nulls()
    assert by_rating.height > 20
    assert by_rating["rated by therapist"].to_numpy() == pytest.approx(by_rating["satisfaction"].to_numpy(), rel=1e-5)
    assert specs["pool"].n_unique() == 2


def test_few_therapists_are_refused_in_words_without_a_count():
    with (
        tables(cohort(1, therapists=6, clients=20)) as con,
        pytest.raises(FitRefused, match="too few therapists") as no,
    ):
        multiverse.run(con, settings())
    assert not any(char.isdigit() for char in no.value.message)


def test_few_clients_are_refused_in_words():
    with tables(cohort(1, therapists=20, clients=2)) as con, pytest.raises(FitRefused, match="too few clients"):
        multiverse.run(con, settings())


def test_fewer_than_twenty_therapists_get_a_curve_but_no_joint_test():
    with tables(cohort(2, therapists=14, clients=12)) as con:
        made = multiverse.run(con, settings())
    row = made[TESTS.name].row(0, named=True)
    assert row["p_value"] is None
    assert row["estimate"] is not None
    assert made[SPECS.name]["p_adjusted"].null_count() == 36
    assert "too few therapists for a test" in row["reason"]


def test_the_template_declares_about_five_hundred_specifications():
    choices = {name: len(part.choices) for name, part in SETTINGS.multiverse if isinstance(part, Dimension)}
    assert np.prod(list(choices.values())) == 648


def test_the_commented_default_of_the_template_is_the_default(tmp_path):
    text = (Path(outcomes.study.__file__).parent / "template.toml").read_text(encoding="utf-8")
    lines = text.splitlines()
    start = lines.index("# [multiverse]")
    for i in range(start, start + 8):
        lines[i] = lines[i].removeprefix("# ")
    path = tmp_path / "study.toml"
    path.write_text("\n".join(lines))
    assert read_settings(path).multiverse == Multiverse()


def test_a_choice_that_does_not_exist_is_refused_with_its_place(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        '[study]\nname = "x"\n[sources.sessions]\npattern = "*"\n[multiverse.detrending]\ntype = "E"\n'
        'choices = ["cubic"]\n[scales.directiveness]\nminimum = 0\nmaximum = 1\nrater = "client"\n'
        '[scales.satisfaction]\nminimum = 0\nmaximum = 1\nrater = "client"\n'
    )
    with pytest.raises(StudyError, match=r"multiverse\.detrending\.choices"):
        read_settings(path)


def test_the_middle_specification_is_told_with_its_interval(answered):
    specs, tests, _ = answered
    assert tests["pooled_over"].to_list() == ["covariates, structure, centring, detrending"]
    assert tests["p_value"].null_count() == 0
    assert only(tests, pool="all specifications")["n_specs"] == specs.height


@pytest.mark.slow
@pytest.mark.parametrize("slope_sd", [0.0, 0.25])
def test_without_an_effect_the_joint_test_claims_one_in_five_percent_of_studies(slope_sd):
    claims, n = 0, 300
    for seed in range(n):
        with tables(cohort(1000 + seed, slope_sd=slope_sd)) as con:
            claims += multiverse.run(con, settings(NULL))[TESTS.name]["p_value"][0] <= 0.05
    assert 0.02 < claims / n < 0.09  # 5% with a binomial standard error of 1.3%


NULL = SMALL.model_copy(
    update={
        "centring": SMALL.centring.model_copy(update={"choices": ("client_mean_only",)}),
        "covariates": SMALL.covariates.model_copy(update={"choices": ("none",)}),
    }
)
