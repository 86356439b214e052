"""What a report says: results, null results, and refusals in place of numbers."""

import re
import shutil

import duckdb
import pytest
from page_text import visible_text
from synthetic_release import Cohort, make_release, make_study

from outcomes.models import ModelStatus, fit_models
from outcomes.report import write_report
from outcomes.report.facts import Estimate
from outcomes.report.words import Direction, direction, number, of_100, percent


def _report(folder, cohort, study) -> str:
    fit_models(make_release(folder, cohort), study)
    return visible_text(write_report(folder, study).read_text(encoding="utf-8"))


def _section(text: str, start: str, end: str) -> str:
    return text[text.rindex(start) : text.rindex(end)]


@pytest.fixture(scope="module")
def said(fitted_release, template_study):
    return visible_text(write_report(fitted_release, template_study).read_text(encoding="utf-8"))


def test_a_clear_link_is_said_with_its_size_unit_and_interval(said):
    assert "On average, clients were more satisfied with sessions that had more guidance than usual." in said
    assert re.search(r"one point more guidance than usual for a client went with 0\.\d\d points higher satisfaction "
                     r"\(95% interval 0\.\d\d to 0\.\d\d\)", said)  # fmt: skip


def test_dropout_is_told_as_clients_out_of_100_with_intervals(said):
    assert re.search(r"Of 100 clients with little guidance \(\d\.\d on the scale from 0 to 10\), about \d+ drop out "
                     r"within 8 sessions \(95% interval \d+ to \d+\); of 100 with much guidance", said)  # fmt: skip


def test_the_limits_and_the_origin_are_on_the_page(said, template_study):
    for wanted in ("Association, not causation", "No best amount of guidance", "Missing ratings", "0123456789ab",
                   "30 June 2026", "0.1.0", template_study.settings_sha256):  # fmt: skip
        assert wanted in said


def test_no_best_level_is_claimed_whatever_the_curve(said):
    assert not re.search(r"optim|ideal amount|best level (is|lies)|sweet spot", said)
    assert "this report claims neither" in said


def test_the_state_of_the_calculation_stands_beside_each_result(said):
    assert said.count("calculation complete") >= 5


def test_a_null_result_is_said_as_a_result(tmp_path, template_study):
    text = _report(tmp_path, Cohort(within_slope=0.0, dropout_slope=0.0, seed=6), template_study)
    assert "We found no clear link between getting more guidance than usual and satisfaction." in text
    assert "We found no clear link between the amount of guidance and dropout." in text
    assert "may be anything from" in text


def test_data_without_endings_get_a_refusal_and_no_dropout_numbers(tmp_path, template_study):
    text = _report(tmp_path, Cohort(has_endings=False), template_study)
    dropout = _section(text, "Guidance and dropout", "Differences between therapists")
    assert "No endings are recorded" in dropout
    assert "not calculated" in dropout
    assert not re.search(r"\d", dropout)
    assert "clients were more satisfied" in text


def test_six_therapists_get_refusals_and_no_estimates(tmp_path, template_study):
    text = _report(tmp_path, Cohort(n_therapists=6, clients_per_therapist=60), template_study)
    assert "There are too few therapists to say how much they differ." in text
    assert "fewer than 10 therapists" in text
    assert "95% interval 0" not in text
    assert "Average satisfaction" not in text


def test_without_satisfaction_ratings_the_rest_of_the_report_is_there(tmp_path, template_study):
    text = _report(tmp_path, Cohort(has_satisfaction=False), template_study)
    satisfaction = _section(text, "Guidance and satisfaction", "Guidance and dropout")
    assert "These data cannot answer this." in satisfaction
    assert "The data hold no values for: satisfaction." in satisfaction
    assert "Of 100 clients" in text


@pytest.mark.parametrize(
    ("status", "wanted", "unwanted"),
    [
        (ModelStatus.NOT_CONVERGED, "the calculation did not settle on an answer", "One point more guidance"),
        (ModelStatus.SINGULAR, "calculation complete, with a note", "did not settle on an answer"),
    ],
)
def test_a_state_that_is_not_clean_is_said_and_decides_what_is_told(
    tmp_path, fitted_release, template_study, status, wanted, unwanted
):
    folder = shutil.copytree(fitted_release, tmp_path / "release")
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute(
            "update model_fits set status = ?, reason = 'The slope is at zero.' where model like 's%'", [status]
        )
    text = visible_text(write_report(folder, template_study).read_text(encoding="utf-8"))
    assert wanted in text
    assert unwanted not in text


