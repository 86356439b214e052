import pickle
import subprocess
import sys

import pytest

from outcomes.contract import Kind
from outcomes.errors import StudyBusy, StudyError
from outcomes.study import StudyFolder, create_study, writer_lock


@pytest.fixture
def study(tmp_path) -> StudyFolder:
    return create_study(tmp_path / "study")


def edited(study: StudyFolder, old: str, new: str) -> StudyFolder:
    text = study.settings_path.read_text()
    assert old in text
    study.settings_path.write_text(text.replace(old, new, 1))
    return StudyFolder(study.root)


def test_a_new_study_can_be_read_and_says_what_its_models_are(study):
    models = {spec.name: spec for spec in study.settings.models}
    assert set(models) == {"satisfaction", "satisfaction_curve", "dropout"}
    assert models["dropout"].formula.startswith("is_dropout ~ directiveness_change + ")
    assert models["dropout"].formula.endswith("(1 | therapist_id)")
    assert study.inbox.is_dir()


def test_an_existing_study_is_not_overwritten(study):
    study.settings_path.write_text(study.settings_path.read_text() + "# mine\n")
    with pytest.raises(StudyError, match="is a study already"):
        create_study(study.root)
    assert study.settings_path.read_text().endswith("# mine\n")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("minimum = 0\nmaximum = 10", "minimum = 10\nmaximum = 10", "minimum must be smaller"),
        ('rater = "client"', 'rater = "friend"', "scales.directiveness.rater"),
        ("max_bad_share = 0.05", "max_bad_share = 5", "landing.max_bad_share"),
        ('pattern = "*sessions*"', 'pattern = "*sessions*"\nfolder = "x"', "line 14, .*folder: there is no such"),
        ('definition = "unilateral"', 'definition = "gone"', "dropout.definition"),
        ('name = "dropout"', 'name = "satisfaction"', "two models have the same name"),
        ("[scales.reactance]\nminimum = 0", "[scales.reactance]\nminimum = zero", "not valid TOML"),
        ('[sources.episodes.codes.ending]', '[sources.episodes.codes.finish]', "no column of episodes"),
        ("[sources.sessions.columns]", "[sources.sessions.constants]\nx='1'\n[sources.sessions.columns]", "names 'x'"),
        ("[scales.directiveness_preferred]\nminimum = 0", "[scales.directiveness_preferred]\nminimum = 1", "metric"),
    ],
)  # fmt: skip
def test_a_study_file_that_cannot_hold_is_refused_with_the_place(study, old, new, says):
    with pytest.raises(StudyError, match=says):
        edited(study, old, new).settings  # noqa: B018


def test_a_missing_folder_or_study_file_is_said_with_a_remedy(tmp_path):
    with pytest.raises(StudyError, match="outcomes init"):
        StudyFolder.open(tmp_path / "nowhere")
    with pytest.raises(StudyError, match="outcomes init"):
        StudyFolder.open(tmp_path)


def test_a_path_that_the_database_would_misread_is_refused(study, tmp_path):
    moved = study.root.rename(tmp_path / "what?")
    with pytest.raises(StudyError, match="question mark"):
        StudyFolder.open(moved)


def test_scales_beyond_the_contract_are_known_as_extra(study):
    added = edited(
        study, "# ---- cohort", '[scales.rapport]\nminimum = 1\nmaximum = 5\nrater = "observer"\n# ---- cohort'
    )
    assert added.settings.extra_scales == ("rapport",)


def declaring(study: StudyFolder, scale: str, more: str = "") -> StudyFolder:
    declared = f'[scales.{scale}]\nminimum = 1\nmaximum = 7\nrater = "client"\n{more}\n# ---- cohort'
    return edited(study, "# ---- cohort", declared)


@pytest.mark.parametrize(
    ("scale", "more", "says"),
    [
        ("session_number", "", "'session_number' is a column already that is no scale"),
        ("gender", "", "'gender' is a column already"),
        ("is_attended", "", "'is_attended' is a column already"),
        ("satisfaction_score", "", "'satisfaction_score' is a column already"),
        ("hope", 'role = "trait"', "an own scale is a rating of sessions; choose one of: exposure, outcome, mediator"),
        ("hope", 'role = "key"', "an own scale is a rating of sessions"),
        ("hope", 'role = "wish"', "scales.hope.role"),
        ("Hope", "", "scales.Hope"),
        ("hope; drop", "", "TOML"),
    ],
)
def test_an_own_scale_that_clashes_or_cannot_be_a_rating_of_sessions_is_refused_in_words(study, scale, more, says):
    with pytest.raises(StudyError, match=says):
        declaring(study, scale, more).settings  # noqa: B018


def test_a_scale_of_the_contract_keeps_its_role(study):
    marked = edited(study, "[scales.alliance]", '[scales.alliance]\nrole = "mediator"')
    assert marked.settings.scales["alliance"].role == "mediator"
    with pytest.raises(StudyError, match="has the role outcome, but alliance is mediator here; leave role out"):
        edited(marked, 'role = "mediator"', 'role = "outcome"').settings  # noqa: B018


def test_only_own_scales_that_are_declared_outcomes_are_analysed_as_further_ones(study):
    def further(more: str) -> list[str]:
        fresh = create_study(study.root.parent / more.replace('"', "").replace("\n", "") / "s")
        return [column.name for column in declaring(fresh, "hope", more).settings.further_outcomes]

    assert further('role = "outcome"') == ["empowerment", "hope"]
    assert further('role = "mediator"') == ["empowerment"]
    assert further('role = "outcome"\nmeasures = "satisfaction"') == ["empowerment"]  # the multiverse takes it


@pytest.mark.parametrize(
    ("more", "is_withheld"),
    [
        ("", True),  # nobody said that it is no outcome
        ('role = "outcome"', True),
        ('role = "mediator"', True),
        ('role = "moderator"', False),
        ('measures = "satisfaction"', True),
        ('measures = "directiveness"', False),
    ],
)
def test_an_own_scale_is_withheld_unless_it_is_said_to_be_no_outcome(study, more, is_withheld):
    declared = declaring(study, "hope", more)
    assert ("hope" in declared.settings.withheld(Kind.SESSIONS)) is is_withheld
    assert [column.name for column in declared.settings.further_outcomes][1:] == (
        ["hope"] if more == 'role = "outcome"' else []
    )


HOLD = """
import sys, time
from outcomes.study import StudyFolder, writer_lock
with writer_lock(StudyFolder.open(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_writer_at_a_time_and_a_dead_holders_lock_is_free(study):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(study.root)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StudyBusy, match=f"process {holder.pid} on"), writer_lock(study):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with writer_lock(study, wait_seconds=5):
        assert (study.root / ".lock").exists()


def test_settings_travel_between_processes(tmp_path):
    settings = create_study(tmp_path / "study").settings
    assert pickle.loads(pickle.dumps(settings)) == settings
