"""The seal: what it fixes, what it keeps out of the database, what it can and cannot say afterwards."""

from __future__ import annotations

import json
import struct

import duckdb
import pytest
from trust_inputs import fill_inbox

from outcomes.answers.run import AnswerStatus, answer
from outcomes.contract import Kind
from outcomes.errors import StorageError
from outcomes.landing import land_inbox
from outcomes.mixed import FitStatus
from outcomes.models import fit_models
from outcomes.release import build, candidate_id
from outcomes.release.relations import raw_columns
from outcomes.study import StudyFolder, create_study
from outcomes.study.sealing import SEALS, SealState, read_sealing, specification_sha256
from outcomes.trust.audit_trail import TRAIL, Event, append, append_once
from outcomes.trust.recording import record_state
from outcomes.trust.sealing import seal
from outcomes.trust.verify import verify


def edited(study: StudyFolder, old: str, new: str) -> StudyFolder:
    """The study after an edit of its study.toml."""
    text = study.settings_path.read_text(encoding="utf-8")
    assert old in text
    study.settings_path.write_text(text.replace(old, new), encoding="utf-8")
    return StudyFolder.open(study.root)


def built(study: StudyFolder) -> dict[str, list]:
    """Build, leave the trail's line as the flow does, and read what a researcher can."""
    release_id = candidate_id(study)
    folder = build(study, release_id)
    withheld = {"outcomes": "withheld"} if read_sealing(study).is_withheld else {}
    append_once(study, Event.BUILT, release_id=release_id, **withheld)
    questions = {
        "ratings": "select count(satisfaction_score), count(empowerment_score), count(alliance_score) "
        "from core_sessions",
        "lags": "select count(satisfaction_previous), count(satisfaction_next) from mart_session_directiveness",
        "guidance": "select count(directiveness_score) from core_sessions",
        "endings": "select count(ending), count(end_date) from core_episodes",
        "labels": "select count(*) from core_dropout_labels",
        "states": "select ending_state from core_episodes union select ending_state from mart_clients",
        "hazard": "select count(is_dropout) filter (is_last), count(satisfaction_so_far), count(alliance_so_far) "
        "from mart_person_session",
        "people": "select count(satisfaction_mean) from mart_clients",
        "therapists": "select count(satisfaction_mean), count(n_dropouts), count(dropout_prop) from mart_therapists",
        "flow": "select n_sessions from mart_participant_flow where step_number in (8, 11)",
        "seal": "select status, sentence from seal",
    }
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        return {name: con.execute(sql).fetchall() for name, sql in questions.items()}


@pytest.fixture
def fresh(tmp_path) -> StudyFolder:
    """A landed study that requires a seal; nothing was built of it."""
    made = create_study(tmp_path / "study")
    made = edited(made, "max_bad_share = 0.05", "max_bad_share = 0.5")
    made = edited(made, "required = false", "required = true")
    fill_inbox(made.inbox)
    land_inbox(made)
    record_state(made)
    return made


def test_until_the_seal_no_outcome_is_in_the_database(fresh):
    found = built(fresh)
    for name in ("ratings", "lags", "endings", "labels", "hazard", "people", "therapists"):
        assert set(found[name][0]) == {0}, name
    assert found["states"] == [("undetermined",)]
    assert found["flow"] == [(0,), (0,)]
    assert found["guidance"][0][0] > 0
    assert found["seal"] == [("withheld", "Outcomes are withheld until the specification is sealed.")]


def test_what_is_withheld_is_named_as_in_landed_files(fresh):
    for kind in Kind:
        assert fresh.settings.withheld(kind) <= set(raw_columns(kind))


def test_outcomes_and_what_lies_on_the_way_to_them_are_withheld_and_nothing_else(fresh):
    assert {kind: fresh.settings.withheld(kind) for kind in Kind} == {
        Kind.SESSIONS: {"satisfaction", "empowerment", "alliance", "autonomy_support", "felt_overwhelmed"},
        Kind.EPISODES: {"ending", "end"},
        Kind.CLIENTS: frozenset(),
    }


def test_no_rating_of_satisfaction_lies_in_the_withheld_file(fresh):
    """Not even in blocks of the file that no table points at."""
    planted = 7.062514
    path = fresh.inbox / "sessions_5.csv"
    path.write_text((fresh.inbox / "sessions_1.csv").read_text().split("\n")[0] + f"\np1,t1,cx,ex,1,5,{planted}\n")
    land_inbox(fresh)
    database = build(fresh, candidate_id(fresh)) / "outcomes.duckdb"
    assert struct.pack("<d", planted) not in database.read_bytes()
    seal(fresh)
    database = build(fresh, candidate_id(fresh)) / "outcomes.duckdb"
    with duckdb.connect(str(database), read_only=True) as con:
        assert con.execute("select count(*) from core_sessions where satisfaction_score = ?", [planted]).fetchone() == (
            1,
        )


def test_fits_and_answers_are_refused_in_words_until_the_seal(fresh):
    folder = build(fresh, candidate_id(fresh))
    states = fit_models(folder, fresh)
    assert {state.status for state in states} == {FitStatus.REFUSED}
    answers = answer(folder, fresh)
    assert {state.status for state in answers} == {AnswerStatus.REFUSED}
    assert {state.reason for state in (*states, *answers)} == {
        "Outcomes are withheld until the specification is sealed with `outcomes seal`."
    }


