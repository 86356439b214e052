"""The ledger of all that left: kept once a release, read back whole, refused where it has holes."""

from __future__ import annotations

import pytest

from outcomes.disclosure.ledger import LEDGER, TOLD, enter, is_up_to_date, read_ledger, teller, write_told
from outcomes.errors import StorageError, UsageError
from outcomes.study import create_study


@pytest.fixture
def study(tmp_path):
    return create_study(tmp_path / "study")


def report(study, release_id, clients, endings=(300, 100)):
    """Write what a report of so many clients tells, as the report step does."""
    folder = study.root / f"candidate-{release_id}"
    folder.mkdir(exist_ok=True)
    telling = teller(study, release_id)
    shown = telling.count("clients", clients)
    telling.table("endings", dict(zip(("planned", "dropout"), endings, strict=True)))
    write_told(folder, telling)
    (folder / "report.html").write_text(f"<p>{shown.text}</p>")
    return folder, shown.value


def published(study, release_id, clients):
    folder, value = report(study, release_id, clients)
    enter(study, folder, release_id)
    return value


def test_a_release_is_told_beside_all_that_earlier_ones_told(study):
    assert [published(study, name, n) for name, n in (("a", 203), ("b", 212), ("c", 216))] == [205, 205, 215]
    assert [told.release_id for told in read_ledger(study)] == ["a", "b", "c"]
    assert read_ledger(study)[1].counts["clients"].count == 212


def test_entering_a_release_twice_changes_nothing(study):
    folder, _ = report(study, "a", 203)
    enter(study, folder, "a")
    before = (study.root / LEDGER).read_bytes()
    enter(study, folder, "a")
    assert (study.root / LEDGER).read_bytes() == before


def test_a_release_that_was_published_before_tells_the_same_again(study):
    published(study, "a", 203)
    published(study, "b", 218)
    folder, value = report(study, "a", 203)
    assert (value, (folder / "report.html").read_text()) == (205, "<p>205</p>")
    assert is_up_to_date(folder, study, "a")


def test_what_is_read_back_is_what_was_told(study):
    folder, _ = report(study, "a", 203, endings=(300, 4))
    telling = teller(study, "a")
    telling.count("clients", 203)
    telling.table("endings", {"planned": 300, "dropout": 4})
    enter(study, folder, "a")
    assert read_ledger(study) == (telling.told,)


def test_a_report_that_does_not_know_of_a_release_published_since_is_not_published(study):
    folder, _ = report(study, "late", 206)
    published(study, "a", 203)
    assert not is_up_to_date(folder, study, "late")
    with pytest.raises(UsageError, match="published since"):
        enter(study, folder, "late")
    folder, value = report(study, "late", 206)
    enter(study, folder, "late")
    assert value == 205


def test_a_report_without_its_numbers_is_not_published(study):
    folder, _ = report(study, "a", 203)
    (folder / TOLD).unlink()
    with pytest.raises(UsageError):
        enter(study, folder, "a")


def test_a_line_that_a_killed_run_left_half_is_made_up_for(study):
    published(study, "a", 203)
    with (study.root / LEDGER).open("ab") as stream:
        stream.write(b'{"number": 2, "release_id": "b", "cou')
    assert len(read_ledger(study)) == 1
    assert published(study, "b", 230) == 235
    assert [told.release_id for told in read_ledger(study)] == ["a", "b"]


@pytest.mark.parametrize("damage", [lambda lines: lines[1:], lambda lines: [lines[0], b"{", lines[2]]])
def test_a_ledger_with_a_hole_is_refused(study, damage):
    for name, n in (("a", 203), ("b", 230), ("c", 250)):
        published(study, name, n)
    path = study.root / LEDGER
    path.write_bytes(b"".join(line + b"\n" for line in damage(path.read_bytes().splitlines())))
    with pytest.raises(StorageError, match="missing or cannot be read"):
        read_ledger(study)


def test_an_altered_line_is_refused(study):
    published(study, "a", 203)
    path = study.root / LEDGER
    path.write_text(path.read_text().replace('"reason"', '"raison"'))
    with pytest.raises(StorageError, match="altered"):
        read_ledger(study)
