"""The audit as a step: what it writes, what it refuses, what it never tells."""

import json
import shutil
from html.parser import HTMLParser

import pytest

from outcomes.audit import Severity, Status, audit
from outcomes.audit.runner import DATABASE
from outcomes.errors import ChecksFailed
from outcomes.store.warehouse import connect

COLUMNS = (
    "check_id table_name column_name check_type category severity status n_violated n_denominator percent_violated "
    "sentence"
)


def plant(folder, *statements: str) -> None:
    with connect(folder / DATABASE) as con:
        for statement in statements:
            con.execute(statement)


def rows(folder, query: str) -> list[tuple]:
    with connect(folder / DATABASE, read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.fixture(scope="module")
def faulty(_clean_database, study, tmp_path_factory):
    """An audited release with a fatal finding, a warning, an info, missing data and a missing table."""
    folder = tmp_path_factory.mktemp("faulty")
    shutil.copy(_clean_database, folder / DATABASE)
    plant(
        folder,
        "update core_sessions set satisfaction_score = 11.5 where rowid in (select rowid from core_sessions "
        "where satisfaction_score is not null order by rowid limit 3)",
        "update core_sessions set session_date = date '2031-05-17' where rowid = 5",
        "update core_clients set directiveness_preferred_score = null where rowid % 2 = 0",
        "update core_sessions set alliance_score = null",
        "drop table mart_clients",
    )
    audit(folder, study)
    return folder


@pytest.fixture(scope="module")
def report(faulty, study):
    """The report of a second audit of the faulty release."""
    return audit(faulty, study)


def test_a_clean_release_passes_every_check_and_leaves_a_table_a_json_file_and_a_page(release, study):
    report = audit(release, study)
    report.raise_if_fatal()
    assert {c.check_id: c.sentence for c in report.checks if c.status is not Status.PASSED} == {}
    assert [name for (name,) in rows(release, "select column_name from (describe dq_results)")] == COLUMNS.split()
    assert rows(release, "select count(*), count(distinct check_id) from dq_results") == [(len(report.checks),) * 2]
    written = json.loads((release / "checks.json").read_text(encoding="utf-8"))
    assert (written["n_fatal"], written["n_by_status"]["passed"]) == (0, len(report.checks))
    assert "All is well" in (release / "checks.html").read_text(encoding="utf-8")


def test_the_same_release_gives_the_same_findings_again(faulty, study, report):
    written = [(faulty / name).read_bytes() for name in ("checks.json", "checks.html")]
    table = rows(faulty, "from dq_results")
    assert audit(faulty, study) == report
    assert [(faulty / name).read_bytes() for name in ("checks.json", "checks.html")] == written
    assert rows(faulty, "from dq_results") == table
    assert sorted(path.name for path in faulty.iterdir()) == ["checks.html", "checks.json", DATABASE]


def test_a_fatal_finding_stops_and_says_which_check_how_many_and_what_to_do(report):
    with pytest.raises(ChecksFailed) as stopped:
        report.raise_if_fatal()
    assert "core_sessions.satisfaction_score.range" in stopped.value.message
    assert "Not so for 3 of " in stopped.value.message
    assert "[scales.satisfaction]" in stopped.value.hint
    assert stopped.value.exit_code == 3


def test_warnings_and_infos_do_not_stop(release, study):
    plant(release, "update core_sessions set session_date = date '2031-05-17' where rowid = 5")
    report = audit(release, study)
    report.raise_if_fatal()
    assert [check.check_id for check in report.open if check.severity is Severity.WARNING]


def test_what_was_not_collected_is_not_applicable_rather_than_passed(report):
    status = {check.check_id: check.status for check in report.checks}
    assert status["core_sessions.alliance_score.complete"] is Status.NOT_APPLICABLE
    assert status["core_sessions.alliance_score.range"] is Status.NOT_APPLICABLE
    assert status["core_sessions.satisfaction_score.direction"] is Status.NOT_APPLICABLE


def test_checks_of_a_missing_table_count_as_fatal_not_as_passed(report):
    missing = [check for check in report.checks if check.table_name == "mart_clients"]
    assert {check.status for check in missing} == {Status.ERROR}
    assert all(check.is_fatal for check in missing if check.severity is Severity.FATAL)
    assert {check.percent_violated for check in missing} == {None}


def test_the_gravest_findings_come_first(report):
    found = [check.severity for check in report.open]
    assert set(found) == set(Severity)
    assert found == sorted(found, key=[Severity.FATAL, Severity.WARNING, Severity.INFO].index)


def test_no_value_and_no_id_of_a_client_is_told_anywhere(faulty, study, capfd):
    report = audit(faulty, study)
    ids = [value for (value,) in rows(faulty, "select unnest([client_id, episode_id, session_id]) from core_sessions")]
    printed = capfd.readouterr()
    told = "\n".join(
        [
            (faulty / "checks.json").read_text(encoding="utf-8"),
            (faulty / "checks.html").read_text(encoding="utf-8"),
            str(rows(faulty, "from dq_results")),
            repr(report),
            printed.out + printed.err,
        ]
    )
    assert [value for value in {*ids, "11.5", "2031-05"} if value in told] == []
    assert printed.out == ""


def test_studies_without_dates_episodes_or_endings_are_not_refused_for_it(release, study):
    plant(
        release,
        "update core_sessions set session_date = null, alliance_score = null, empowerment_score = null",
        "update mart_person_session set alliance_so_far = null",
        "update core_episodes set start_date = null, end_date = null, ending = null, data_cut = null, "
        "planned_sessions = null, intake_severity_score = null, "
        "ending_state = case when n_attended > 0 then 'undetermined' end",
        "delete from core_dropout_labels",
        "update mart_person_session set ending_state = case when is_last then 'undetermined' else 'continues' end, "
        "is_dropout = case when not is_last then 0 end, is_planned_end = case when not is_last then 0 end, "
        "is_other_end = case when not is_last then 0 end",
        "update mart_therapists set n_dropouts = 0, dropout_prop = null",
    )
    report = audit(release, study)
    assert report.fatal == ()
    assert [check.check_id for check in report.open] == []


class _Page(HTMLParser):
    """Collects what a page would load and run."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.outside: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href", "action") and value]


def test_the_page_stands_alone_and_says_states_in_words(faulty):
    text = (faulty / "checks.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert page.outside == []
    assert not page.tags & {"script", "link", "img", "iframe"}
    assert "url(" not in text
    assert "@import" not in text
    for words in ("✖ fatal", "▲ look before you rely on it", "● worth knowing", "– not applicable", "? not run"):
        assert words in text
    assert text.index("Findings, the gravest first") < text.index("All checks")


def test_a_studys_name_cannot_inject_markup(release, study, tmp_path):
    root = tmp_path / "hostile"
    root.mkdir()
    shutil.copy(study.settings_path, root / "study.toml")
    text = (root / "study.toml").read_text(encoding="utf-8")
    (root / "study.toml").write_text(
        text.replace('"Practice outcomes"', "'<script>alert(1)</script>'"), encoding="utf-8"
    )
    audit(release, type(study).open(root))
    assert "<script>" not in (release / "checks.html").read_text(encoding="utf-8")
