"""Two releases side by side: what changed, and why."""

import json

import duckdb
import pytest

import outcomes as door
from outcomes.answers.run import ANSWER_TABLES
from outcomes.errors import UsageError
from outcomes.operate.comparing import compare_releases, pair_of_releases
from outcomes.operate.comparing.causes import causes_of
from outcomes.operate.comparing.compare import ROW_NAMES
from outcomes.release.codebook.tables import TABLES
from outcomes.release.places import find_release, kept_releases

CHECK = "core_sessions.session_id.unique"


@pytest.fixture
def comparison(my_study):
    return compare_releases(*pair_of_releases(my_study))


def test_a_changed_study_file_is_the_cause_and_the_formula_what_it_defined(comparison):
    assert comparison.causes["cause"].to_list() == ["study file"]
    changed = comparison.definitions.filter(what="model: formula").to_dicts()
    assert [row["name"] for row in changed] == ["satisfaction"]
    assert "directiveness_preferred_score" in changed[0]["after"]
    assert "directiveness_preferred_score" not in changed[0]["before"]


def test_estimates_that_changed_stand_beside_each_other_with_interval_and_state(comparison, my_study):
    found = comparison.estimates.filter(table_name="model_estimates", what="satisfaction, main, directiveness_within")
    (row,) = found.to_dicts()
    with door.open(my_study.root) as study:
        kept = [
            study.release(release).estimates.filter(model="satisfaction", variant="main", term="directiveness_within")
            for release in (comparison.before, comparison.after)
        ]
    assert (row["before"], row["after"]) == tuple(frame["estimate"][0] for frame in kept)
    assert row["is_beyond"] is False
    assert {row["status_before"], row["status_after"]} <= {"converged", "singular"}
    new = comparison.estimates.filter(what="satisfaction, main, directiveness_preferred_score").to_dicts()
    assert [(row["before"], row["status_before"]) for row in new] == [(None, None)]
    assert not comparison.estimates.filter(comparison.estimates["what"].str.starts_with("satisfaction_curve")).height


def test_what_did_not_change_is_not_listed(comparison):
    assert comparison.verdicts.is_empty()
    assert set(comparison.rows["table_name"]) <= {"model_estimates", "model_covariances", "model_flow"}


def test_a_release_beside_itself_has_no_change(my_study):
    same = find_release(my_study)
    found = compare_releases(same, same)
    assert found.is_same
    assert "nothing changed" in str(found)


def test_rows_checks_and_verdicts_that_changed_are_named(my_study):
    before, after = pair_of_releases(my_study)
    with duckdb.connect(str(after.database)) as con:
        con.execute(
            "update verdicts set verdict = case verdict when 'undecided' then 'fit' else 'undecided' end "
            "where outcome = 'satisfaction' and level = 'session'"
        )
        con.execute("update dq_results set status = 'failed', n_violated = 3 where check_id = ?", [CHECK])
        assert con.execute("select count(*) from dq_results where n_violated = 3").fetchall() == [(1,)]
    found = compare_releases(before, after)
    assert found.checks.select("check_id", "before", "after", "violated_after").rows() == [
        (CHECK, "passed", "failed", 3)
    ]
    ((outcome, level, was, now),) = found.verdicts.rows()
    assert (outcome, level) == ("satisfaction", "session")
    assert was != now


def test_each_cause_is_told_from_the_others():
    batch = {"batch_id": "0001-a", "kind": "sessions", "sha256": "1"}
    one = {"inputs": [batch], "study_sha256": "s", "code_version": "c", "packages": {"duckdb": "2.0.0"}}
    more = one | {"inputs": [*one["inputs"], {"batch_id": "0002-b", "kind": "clients", "sha256": "2"}]}
    assert dict(causes_of(one, more)) == {"data": "1 file of clients landed since"}
    assert dict(causes_of(more, one)) == {"data": "1 file of clients no longer there"}
    assert dict(causes_of(one, one | {"code_version": "d"})) == {"code": "c became d"}
    assert dict(causes_of(one, one | {"packages": {"duckdb": "2.0.1"}})) == {"packages": "duckdb 2.0.0 to 2.0.1"}
    assert "withdrawal" in dict(causes_of(one, one | {"inputs": [one["inputs"][0] | {"sha256": "9"}]}))["data"]
    assert list(causes_of(one, one)) == []


def test_the_command_says_it_as_tables_and_as_json(my_study, outcomes):
    told = outcomes("diff", my_study.root)
    assert told.returncode == 0, told.stderr
    assert "study file" in told.stdout
    assert "model: formula" in told.stdout
    machine = json.loads(outcomes("diff", my_study.root, "--json").stdout)
    assert [cause["cause"] for cause in machine["causes"]] == ["study file"]
    before, after = (one.release_id for one in kept_releases(my_study))
    turned = json.loads(outcomes("diff", my_study.root, after[:6], before, "--json").stdout)
    assert (turned["before"], turned["after"]) == (after, before)


def test_an_id_that_nobody_has_is_refused_with_those_that_there_are(my_study):
    with pytest.raises(UsageError) as refused:
        pair_of_releases(my_study, "ffffffffffff")
    assert kept_releases(my_study)[0].release_id in str(refused.value)


def test_with_one_release_there_is_nothing_to_compare(my_study):
    first = kept_releases(my_study)[0].release_id
    with pytest.raises(UsageError, match="nothing to compare"):
        pair_of_releases(my_study, "", first)


def test_what_names_a_row_of_estimates_names_one_row(my_study):
    tables = TABLES | ANSWER_TABLES
    for name, key in ROW_NAMES.items():
        if name in tables:
            assert set(key) <= set(tables[name].columns), name
    with door.open(my_study.root) as study:
        for name in ROW_NAMES.keys() & set(study.tables["table_name"]):
            rows = study.table(name).pl()
            assert rows.select(ROW_NAMES[name]).n_unique() == rows.height, name
