"""The build: a pure function, written aside, kept once it is there."""

import duckdb
import pytest
from release_inputs import episodes, land, sessions

from outcomes.contract import Kind
from outcomes.errors import StorageError, UsageError
from outcomes.release import build, building, candidate_folder, candidate_id
from outcomes.release.batches import landed_batches
from outcomes.release.building import make_tables
from outcomes.release.relations import offer_batches, offer_settings
from outcomes.store.files import file_sha256, read_json, write_json
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder, create_study


def contents(con: duckdb.DuckDBPyConnection) -> dict[str, tuple]:
    """Count and hash of every table's rows, whatever their order; doubles count to the last bit."""
    names = con.execute("select table_name from duckdb_tables() where not temporary").fetchall()
    return {
        name: con.execute(
            f"select count(*), sum(hash(rows::varchar)::hugeint), bit_xor(hash(rows::varchar)) from {name} as rows"
        ).fetchone()
        for (name,) in names
    }


def contents_of(database) -> dict[str, tuple]:
    with connect(database, read_only=True) as con:
        return contents(con)


@pytest.fixture(scope="module")
def larger_study(tmp_path_factory):
    made = create_study(tmp_path_factory.mktemp("larger") / "study")
    rows = sessions(1500)
    land(made, Kind.SESSIONS, rows)
    land(made, Kind.SESSIONS, [{**row, "satisfaction": 0.1} for row in rows[::9]])
    land(made, Kind.EPISODES, episodes(1500))
    return made


def test_tables_are_equal_to_the_last_bit_whatever_the_threads(larger_study):
    found = []
    for threads in (1, 2, 4, 4):
        with connect() as con:
            con.execute(f"set threads = {threads}; set preserve_insertion_order = {threads == 1}")
            offer_settings(con, larger_study.settings)
            offer_batches(con, landed_batches(larger_study.landed))
            make_tables(con)
            found.append(contents(con))
    assert len(found[0]) == 14
    assert found[0]["mart_session_directiveness"][0] > 5000
    assert found[1:] == found[:1] * 3


def test_two_builds_of_the_same_inputs_are_equal(study, tmp_path):
    first = contents_of(build(study, "first") / "outcomes.duckdb")
    second = contents_of(build(study, "second") / "outcomes.duckdb")
    differing = {name for name in first if first[name] != second[name]}
    assert differing == {"release"}  # it holds the id that was asked for


def test_a_built_candidate_is_kept(study):
    folder = build(study, candidate_id(study))
    made = (folder / "outcomes.duckdb").stat()
    assert build(study, candidate_id(study)) == folder
    assert (folder / "outcomes.duckdb").stat().st_ino == made.st_ino
    assert (folder / "outcomes.duckdb").stat().st_mtime_ns == made.st_mtime_ns


def test_a_build_that_dies_leaves_no_database_and_the_next_one_cleans_up(study, monkeypatch):
    folder = candidate_folder(study, candidate_id(study))
    folder.mkdir(parents=True)
    for name in (".aside-killed", ".aside-killed.wal"):
        (folder / name).write_text("half")
    (folder / ".aside-killed-spill").mkdir()
    candidate_folder(study, "ofearlierinput").mkdir()

    def die(con):
        con.execute("create table half as select 1 as x")
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "make_tables", die)
    with pytest.raises(KeyboardInterrupt):
        build(study, candidate_id(study))
    assert not (folder / "outcomes.duckdb").exists()
    monkeypatch.undo()
    build(study, candidate_id(study))
    assert sorted(path.name for path in folder.iterdir()) == ["outcomes.duckdb", "timings.json"]
    assert [path.name for path in study.releases.iterdir()] == [folder.name]


def test_a_damaged_batch_stops_the_build_and_is_named(study):
    batch = next(study.landed.glob("0001-*/batch.parquet"))
    content = bytearray(batch.read_bytes())
    content[100] ^= 1
    batch.write_bytes(content)
    with pytest.raises(StorageError, match=r"1 landed batch.*0001-0"):
        build(study, candidate_id(study))


@pytest.mark.parametrize("content", ["", "[]", '{"kind": "weather"}'])
def test_a_manifest_that_cannot_be_read_is_named(study, content):
    next(study.landed.glob("0002-*/manifest.json")).write_text(content)
    with pytest.raises(StorageError, match="manifest of the landed batch 0002-"):
        candidate_id(study)


def test_nothing_landed_is_said_in_words(tmp_path):
    study = create_study(tmp_path / "study")
    with pytest.raises(UsageError, match="No sessions are landed"):
        build(study, candidate_id(study))