def test_the_seal_lets_outcomes_in_under_a_new_release_id(fresh):
    built(fresh)
    before = candidate_id(fresh)
    sealed = seal(fresh)
    assert sealed.is_new
    assert sealed.seal.is_before_outcomes
    assert candidate_id(fresh) != before
    found = built(fresh)
    assert min(found["ratings"][0][:1] + found["endings"][0]) > 0
    assert found["labels"][0][0] > 0
    assert found["seal"] == [("sealed_before_outcomes", f"Sealed on {sealed.seal.day}, before outcomes were seen.")]


def test_sealed_twice_is_sealed_once(fresh):
    first = seal(fresh)
    content = (fresh.root / SEALS).read_bytes(), (fresh.root / TRAIL).read_bytes()
    second = seal(fresh)
    assert second.seal == first.seal
    assert not second.is_new
    assert ((fresh.root / SEALS).read_bytes(), (fresh.root / TRAIL).read_bytes()) == content


def test_a_changed_specification_is_exploratory_until_it_is_changed_back(fresh):
    day = seal(fresh).seal.day
    changed = edited(fresh, 'definition = "unilateral" ', 'definition = "count_3" ')
    sealing = read_sealing(changed)
    assert sealing.state is SealState.CHANGED
    assert not sealing.is_withheld  # outcomes were seen; hiding them again would help nobody
    assert sealing.sentence == f"Exploratory: the specification was changed after it was sealed on {day}."
    back = edited(changed, 'definition = "count_3" ', 'definition = "unilateral" ')
    assert read_sealing(back).state is SealState.SEALED_BEFORE


def test_a_second_seal_after_a_change_cannot_claim_that_outcomes_were_unseen(fresh):
    seal(fresh)
    built(fresh)
    changed = edited(fresh, "min_attended_sessions = 1", "min_attended_sessions = 2")
    again = seal(changed)
    assert again.is_new
    assert not again.seal.is_before_outcomes
    assert read_sealing(changed).sentence == f"Sealed on {again.seal.day}, when outcomes were already visible."


def test_a_study_that_had_outcomes_before_it_required_a_seal_cannot_claim_it_either(study):
    required = edited(study, "required = false", "required = true")
    assert built(required)["ratings"] == [(0, 0, 0)]
    assert not seal(required).seal.is_before_outcomes


def test_a_candidate_with_outcomes_that_no_trail_knows_counts_as_seen(fresh):
    open_study = edited(fresh, "required = true", "required = false")
    build(open_study, candidate_id(open_study))
    required = edited(open_study, "required = false", "required = true")
    assert not seal(required).seal.is_before_outcomes


def test_a_study_that_requires_no_seal_has_outcomes_and_says_exploratory(study):
    assert read_sealing(study).sentence == "Exploratory: the specification was not sealed."
    assert built(study)["ratings"][0][0] > 0
    sealed = seal(study).seal
    assert not sealed.is_before_outcomes
    assert read_sealing(study).state is SealState.SEALED_AFTER


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('definition = "unilateral" ', 'definition = "count_3" '),
        ("min_attended_sessions = 1", "min_attended_sessions = 2"),
        ("maximum = 40", "maximum = 60"),
        ('"directiveness_therapist", "log_session"]', '"directiveness_therapist"]'),
        ("# [multiverse]", "[multiverse]\nraters = 'E'"),
    ],
    ids=["dropout", "cohort", "scales", "models", "multiverse"],
)
def test_every_analysis_part_of_the_study_file_is_in_the_hash(fresh, old, new):
    before = specification_sha256(fresh.settings)
    assert specification_sha256(edited(fresh, old, new).settings) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [("keep_last = 0", "keep_last = 3"), ("# ---- models", "# ---- our models"), ("[study]", "\n[study]")],
    ids=["retention", "comment", "layout"],
)
def test_other_parts_comments_and_layout_do_not_touch_the_seal(fresh, old, new):
    before = specification_sha256(fresh.settings)
    assert specification_sha256(edited(fresh, old, new).settings) == before


def test_verification_covers_the_seals(fresh):
    seal(fresh)
    assert not verify(fresh).altered
    path = fresh.root / SEALS
    line = json.loads(path.read_text())
    path.write_text(json.dumps(line | {"sealed_at": "2001-01-01T00:00:00+00:00"}) + "\n")
    assert [found.file for found in verify(fresh).altered] == [SEALS]
    path.write_text('{"spec": "x"}\n')
    assert [found.file for found in verify(fresh).altered] == [SEALS]
    path.unlink()
    assert [found.file for found in verify(fresh).altered] == [SEALS]


def test_a_made_up_seal_is_refused_by_the_next_one(fresh):
    made_up = {"spec_sha256": "0" * 64, "sealed_at": "2001-01-01T00:00:00+00:00", "is_before_outcomes": True}
    (fresh.root / SEALS).write_text(json.dumps(made_up) + "\n")
    with pytest.raises(StorageError, match="does not know"):
        seal(fresh)


def test_a_seal_that_was_killed_between_trail_and_file_is_finished_by_the_next(fresh):
    sealed = seal(fresh).seal
    (fresh.root / SEALS).unlink()  # as if the kill had come before it was written
    assert read_sealing(fresh).is_withheld
    assert seal(fresh).seal == sealed
    assert read_sealing(fresh).state is SealState.SEALED_BEFORE


def test_nothing_is_sealed_on_top_of_an_altered_trail(fresh):
    append(fresh, Event.REFUSED, sha256="x", refused_at="y")
    path = fresh.root / TRAIL
    path.write_text(path.read_text().replace('"refused_at":"y"', '"refused_at":"z"'))
    with pytest.raises(StorageError, match="altered"):
        seal(fresh)
