"""A researcher's ten questions, answered from `outcomes.duckdb` alone."""

import pytest

from outcomes import audit, landing, models, release
from outcomes.answers.run import ANSWER_TABLES, answer
from outcomes.release.codebook.tables import TABLES
from outcomes.simulate import simulate_study
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study

from .questions import PAGE, ask_all, read_questions


@pytest.fixture(scope="module")
def database(tmp_path_factory, ask_only):
    """The database of a simulated study, with what checks and models add; the answers are left out."""
    study = create_study(tmp_path_factory.mktemp("researcher") / "study")
    ask_only(study.root)
    study = StudyFolder.open(study.root)
    simulate_study(study.root, clients=400, therapists=20, seed=7)
    landing.land_inbox(study)
    folder = release.build(study, release.candidate_id(study))
    audit.audit(folder, study).raise_if_fatal()
    models.fit_models(folder, study)
    answer(folder, study)
    with connect(folder / "outcomes.duckdb") as con:
        release.describe(con, settings=study.settings)
    return folder / "outcomes.duckdb"


@pytest.fixture(scope="module")
def answers(database):
    return ask_all(database)


def test_the_page_asks_ten_questions():
    questions = read_questions()
    assert [question.number for question in questions] == list(range(1, 11))
    assert PAGE.read_text().count("```sql") == 10


def test_every_question_is_answered(answers):
    assert {number for number, rows in answers.items() if not rows} == set()


def test_the_answers_agree_with_one_another(answers):
    flow = {row["step_number"]: row for row in answers[3]}
    assert sum(row["n_sessions"] for row in answers[6]) <= flow[8]["n_sessions"]
    assert answers[5][0]["n"] == flow[7]["n_sessions"]
    assert answers[9][0]["n_at_risk"] <= flow[9]["n_episodes"]
    assert all(row["if_none_of_them"] <= row["dropout_prop"] <= row["if_all_of_them"] for row in answers[8])
    assert all(row["estimate"] is not None for row in answers[10] if row["status"] == "converged")


def test_the_answers_show_what_was_simulated(answers):
    lowest, *_, highest = answers[6]
    assert lowest["satisfaction_mean"] < highest["satisfaction_mean"]
    fits = {row["fit"]: row["satisfaction_mean"] for row in answers[7]}
    assert fits["about as preferred"] > fits["less than preferred"]
    assert all(row["sd"] > 0 for row in answers[5])


def test_a_release_of_the_whole_pipeline_is_described_to_its_types(database):
    with connect(database, read_only=True) as con:
        found = con.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal"
        ).fetchall()
        assert con.execute("select count(*) from codebook where column_name is not null").fetchone() == (len(found),)
    tables = TABLES | ANSWER_TABLES
    described = [(name, column, text.type) for name, table in tables.items() for column, text in table.columns.items()]
    assert sorted(found) == sorted(described)
