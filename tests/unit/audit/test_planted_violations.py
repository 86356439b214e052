"""Every check in `expectations/` finds what is planted for it and counts it exactly, as Great Expectations does."""

import pytest
from planted import PLANTS, all_plants

from outcomes.audit import Status, compiled, gx_duckdb
from outcomes.audit.runner import DATABASE, check_tables
from outcomes.audit.suites import read_suites
from outcomes.store.warehouse import connect

PLANTED = list(all_plants())


@pytest.mark.parametrize(
    ("check", "plant"), PLANTED, ids=[f"{check.id}-{number}" for number, (check, _) in enumerate(PLANTED)]
)
def test_a_check_finds_its_planted_violation_and_counts_it(check, plant, release, study):
    assert plant is not None, f"no violation is planted for {check.id}: a check that cannot fail is worse than none"
    with connect(release / DATABASE) as con:
        con.execute(plant.sql)
        expected = con.execute(plant.expected).fetchall()[0][0] if isinstance(plant.expected, str) else plant.expected
        assert expected > 0
        (result,) = check_tables(con, study.settings, {check.table: (check,)})
        expectation = check.expectation(study.settings)
        of_the_library = gx_duckdb.evaluate(con, check.table, [expectation])
        assert compiled.is_compiled(expectation)
        assert compiled.evaluate(con, check.table, [expectation]) == of_the_library
    assert (result.status, result.n_violated) == (Status.FAILED, expected), result.sentence


@pytest.mark.parametrize("is_empty", [False, True], ids=["clean", "empty"])
def test_all_checks_of_clean_and_of_empty_tables_are_those_of_the_library(release, study, is_empty):
    with connect(release / DATABASE) as con:
        for table, checks in read_suites(study.settings).items():
            if is_empty:
                con.execute(f"delete from {table}")
            asked = [expectation for check in checks if (expectation := check.expectation(study.settings))]
            assert compiled.evaluate(con, table, asked) == gx_duckdb.evaluate(con, table, asked)


def test_every_plant_belongs_to_a_check():
    known = {check.id for checks in read_suites().values() for check in checks}
    assert PLANTS.keys() <= known
