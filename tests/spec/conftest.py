"""A warehouse for specs: ASCII tables in, rows out."""

import duckdb
import pytest

from outcomes.contract import Kind
from outcomes.release.building import SQL_ORDER, make_tables
from outcomes.release.relations import offer_batches, offer_settings
from outcomes.release.scores import offer_scores
from outcomes.store.warehouse import connect, run_sql_file
from outcomes.study.settings import StudySettings

_STUDY = {
    "study": {"name": "spec"},
    "sources": {kind: {"pattern": f"*{kind}*"} for kind in Kind},
    "scales": {
        name: {"minimum": 0, "maximum": 10, "rater": "client"}
        for name in ("directiveness", "satisfaction", "alliance", "directiveness_preferred")
    },
}
# What landing fills in where a source has no such column.
_LANDED = {"practice_id": "practice", "attended": "T", "batch_id": "b1", "sequence": "1"}


class Warehouse:
    """Tables given as text, SQL files run on them, rows selected from what they make."""

    def __init__(self, con: duckdb.DuckDBPyConnection, schema: dict[str, dict[str, str]]) -> None:
        self._con = con
        self._schema = schema
        self._given: set[str] = set()
        self._columns: tuple[str, ...] = ()
        self._table = ""
        _offer_nothing(con)

    def study(self, **settings: object) -> "Warehouse":
        """Change columns of `study_settings`."""
        for name, value in settings.items():
            self._con.execute(f"update study_settings set {name} = ?", [value])
        return self

    def given(self, table: str, text: str) -> "Warehouse":
        """Replace a table by the rows of an ASCII table; columns that it does not name are empty."""
        header, *lines = [line for line in text.strip().splitlines() if line.strip()]
        names = [cell.strip() for cell in header.split("|")]
        types = self._schema[table]
        assert set(names) <= set(types), f"{table} has no column {set(names) - set(types)}"
        for kind in ("view", "table"):
            if self._con.execute(f"select 1 from duckdb_{kind}s() where {kind}_name = ?", [table]).fetchall():
                self._con.execute(f"drop {kind} {table}")
        typed = ", ".join(f'"{name}" {sql_type}' for name, sql_type in types.items())
        self._con.execute(f"create temp table {table} ({typed})")
        for line in lines:
            row = dict(zip(names, (cell.strip() or None for cell in line.split("|")), strict=True))
            if table.startswith("raw_") and table != "raw_batches":
                landed = {**_LANDED, "episode_id": row.get("client_id")}
                row = {**{name: value for name, value in landed.items() if name in types}, **row}
            self._con.execute(
                f"insert into {table} by name select {', '.join(f'?::{types[name]} as {name}' for name in row)}",
                list(row.values()),
            )
        self._given.add(table)
        return self

    def build(self, table: str) -> "Warehouse":
        """Run the SQL files up to a table's, those of given tables aside; `raw_batches` follows from the rows given."""
        if "raw_batches" not in self._given:
            self._con.execute("delete from raw_batches")
            for kind in Kind:
                self._con.execute(
                    f"insert into raw_batches select batch_id, '{kind}', sequence, count(*), 0, '' "
                    f"from raw_{kind} group by all"
                )
        offer_scores(self._con)
        for name in SQL_ORDER:
            if name.split("/")[1] not in self._given:
                run_sql_file(self._con, f"{name}.sql")
            if name.split("/")[1] == table:
                break
        else:
            raise AssertionError(f"no SQL file makes {table}")
        return self.table(table)

    def table(self, table: str) -> "Warehouse":
        """Turn to another table that the last build made."""
        self._table, self._columns = table, ()
        return self

    def select(self, *columns: str) -> "Warehouse":
        """Choose columns."""
        self._columns = columns
        return self

    def rows(self) -> list[tuple]:
        """Return the rows in the order of the chosen columns."""
        return self._con.execute(
            f"select {', '.join(self._columns) or '*'} from {self._table} order by all nulls last"
        ).fetchall()


def _offer_nothing(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("set threads = 1")
    offer_settings(con, StudySettings.model_validate(_STUDY))
    offer_batches(con, ())


@pytest.fixture(scope="session")
def schema():
    """Columns and types of every table and view, from a build of nothing."""
    with connect() as con:
        _offer_nothing(con)
        make_tables(con)
        found = con.execute("select table_name, column_name, data_type from duckdb_columns() where not internal")
        types: dict[str, dict[str, str]] = {}
        for table, column, sql_type in found.fetchall():
            types.setdefault(table, {})[column] = sql_type
        return types


@pytest.fixture
def warehouse(schema):
    with connect() as con:
        yield Warehouse(con, schema)
