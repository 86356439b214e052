from __future__ import annotations

import json
from itertools import pairwise

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from outcomes.errors import StudyError, UsageError
from outcomes.simulate import simulate_study, write_messy_sources, write_sources
from outcomes.simulate.faults.file_faults import _nhs_number
from outcomes.study import StudyFolder, create_study


def files_of(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_files_hold_the_cohort_and_nothing_else(small_cohort, tmp_path):
    written = write_sources(small_cohort, tmp_path)
    assert {path.name for path in written} == {path.name for path in tmp_path.iterdir()}
    sessions = [path for path in written if path.name.startswith("sessions-to-")]
    assert len(sessions) == 4
    read = pl.concat(pl.read_csv(path, try_parse_dates=True) for path in sessions)
    key = ["episode_id", "session_number"]
    assert_frame_equal(read.sort(key), small_cohort.sessions.sort(key), check_dtypes=False)
    assert pl.read_csv(tmp_path / "clients.csv").height == small_cohort.clients.height
    assert pl.read_csv(tmp_path / "episodes.csv").height == small_cohort.episodes.height


def test_each_file_of_appointments_holds_its_own_stretch_of_time(small_cohort, tmp_path):
    spans = [
        (table["session_date"].min(), table["session_date"].max(), path.name)
        for path in write_sources(small_cohort, tmp_path)[2:]
        for table in [pl.read_csv(path, try_parse_dates=True)]
    ]
    assert spans == sorted(spans)
    for (_, last, name), (first, *_) in pairwise(spans):
        assert last < first
        assert last.isoformat() <= name.removeprefix("sessions-to-").removesuffix(".csv")


def test_appointments_can_come_in_one_file(small_cohort, tmp_path):
    assert [path.name for path in write_sources(small_cohort, tmp_path, session_files=1)] == [
        "clients.csv",
        "episodes.csv",
        "sessions.csv",
    ]


def test_no_file_at_all_is_refused(small_cohort, tmp_path):
    with pytest.raises(UsageError, match="at least one file"):
        write_sources(small_cohort, tmp_path, session_files=0)


def test_a_simulated_study_has_its_truth_beside_the_inbox_and_not_in_it(tmp_path):
    study = create_study(tmp_path / "study")
    files = simulate_study(study.root, clients=60, therapists=5, seed=4)
    assert {path.parent for path in files} == {study.inbox}
    assert "truth.json" not in files_of(study.inbox)
    truth = json.loads((study.root / "truth.json").read_text())
    assert truth["seed"] == 4
    assert truth["parameters"]["endings"]["dropout_hazard"] == 0.019
    assert truth["counts"]["clients"] == 60
    assert truth["satisfaction_slopes"]["observed"]["within"] > 0
    assert StudyFolder.open(study.root).settings.scales["satisfaction"].maximum == 10


def test_simulating_twice_gives_the_same_bytes(tmp_path):
    one, other = (create_study(tmp_path / name) for name in ("one", "other"))
    for study in (one, other, other):
        simulate_study(study.root, clients=450, therapists=20, seed=9, mess=True)
    assert files_of(one.inbox) == files_of(other.inbox)
    assert (one.root / "truth.json").read_bytes() == (other.root / "truth.json").read_bytes()


def test_a_second_cohort_does_not_mix_with_the_first(tmp_path):
    study = create_study(tmp_path / "study")
    simulate_study(study.root, clients=30, therapists=3, seed=1)
    before = files_of(study.inbox)
    with pytest.raises(UsageError, match="another origin"):
        simulate_study(study.root, clients=30, therapists=3, seed=2)
    assert files_of(study.inbox) == before


def test_a_cohort_does_not_mix_with_real_files(tmp_path):
    study = create_study(tmp_path / "study")
    (study.inbox / "sessions.csv").write_text("client_id\n")
    with pytest.raises(UsageError, match="another origin"):
        simulate_study(study.root, clients=30, therapists=3, seed=1)
    assert not (study.root / "truth.json").exists()


def test_a_study_with_other_scales_is_refused(tmp_path):
    study = create_study(tmp_path / "study")
    text = study.settings_path.read_text()
    study.settings_path.write_text(text.replace("[scales.alliance]\nminimum = 0", "[scales.alliance]\nminimum = 1"))
    with pytest.raises(StudyError, match="other ranges: alliance"):
        simulate_study(study.root, clients=30, therapists=3, seed=1)
    assert not files_of(study.inbox)


def test_a_study_with_renamed_columns_is_refused(tmp_path):
    study = create_study(tmp_path / "study")
    text = study.settings_path.read_text()
    study.settings_path.write_text(text.replace("# directiveness =", "directiveness ="))
    with pytest.raises(StudyError, match="1 column"):
        simulate_study(study.root, clients=30, therapists=3, seed=1)


def test_a_messy_inbox_has_at_least_25_kinds_of_faults_and_says_where(small_cohort, tmp_path):
    files, mess = write_messy_sources(small_cohort, tmp_path)
    assert {path.name for path in files} == set(files_of(tmp_path))
    assert len({planted.rule for planted in mess.rows}) == 17
    assert len({refusal for *_, refusal in mess.files}) >= 14
    assert len({planted.name for planted in mess.rows}) + len(mess.files) >= 60
    for planted in mess.rows:
        n_lines = (tmp_path / planted.file).read_bytes().count(b"\n") + 1
        assert all(2 <= line <= n_lines for line in planted.lines)


def test_rows_that_are_not_planted_are_those_of_the_cohort(small_cohort, tmp_path):
    _, mess = write_messy_sources(small_cohort, tmp_path, session_files=1)
    planted = {line for rows in mess.rows if rows.file == "sessions.csv" for line in rows.lines}
    lines = (tmp_path / "sessions.csv").read_text().split("\n")
    good = {line for number, line in enumerate(lines[1:], start=2) if line and number not in planted}
    assert good <= set(small_cohort.sessions.write_csv().split("\n"))
    assert len(good) > 3_000


def test_a_mess_of_few_clients_is_refused(tmp_path):
    study = create_study(tmp_path / "study")
    with pytest.raises(UsageError, match="at least 400"):
        simulate_study(study.root, clients=100, therapists=10, seed=1, mess=True)


def test_invented_health_numbers_have_a_right_check_digit():
    # Modulus 11 check of the NHS number: weighted sum of all ten digits (weights 10 to 1) is a multiple of 11.
    for place in range(40):
        digits = [int(digit) for digit in _nhs_number(place)]
        assert len(digits) == 10
        assert digits[:3] == [9, 9, 9]
        assert sum(weight * digit for weight, digit in zip(range(10, 0, -1), digits, strict=True)) % 11 == 0
