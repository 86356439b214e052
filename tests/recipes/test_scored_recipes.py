"""The recipes for items of questionnaires and for coded sessions, followed to the letter."""

from pathlib import Path

import duckdb
import pytest
from raw_files import blocks
from scored_files import PHQ, SRS, UTTERANCES, WRONG_TOTALS, coded, item_columns, item_rows
from test_recipes import PAGES, SHORT

from outcomes.landing import land_inbox
from outcomes.operate import read_status
from outcomes.simulate import CohortParameters, simulate_cohort
from outcomes.store.files import read_json
from outcomes.study import StudyFolder

_AS_ROWS = """pattern = "answers*.csv"
format = "items"
items = { instrument = "form", item = "item", answer = "answer" }
"""


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(CohortParameters(clients=60, therapists=6), seed=11)


def made(name: str, write, root: Path, cohort, **changed: str) -> StudyFolder:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    (study,) = [block for block in blocks(page, "toml") if block.startswith("# study.toml")]
    for old, new in changed.values():
        assert old in study
        study = study.replace(old, new)
    (root / "inbox").mkdir(parents=True)
    (root / "study.toml").write_text(study + SHORT, encoding="utf-8")
    write(cohort, root)
    return StudyFolder.open(root)


def asked(study: StudyFolder, query: str) -> list[tuple]:
    with duckdb.connect(str(study.database), read_only=True) as con:
        return con.execute(query).fetchall()


def test_item_columns_lead_to_scores_a_finding_and_reliable_change(tmp_path, cohort, start_command):
    study = made("item-responses", item_columns, tmp_path / "study", cohort)
    refreshed = start_command("refresh", study.root)
    assert refreshed.wait() == 0, refreshed.said
    status = read_status(study)
    assert status.release_id
    assert (status.rows_quarantined, status.refused) == (0, {})
    ((n_rows, n_distress, n_alliance),) = asked(
        study, "select count(*), count(distress_score), count(alliance_score) from core_sessions"
    )
    assert n_rows == n_distress == n_alliance > 300
    ((n_told,),) = asked(study, "select count(*) from core_measures where scale = 'distress' and n_answered = 9")
    assert n_told == n_rows
    ((n_violated, state),) = asked(
        study, "select n_violated, status from dq_results where check_id = 'core_measures.stored_total.agrees'"
    )
    assert (n_violated, state) == (WRONG_TOTALS, "failed")
    classes = dict(
        asked(study, "select change_class, count(*) from mart_reliable_change where scale = 'distress' group by all")
    )
    assert classes["recovered"] > 5
    ((n_judged,),) = asked(study, "select count(change_class) from mart_reliable_change where scale = 'alliance'")
    assert n_judged == 0  # nothing is known of the SRS's error


def test_item_rows_lead_to_the_same_scores_as_item_columns(tmp_path, cohort):
    columns = made("item-responses", item_columns, tmp_path / "columns", cohort)
    rows = made(
        "item-responses", item_rows, tmp_path / "rows", cohort,
        layout=('pattern = "answers*.csv"\n', _AS_ROWS),
    )  # fmt: skip
    found = []
    for study in (columns, rows):
        (landed,) = land_inbox(study).landed
        assert landed.rows_quarantined == 0
        with duckdb.connect() as con:
            found.append(con.execute(
                "select client_id, session_number, other_scores['distress'], round(alliance, 6) "
                f"from read_parquet('{study.landed}/*/batch.parquet') order by all"
            ).fetchall())  # fmt: skip
    assert found[0] == found[1]
    (manifest,) = [read_json(path) for path in rows.landed.glob("*/manifest.json")]
    assert manifest["rows_in_export"] == (PHQ + SRS) * len(found[0])
    assert manifest["rows_left_out"]["joined"] == manifest["rows_in_export"] - len(found[0])


def test_coded_sessions_lead_to_directiveness_and_the_coders_reliability(tmp_path, cohort, start_command):
    study = made("coded-sessions", coded, tmp_path / "study", cohort)
    refreshed = start_command("refresh", study.root)
    assert refreshed.wait() == 0, refreshed.said
    assert read_status(study).rows_quarantined == 0
    ((n_rows, n_rated, low, high),) = asked(
        study,
        "select count(*), count(directiveness_score), min(directiveness_score), max(directiveness_score) "
        "from core_sessions",
    )
    assert n_rows == n_rated
    assert 0 <= low < high <= 1
    ((n_coders, n_twice, kappa, alpha, reliability),) = asked(
        study, "select n_coders, n_utterances_twice, cohens_kappa, krippendorffs_alpha, reliability from core_agreement"
    )
    assert (n_coders, n_twice) == (2, UTTERANCES * n_rows)
    assert kappa == pytest.approx(alpha, abs=0.01)
    assert 0.5 < kappa < 0.75  # each coder is right in nine of ten
    assert 0.7 < reliability < 1
    assert "reliability of a session's rating" in refreshed.said.replace("\n", " ")
    ((n_left,),) = [(sum(read_json(path)["rows_left_out"].values()),) for path in study.landed.glob("*/manifest.json")]
    assert n_left == 2 * UTTERANCES * n_rows - n_rows


@pytest.mark.parametrize(
    ("name", "write"), [("item-responses", item_columns), ("item-responses", item_rows), ("coded-sessions", coded)]
)
def test_the_raw_lines_that_a_recipe_shows_are_those_of_its_file(name, write, tmp_path, cohort):
    study = made(name, write, tmp_path / "study", cohort)
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    (path,) = study.inbox.iterdir()
    lines = path.read_text(encoding="utf-8").splitlines()
    shown = [block.splitlines() for block in blocks(page, "csv")]
    own = [block for block in shown if block[0] == lines[0]]
    assert own
    assert all(line in lines for block in own for line in block)
