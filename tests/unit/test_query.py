import duckdb
import pytest

from outcomes.errors import UsageError
from outcomes.operate.query import ask
from outcomes.study import create_study


@pytest.fixture
def study(tmp_path):
    made = create_study(tmp_path / "study")
    with duckdb.connect(str(made.database)) as con:
        con.execute("create table t as select i as n, '=1+' || i as formula from range(3) r(i)")
    return made


def test_an_answer_comes_as_a_table_csv_or_json(study):
    assert "| 2 | =1+2    |" in ask(study, "select * from t")
    assert ask(study, "select * from t where n = 1", "csv") == "n,formula\n1,'=1+1"
    assert ask(study, "select n from t", "json") == '[{"n":0},{"n":1},{"n":2}]'


def test_a_cut_table_says_how_many_rows_there_are(study):
    assert ask(study, "select * from t", rows=2).endswith("(3 rows; 2 shown)")


@pytest.mark.parametrize(
    "sql",
    ["drop table t", "copy t to 'out.csv'", "select * from read_csv('/etc/passwd')", "selec", "attach 'x.duckdb'",
     "set lock_configuration = false"],
)  # fmt: skip
def test_nothing_but_reading_the_release_is_possible(study, sql):
    with pytest.raises(UsageError):
        ask(study, sql)
    assert "(3 rows)" in ask(study, "select * from t")


def test_before_the_first_release_the_remedy_is_said(tmp_path):
    with pytest.raises(UsageError, match="outcomes refresh"):
        ask(create_study(tmp_path / "s"), "select 1")
