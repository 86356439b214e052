"""The rule of the audit, in tables: what a check counts, how it ends, and whether it stops the publication."""

import json
from pathlib import Path

import pytest

from outcomes.audit import AuditReport, Category, Severity, Status
from outcomes.audit.runner import check_tables
from outcomes.audit.suites import Check
from outcomes.errors import ChecksFailed
from outcomes.store.warehouse import connect
from outcomes.study import read_settings

TEMPLATE = Path(__file__).parents[2] / "src/outcomes/study/template.toml"

# rated: ratings in the table · bad: of them out of range · accepted: share that is no finding
ENDS = """
    severity | rated | bad | accepted | status         | published
    fatal    | 4     | 0   | 0        | passed         | yes
    fatal    | 4     | 1   | 0        | failed         | no
    fatal    | 4     | 1   | 0.25     | passed         | yes
    fatal    | 4     | 2   | 0.25     | failed         | no
    warning  | 4     | 1   | 0        | failed         | yes
    info     | 4     | 4   | 0        | failed         | yes
    fatal    | 0     | 0   | 0        | not_applicable | yes
"""


def cases() -> list[dict[str, str]]:
    header, *lines = ([cell.strip() for cell in line.split("|")] for line in ENDS.strip().splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def check_of(severity: str, accepted: float, table: str = "ratings") -> Check:
    kwargs = {
        "column": "score",
        "min_value": {"$scale": "satisfaction", "bound": "minimum"},
        "max_value": {"$scale": "satisfaction", "bound": "maximum"},
        "mostly": 1 - accepted,
    }
    return Check(
        id=f"{table}.score.range",
        table=table,
        type="expect_column_values_to_be_between",
        kwargs=kwargs,
        category=Category.CONFORMANCE,
        severity=Severity(severity),
        sentence="Ratings lie within their range.",
        counted="ratings",
        remedy="Compare the range with the source.",
        column="score",
    )


def audited(check: Check, scores: list[float | None]) -> AuditReport:
    with connect() as con:
        con.execute("create table ratings (score double)")
        con.executemany("insert into ratings values (?)", [[score] for score in [*scores, None]])
        return AuditReport(Path("release"), check_tables(con, read_settings(TEMPLATE), {check.table: (check,)}))


@pytest.mark.parametrize("case", cases(), ids=lambda case: " ".join(case.values()))
def test_severity_and_accepted_share_decide_whether_a_violation_stops_the_publication(case):
    n_rated, n_bad = int(case["rated"]), int(case["bad"])
    report = audited(check_of(case["severity"], float(case["accepted"])), [99.0] * n_bad + [5.0] * (n_rated - n_bad))
    (result,) = report.checks
    assert (result.status.value, result.n_violated, result.n_denominator) == (case["status"], n_bad, n_rated)
    if case["published"] == "yes":
        report.raise_if_fatal()
    else:
        with pytest.raises(ChecksFailed, match=f"Not so for {n_bad} of {n_rated} ratings"):
            report.raise_if_fatal()


def test_a_fatal_check_whose_table_is_missing_stops_the_publication():
    report = audited(check_of("fatal", 0, table="no_such_table"), [5.0])
    assert [check.status for check in report.checks] == [Status.ERROR]
    with pytest.raises(ChecksFailed, match="could not be checked"):
        report.raise_if_fatal()


def test_a_finding_is_told_as_what_should_hold_how_many_and_what_to_do():
    (result,) = audited(check_of("fatal", 0), [5.0, 99.0]).checks
    assert result.sentence == "Ratings lie within their range. Not so for 1 of 2 ratings (50.0%)."
    assert result.remedy == "Compare the range with the source."
    assert "99" not in json.dumps(result.__dict__, default=str)