def test_a_study_folder_may_have_any_name(tmp_path):
    study = create_study(tmp_path / "it's [1] *study {x} % ü")
    land(study, Kind.SESSIONS, sessions(3))
    with connect(build(study, candidate_id(study)) / "outcomes.duckdb", read_only=True) as con:
        assert con.execute("select count(distinct client_id) from mart_clients").fetchone() == (3,)


def test_sessions_alone_build_every_table(tmp_path):
    study = create_study(tmp_path / "study")
    land(study, Kind.SESSIONS, sessions(5))
    with connect(build(study, candidate_id(study)) / "outcomes.duckdb", read_only=True) as con:
        assert con.execute("select distinct ending_state from core_episodes").fetchall() == [("undetermined",)]
        assert con.execute("select data_cut, n_batches from release").fetchall() == [(None, 1)]


def test_the_account_of_rows_and_the_flow_agree_with_the_manifests(study):
    with connect(build(study, candidate_id(study)) / "outcomes.duckdb", read_only=True) as con:
        gaps = con.execute("select n_read - n_quarantined - n_superseded - n_current from core_batches").fetchall()
        assert gaps == [(0,), (0,)]
        n_rows = con.execute("select kind, rule, reason, n_rows from core_quarantine").fetchall()
        assert n_rows[0][:2] == ("sessions", "out_of_range")
        assert "outside the range" in n_rows[0][2]
        read, landed = con.execute("select n_sessions from mart_participant_flow order by step_number").fetchall()[:2]
        assert read[0] - landed[0] == 2


def test_settings_reach_the_tables(study):
    text = study.settings_path.read_text(encoding="utf-8")
    study.settings_path.write_text(
        text.replace('definition = "unilateral"', 'definition = "count_3"').replace(
            "min_attended_sessions = 1", 'min_attended_sessions = 4\nfirst_session = "1990-01-01"'
        ),
        encoding="utf-8",
    )
    changed = StudyFolder.open(study.root)
    with connect(build(changed, candidate_id(changed)) / "outcomes.duckdb", read_only=True) as con:
        states = con.execute(
            "select count(*) from core_episodes inner join core_dropout_labels using (episode_id) "
            "where definition = 'count_3' and state <> ending_state"
        ).fetchone()
        assert states == (0,)
        assert con.execute("select count(*) from mart_clients").fetchone() == (0,)  # the sessions carry no dates


def test_the_build_spills_beside_its_database_and_removes_it(study, monkeypatch):
    seen = []
    original = building.make_tables

    def look(con):
        seen.extend(con.execute("select value from duckdb_settings() where name = 'temp_directory'").fetchone())
        seen.extend(con.execute("select value from duckdb_settings() where name = 'memory_limit'").fetchone())
        original(con)

    monkeypatch.setattr(building, "make_tables", look)
    folder = build(study, candidate_id(study))
    assert seen[0].startswith(str(folder))
    assert seen[1] == "1.3 GiB"
    assert not list(folder.glob(".aside-*"))


def test_batches_of_before_the_contract_had_a_column_are_read_as_they_were_meant(study):
    """Also where a column was a scale of the study's own until then: its ratings are in the map."""
    (batch,) = study.landed.glob("0001-*")
    parquet, manifest = batch / "batch.parquet", batch / "manifest.json"
    with duckdb.connect() as con:
        con.execute(
            f"create table older as select * exclude (empowerment, felt_overwhelmed) replace "
            f"(map {{'empowerment': 4.5}} as other_scores) from '{parquet}'"
        )
        con.execute(f"copy older to '{parquet}'")
    write_json(manifest, read_json(manifest) | {"parquet_sha256": file_sha256(parquet)})
    ratings = "select count(*), count(empowerment_score), count(felt_overwhelmed_score) from core_sessions"
    n = len(sessions(40))
    assert rows(build(study, candidate_id(study)), ratings) == [(n, n, 0)]
    land(study, Kind.SESSIONS, [{**sessions(1)[0], "episode_id": "new", "felt_overwhelmed": 2.0, "empowerment": 3.0}])
    folder = build(study, candidate_id(study))
    assert rows(folder, ratings) == [(n + 1, n + 1, 1)]
    assert rows(folder, "select empowerment_score from core_sessions where episode_id = 'new'") == [(3.0,)]


def rows(folder, sql: str) -> list[tuple]:
    with duckdb.connect(str(folder / "outcomes.duckdb"), read_only=True) as con:
        return con.execute(sql).fetchall()
