"""What a report says: results, null results, and refusals in place of numbers."""

import re
import shutil

import duckdb
import pytest
from page_text import visible_text
from planted_answers import plant_answers, refuse_answers
from synthetic_release import Cohort, make_release, make_study

from outcomes.mixed import FitStatus
from outcomes.models import fit_models
from outcomes.report.write import write_report


def _said(folder, study) -> str:
    return visible_text(write_report(folder, study).with_name("annex.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def said(fitted_release, template_study):
    return _said(fitted_release, template_study)


@pytest.fixture
def release(tmp_path, fitted_release):
    """A copy of the fitted release, to change."""
    return shutil.copytree(fitted_release, tmp_path / "release")


@pytest.fixture
def settled(release):
    """The same with curves of a fit that converged: the synthetic cohort has no slopes by therapist."""
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update model_curves set status = 'converged'")
    return release


def test_the_verdict_on_sessions_comes_first_then_clients_then_dropout(said):
    wanted = (
        "Satisfaction, session by session. What counts for satisfaction is fit to the client's preference",
        "Satisfaction, between clients. The data do not decide",
        "Dropout. Over all clients, how much guidance they get makes no difference that matters to dropout.",
        "What the words mean",
    )
    places = [said.index(words) for words in wanted]
    assert places == sorted(places)


def test_a_link_is_said_with_its_size_unit_and_interval(said):
    assert (
        "One point more guidance than usual for a client went with a difference in satisfaction of +0.31 points "
        "(95% interval +0.22 to +0.40) ✓"
    ) in said


def test_dropout_is_told_in_absolute_numbers_first(said):
    assert "By session 8, with little guidance (3.8): 15% (95% interval 13% to 17%) ✓ have dropped out" in said
    assert said.index("Dropped out by") < said.index("Odds of dropping out")


def test_levels_of_satisfaction_are_told_before_differences(settled, template_study):
    text = _said(settled, template_study)
    level = r"\d\.\d \(95% interval \d\.\d to \d\.\d\) ✓"
    assert re.search(f"usual amount of guidance were rated {level} on average", text)
    assert text.index("usual amount of guidance were rated") < text.index(
        "The same client, in a session with one point"
    )


def test_the_limits_and_the_origin_are_on_the_page(said, template_study):
    for wanted in ("They do not show that more or less guidance is the cause", "What would change the conclusion",
                   "Missing ratings.", "0123456789ab", "June 2026", "0.1.0", "exploratory",
                   template_study.settings_sha256[:12]):  # fmt: skip
        assert wanted in said
    assert "30 June" not in said  # the day of the last session is one client's


def test_no_best_level_is_claimed_whatever_the_curve(said):
    assert not re.search(r"optim|ideal amount|best level (is|lies)|sweet spot", said)
    assert "A line that rises and then falls is no sign of one best amount" in said


def test_a_null_is_said_as_a_result(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update verdicts set verdict = 'no_effect'")
        con.execute("update guidance_effects set conf_low = -0.1 where estimate is not null")
    text = _said(release, template_study)
    assert "makes no difference that matters to satisfaction. That is a result, not the lack of one." in text
    assert "No clear link shows between more guidance than usual and satisfaction." in text


def test_data_without_endings_say_so_and_have_no_second_flow(tmp_path, template_study):
    folder = make_release(tmp_path / "release", Cohort(has_endings=False))
    fit_models(folder, template_study)
    text = _said(refuse_answers(folder, "No endings are recorded in these data."), template_study)
    assert "These data cannot answer this. No endings are recorded in these data." in text
    assert "How courses of therapy ended" not in text
    assert "For the questions on satisfaction" in text
    assert "For the questions on dropout" not in text


def test_six_therapists_get_refusals_and_no_estimates(tmp_path, template_study):
    folder = make_release(tmp_path / "release", Cohort(n_therapists=6, clients_per_therapist=60))
    fit_models(folder, template_study)
    text = _said(refuse_answers(folder, "There are too few therapists."), template_study)
    assert text.count("These data cannot answer this. There are too few therapists.") == 10
    assert "with fewer than 10 therapists" in text
    assert "95% interval" not in text
    assert "✓" not in text.replace("✓ behind a number", "")
    assert not re.search(r"(?<![\w.])\d+\.\d+(?![\w.])", text.replace("0.1.0", ""))


@pytest.mark.parametrize("status", [FitStatus.NOT_CONVERGED, FitStatus.SINGULAR, FitStatus.REFUSED])
def test_a_declared_model_that_is_not_clean_tells_its_state_and_no_effects(release, template_study, status):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(
            "update model_fits set status = ?, reason = 'The slope is at zero.' where model = 'dropout'", [status]
        )
    text = _said(release, template_study)
    model = text[text.index("Model “dropout”") :]
    assert "shown" in model[:80] or "not calculated" in model[:80]
    assert "The slope is at zero." in model
    assert "Ratio of odds" not in model


def test_declared_models_have_intervals_and_states_beside_their_effects(said):
    model = said[said.index("Model “dropout”") :]
    assert "calculation complete" in model[:60]
    assert re.search(r"Guidance on average so far \d\.\d\d \(\d\.\d\d to \d\.\d\d\) ✓", model)


def test_a_hazard_of_another_link_is_told_in_its_own_measure(tmp_path):
    study = make_study(tmp_path / "study", {'outcome = "is_dropout"': 'outcome = "is_dropout"\nlink = "cloglog"'})
    folder = make_release(tmp_path / "release", Cohort())
    fit_models(folder, study)
    assert "Ratio of hazards" in _said(plant_answers(folder), study)


def test_checks_that_enough_rows_break_are_listed_and_those_that_few_break_look_like_those_that_none_does(said):
    assert "1 of 3 automatic checks that these data allow is broken in 10 rows or more." in said
    assert "Attended sessions have a satisfaction rating. completeness many" in said
    assert "There is no session after the end of an episode." not in said  # four rows break it
    assert "Every other check is broken in fewer than 10 rows or in none" in said


def test_a_check_that_ended_in_an_error_is_not_said_to_be_broken(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update dq_results set status = 'error', n_violated = null where category = 'completeness'")
    text = _said(release, template_study)
    assert "None of 2 automatic checks that these data allow is known to be broken in 10 rows or more." in text
    assert "Not checked, because the check itself ended in an error: Attended sessions have" in text


def test_each_scale_keeps_its_own_unit(tmp_path, settled):
    changes = {"[scales.directiveness]\n": '[scales.directiveness]\nunit = "steps"\n'}
    text = _said(settled, make_study(tmp_path / "study", changes))
    assert (
        "One step more guidance than usual for a client went with a difference in satisfaction of +0.31 points" in text
    )
    assert "Guidance compared with the client's usual (steps)" in text
    assert "Average satisfaction (points)" in text


def test_data_without_dates_have_no_data_cut(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute("update release set data_cut = null")
        con.execute("update core_sessions set session_date = null")
    assert "Data without dates" in _said(release, template_study)


def test_whether_the_specification_was_sealed_is_said_in_the_words_of_the_seal(release, template_study):
    with duckdb.connect(str(release / "outcomes.duckdb")) as con:
        con.execute(
            "create or replace table seal as select 'sealed_before_outcomes' as status, "
            "'Sealed before any outcome was seen.' as sentence"
        )
    text = _said(release, template_study)
    assert "Sealed before any outcome was seen." in text
    assert "exploratory" not in text
