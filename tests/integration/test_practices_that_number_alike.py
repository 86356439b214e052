"""Two practices that both count their clients from 1 are not merged silently; who corrects or moves is let through."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from outcomes import landing, release
from outcomes.audit import Status, audit
from outcomes.errors import ChecksFailed
from outcomes.study import StudyFolder, create_study

HEADER = "practice_id,therapist_id,client_id,session_number,session_date,directiveness,satisfaction\n"
CLIENTS, SESSIONS = 30, 6
CONTESTED = "core_batches.sessions.of_one_practice"
BACK_AND_FORTH = "core_sessions.practice_id.not_back_and_forth"
TOLD = ("core_batches.sessions.none_contested", "core_sessions.practice_id.movers_stay")

Row = tuple[str, str, int, int, date, int, int]


def sessions_of(practice: str, seed: int, first_client: int = 1) -> list[Row]:
    """Sessions of clients who are counted from a number on, a week apart."""
    chance = random.Random(seed)
    start = date(2024, 1, 1) + timedelta(days=seed)
    return [
        (practice, f"t{client % 5}", client, number, start + timedelta(days=7 * number), chance.randrange(11),
         chance.randrange(11))
        for client in range(first_client, first_client + CLIENTS)
        for number in range(1, SESSIONS + 1)
    ]  # fmt: skip


def audited(root: Path, *files: list[Row], order: str = "number", sealed: bool = False):
    """Land files, build and check; return the report and the checks by id."""
    root = create_study(root).root
    path = root / "study.toml"
    text = path.read_text(encoding="utf-8")
    assert '\norder = "number"' in text
    assert "\nrequired = false" in text
    text = text.replace("\nrequired = false", f"\nrequired = {str(sealed).lower()}")
    path.write_text(text.replace('\norder = "number"', f'\norder = "{order}"'), encoding="utf-8")
    for number, rows in enumerate(files):
        lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
        (root / "inbox" / f"sessions-{number}.csv").write_text(HEADER + lines, encoding="utf-8")
    study = StudyFolder.open(root)
    assert not landing.land_inbox(study).refused
    report = audit(release.build(study, release.candidate_id(study)), study)
    return report, {check.check_id: check for check in report.checks}


def moved(row: Row, practice: str) -> Row:
    return (practice, *row[1:])


def test_a_later_file_of_another_practice_with_the_same_ids_stops_the_release(tmp_path):
    north, south = sessions_of("north", 1), sessions_of("south", 2)
    report, checks = audited(tmp_path / "study", north, south[: len(south) // 2])
    assert (checks[CONTESTED].status, checks[CONTESTED].n_violated) == (Status.FAILED, 2)
    assert "put the practice before each id, e.g. north-17" in checks[CONTESTED].remedy.lower()
    with pytest.raises(ChecksFailed):
        report.raise_if_fatal()


def test_before_a_seal_too(tmp_path):
    _, checks = audited(tmp_path / "study", sessions_of("north", 1), sessions_of("south", 2), sealed=True)
    assert (checks[CONTESTED].status, checks[CONTESTED].n_violated) == (Status.FAILED, 2)


def test_a_small_practice_is_not_lost_in_a_large_one_whichever_lands_first(tmp_path):
    large = [row for part in range(4) for row in sessions_of("north", part, 1 + part * CLIENTS)]
    small = sessions_of("south", 9)[: 2 * SESSIONS]
    for name, files in (("before", (small, large)), ("after", (large, small))):
        _, checks = audited(tmp_path / name, *files)
        assert (checks[CONTESTED].status, checks[CONTESTED].n_violated) == (Status.FAILED, 1), name


def test_two_practices_in_one_file_ordered_by_date_stop_the_release(tmp_path):
    report, checks = audited(tmp_path / "study", sessions_of("north", 1) + sessions_of("south", 2), order="date")
    assert (checks[BACK_AND_FORTH].status, checks[BACK_AND_FORTH].n_violated) == (Status.FAILED, CLIENTS)
    with pytest.raises(ChecksFailed):
        report.raise_if_fatal()


def test_names_of_a_practice_that_are_corrected_and_clients_who_move_are_let_through(tmp_path):
    north = sessions_of("north", 1)
    # All under the practice's right name, one rating corrected, one client in five with another practice at the end.
    again = [moved(row, "south" if row[2] % 5 == 0 and row[3] > 4 else "North Street") for row in north]
    again[0] = (*again[0][:-1], 10 - again[0][-1] if again[0][-1] != 5 else 6)
    _, checks = audited(tmp_path / "study", north, again)
    assert {checks[name].status for name in (CONTESTED, BACK_AND_FORTH)} == {Status.PASSED}
    assert (checks[TOLD[0]].status, checks[TOLD[0]].n_violated) == (Status.FAILED, 2)  # the corrected row, in both
    assert (checks[TOLD[1]].status, checks[TOLD[1]].n_denominator) == (Status.PASSED, CLIENTS // 5)


def test_blank_practices_of_one_file_do_not_stop_the_release(tmp_path):
    rows = sessions_of("", 1)
    _, checks = audited(tmp_path / "study", rows)
    assert checks["core_sessions.practice_id.complete"].status is Status.PASSED
