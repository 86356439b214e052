"""SQL files keep the house style: one table per file, said first, plain, lower case."""

import re

import pytest

from outcomes.release.building import SQL_ORDER
from outcomes.store.warehouse import sql_files

FILES = {
    f"{layer}/{item.name}": item.read_text(encoding="utf-8")
    for layer in ("raw", "staging", "core", "marts", "answers")
    for item in sql_files(layer)
}
PREFIXES = {"raw": "raw_", "staging": "stg_", "core": "core_", "marts": "mart_", "answers": "answer_"}
BUILT = [name for name in FILES if not name.startswith("answers/")]
ANSWERED = [name for name in FILES if name.startswith("answers/")]


def without_comments_and_texts(sql: str) -> str:
    return re.sub(r"'[^']*'", "''", re.sub(r"--.*", "", sql))


def relations(sql: str) -> set[str]:
    """The relations that a file reads, its own CTEs aside."""
    bare = without_comments_and_texts(sql)
    ctes = set(re.findall(r"(\w+) as \(\n", bare))
    return set(re.findall(r"\b(?:from|join) (\w+)", bare)) - ctes


def test_the_build_runs_every_file_once():
    assert sorted(f"{name}.sql" for name in SQL_ORDER) == sorted(BUILT)


@pytest.mark.parametrize("name", FILES)
def test_a_file_makes_the_one_table_of_its_name_and_ends_in_final(name):
    layer, table = name.removesuffix(".sql").split("/")
    made = re.findall(r"create or replace (?:temp )?(?:table|view) (\w+) as\nwith\n", FILES[name])
    assert made == [table]
    assert table.startswith(PREFIXES[layer])
    assert FILES[name].endswith("\n)\nselect * from final\n")


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_its_grain_and_exactly_the_sources_that_it_reads(name):
    comment = " ".join(re.match(r"(--.*\n)+", FILES[name])[0].replace("--", " ").split())
    said = re.match(r"Grain: [^.]+?\. Sources: ([\w, ]+)\.", comment)
    assert said, comment
    assert set(said[1].split(", ")) == relations(FILES[name])


@pytest.mark.parametrize("name", ANSWERED)
def test_a_file_of_an_answer_reads_only_what_a_release_keeps_or_another_answer_made(name):
    kept = {made.split("/")[1].removesuffix(".sql") for made in BUILT if "create or replace table " in FILES[made]}
    others = {made.split("/")[1].removesuffix(".sql") for made in ANSWERED} - {name.split("/")[1].removesuffix(".sql")}
    assert relations(FILES[name]) <= kept | others


@pytest.mark.parametrize("name", ANSWERED)
def test_a_file_of_an_answer_says_which_parameters_it_takes(name):
    comment = re.match(r"(--.*\n)+", FILES[name])[0]
    taken = set(re.findall(r"\$\w+", without_comments_and_texts(FILES[name])))
    named = set(re.findall(r"\$\w+", comment))
    # A family of parameters is named by its last part: $<>_start stands for $y_start and $d_start.
    families = re.findall(r"\$<>(_\w+)", comment)
    assert {one for one in taken if not any(one.endswith(family) for family in families)} == named


@pytest.mark.parametrize("name", BUILT)
def test_a_file_reads_only_what_the_build_made_before_it(name):
    before = {made.split("/")[1] for made in SQL_ORDER[: SQL_ORDER.index(name.removesuffix(".sql"))]}
    offered = {
        "raw_sessions",
        "raw_episodes",
        "raw_clients",
        "scored_sessions",
        "scored_episodes",
        "scored_clients",
        "raw_batches",
        "raw_quarantine",
        "raw_agreement",
        "study_settings",
        "study_scales",
        "study_instruments",
    }
    assert relations(FILES[name]) <= before | offered


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_plain_lower_case_sql(name):
    bare = without_comments_and_texts(FILES[name])
    assert bare == bare.lower()
    assert "{{" not in bare
    assert "{%" not in bare
    assert not re.search(r"\bjoin\b", re.sub(r"\b(inner|left|full outer|cross) join\b", "", bare))
    assert max(len(line) for line in FILES[name].splitlines()) <= 120