def test_a_second_method_that_disagrees_is_said(tmp_path, fitted_release, template_study):
    folder = shutil.copytree(fitted_release, tmp_path / "release")
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute("update model_estimates set conf_low = -1, conf_high = 1 where variant = 'cluster_robust'")
    text = visible_text(write_report(folder, template_study).read_text(encoding="utf-8"))
    assert "so this result is fragile" in text


def test_open_checks_are_listed_with_their_share(said):
    assert "1 passed, 2 need a look, and 1 did not apply" in said
    assert re.search("Attended sessions have a satisfaction rating. completeness 1[23]%", said)
    assert "There is no session after the end of an episode. plausibility fewer than 10" in said


def test_the_same_release_gives_the_same_bytes_from_database_and_checks_alone(tmp_path, fitted_release, template_study):
    first = write_report(fitted_release, template_study).read_bytes()
    folder = tmp_path / "bare"
    folder.mkdir()
    for name in ("outcomes.duckdb", "checks.json"):
        shutil.copy(fitted_release / name, folder / name)
    assert write_report(folder, template_study).read_bytes() == first


def test_every_model_of_the_study_is_listed_under_the_methods_with_its_formula(said, template_study):
    for spec in template_study.settings.models:
        assert spec.formula in said


def test_a_hazard_by_cloglog_is_told_in_ratios_of_hazards(tmp_path):
    study = make_study(tmp_path / "study", {'kind = "hazard"': 'kind = "hazard"\nlink = "cloglog"'})
    text = _report(tmp_path / "release", Cohort(), study)
    assert "Ratios of hazards" in text
    assert "the risk at each session of dropping out" in text


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.1, 0.2, Direction.MORE),
        (-0.2, -0.1, Direction.LESS),
        (-0.1, 0.2, Direction.UNCLEAR),
        (0, 1, Direction.UNCLEAR),
    ],
)
def test_the_sign_is_read_off_the_interval(low, high, expected):
    assert direction(Estimate("main", "x", (low + high) / 2, low, high, None)) is expected


def test_numbers_have_a_true_minus_and_no_minus_zero():
    assert [number(v, 2) for v in (-0.314, -0.001, 0.5)] == ["−0.31", "0.00", "0.50"]
    assert [percent(v) for v in (0.004, 0.2)] == ["under 1%", "20%"]
    assert [of_100(v) for v in (0.001, 0.418)] == ["fewer than 1", "42"]


def test_guidance_that_never_varies_within_clients_is_said_and_the_rest_is_told(tmp_path):
    by_client, by_therapist = "1 + directiveness_within | client_id", ', "0 + directiveness_within | therapist_id"'
    study = make_study(tmp_path / "study", {by_client: "1 | client_id", by_therapist: ""})
    folder = make_release(tmp_path / "release", Cohort())
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute("update mart_session_directiveness set directiveness_within = 0")
    fit_models(folder, study)
    text = visible_text(write_report(folder, study).read_text(encoding="utf-8"))
    assert "In these data clients always got their usual amount of guidance" in text
    assert "Clients who usually got more guidance than other clients" in text
    assert "No picture is shown: too few clients" in text


def test_each_scale_keeps_its_own_unit(tmp_path, fitted_release):
    changes = {"[scales.directiveness]\n": '[scales.directiveness]\nunit = "steps"\n'}
    html = write_report(fitted_release, make_study(tmp_path, changes)).read_text(encoding="utf-8")
    text = visible_text(html)
    assert "one step more guidance than usual for a client went with 0." in text
    assert "points higher satisfaction" in text
    assert "Guidance compared with the client's usual (steps)" in text
    assert "Average satisfaction (points)" in text


def test_data_without_dates_have_no_data_cut(tmp_path, fitted_release, template_study):
    folder = shutil.copytree(fitted_release, tmp_path / "release")
    with duckdb.connect(str(folder / "outcomes.duckdb")) as con:
        con.execute("update release set data_cut = null")
    text = visible_text(write_report(folder, template_study).read_text(encoding="utf-8"))
    assert "Data without dates" in text
