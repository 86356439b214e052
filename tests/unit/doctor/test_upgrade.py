"""`outcomes upgrade`: only names of keys change; whatever else stands in the file stays, byte for byte."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from outcomes.cli import main
from outcomes.doctor.upgrading import upgrade
from outcomes.errors import StudyError
from outcomes.study import StudyFolder, create_study
from outcomes.study.folder import template_text

OLD = """# our study, first written in 2025
[study]
name = "Old practice"        # as in the grant

[sources.sessions]
pattern = "*sessions*"

[scales.satisfaction]
minimum = 0
maximum = 10
rater = "client"

[scales.srs]                 # Session Rating Scale
minimum = 0
maximum = 40
rater = "client"
  construct   = "satisfaction"   # what it measures: construct = "satisfaction"
"""
NEW = OLD.replace("  construct   =", "  measures   =")


@pytest.fixture
def study(tmp_path) -> StudyFolder:
    made = create_study(tmp_path / "study")
    made.settings_path.write_text(OLD)
    return made


def run(*arguments: object):
    return CliRunner().invoke(main, ["upgrade", *map(str, arguments)])


def test_an_old_file_is_refused_with_the_command_that_mends_it(study):
    said = CliRunner().invoke(main, ["status", str(study.root)])
    assert said.exit_code == 2
    assert "outcomes upgrade" in said.stderr


def test_a_dry_run_shows_the_difference_and_changes_nothing(study):
    said = run(study.root, "--dry-run")
    assert said.exit_code == 0, said.output
    assert '-  construct   = "satisfaction"' in said.output
    assert '+  measures   = "satisfaction"' in said.output
    assert "line 17: scales.srs.construct is called scales.srs.measures now" in said.output
    assert study.settings_path.read_text() == OLD
    assert not (study.root / "study.toml.before").exists()


def test_comments_order_and_values_stay_and_the_file_before_is_kept(study):
    said = run(study.root)
    assert said.exit_code == 0, said.output
    assert study.settings_path.read_text() == NEW
    assert (study.root / "study.toml.before").read_text() == OLD
    assert StudyFolder.open(study.root).settings.scales["srs"].measures == "satisfaction"
    again = run(study.root)
    assert "Nothing to do" in again.output
    assert (study.root / "study.toml.before").read_text() == OLD


def test_the_study_file_of_today_has_nothing_to_upgrade():
    found = upgrade(template_text())
    assert (found.changes, found.advice, found.after) == ((), (), template_text())


def test_a_model_of_an_earlier_template_gets_advice_and_is_not_changed():
    slope = ', "0 + directiveness_within | therapist_id"]'
    old = template_text().replace(slope, "]")
    found = upgrade(old)
    assert (found.changes, found.after) == ((), old)
    assert len(found.advice) == 2
    assert "interval is too narrow" in found.advice[0]


def test_what_is_not_written_line_by_line_is_left_to_the_analyst():
    inline = OLD[: OLD.index("[scales.satisfaction]")] + "[scales]\n"
    inline += 'srs = { minimum = 0, maximum = 40, rater = "client", construct = "satisfaction" }\n'
    with pytest.raises(StudyError, match=r"construct is called .*measures now"):
        upgrade(inline)


def test_a_file_with_both_names_is_not_guessed_at():
    with pytest.raises(StudyError, match="both are there"):
        upgrade(OLD + 'measures = "alliance"\n')


def test_a_file_that_is_wrong_otherwise_is_not_written(study):
    study.settings_path.write_text(OLD + 'colour = "blue"\n')
    said = run(study.root)
    assert said.exit_code == 2
    assert "colour" in said.stderr
    assert "construct" in study.settings_path.read_text()


@pytest.mark.parametrize("text", ["[study\n", ""])
def test_no_toml_and_no_study_are_said(study, text):
    study.settings_path.write_text(text)
    assert run(study.root).exit_code == 2


def test_windows_line_ends_stay(study):
    study.settings_path.write_bytes(OLD.replace("\n", "\r\n").encode())
    assert run(study.root).exit_code == 0
    assert study.settings_path.read_bytes() == NEW.replace("\n", "\r\n").encode()


def test_keys_that_do_nothing_any_more_are_taken_out():
    kept = '[study]\nname = "s"\n[disclosure]\nk = 5  # as agreed\n'
    found = upgrade(kept + "p_ratio = 0.1   # ... of the largest one\n")
    assert found.after == kept
    assert found.changes == (
        "line 5: disclosure.p_ratio does nothing any more (no raw mean or sum is told that it would guard); "
        "it is taken out",
    )
