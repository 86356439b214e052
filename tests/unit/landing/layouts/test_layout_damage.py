"""Damaged exports: whatever comes in, it is landed with every row accounted for, or refused with what to do."""

import random

import pytest
from exports import WRITERS, as_excel, as_qualtrics, as_redcap, as_spss, clean_rows, put, wide_rows
from exports_common import csv_text

from outcomes.errors import OutcomesError
from outcomes.landing import Landed, Refused
from outcomes.landing.layouts.opened import extras
from outcomes.landing.layouts.registry import recognise


def accounted(door, content: bytes, name: str) -> Landed | Refused:
    """Land what may be damaged: no error but ours, and no row lost."""
    outcome = door.land(content, name)
    assert isinstance(outcome, Landed | Refused)
    if isinstance(outcome, Landed):
        account = door.manifest(outcome)
        in_export = account.get("rows_in_export", account["rows_read"])
        assert in_export == account["rows_read"] + sum(account.get("rows_left_out", {}).values())
        assert account["rows_read"] == account["rows_landed"] + account["rows_quarantined"]
    else:
        assert outcome.message
        assert outcome.hint
    return outcome


@pytest.mark.parametrize("layout", WRITERS)
def test_a_file_cut_off_anywhere_is_refused_or_accounted_for(door, tmp_path, layout):
    written = WRITERS[layout](clean_rows(), tmp_path)
    put(door, written)
    for share in (0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999):
        accounted(door, written.content[: int(share * len(written.content))], written.name)


@pytest.mark.parametrize("layout", WRITERS)
def test_bytes_changed_at_random_are_refused_or_accounted_for(door, tmp_path, layout):
    written = WRITERS[layout](clean_rows(), tmp_path)
    put(door, written)
    draws = random.Random(20_241_126)
    for _ in range(12):
        content = bytearray(written.content)
        for _ in range(draws.choice([1, 5, 50])):
            content[draws.randrange(len(content))] = draws.randrange(256)
        accounted(door, bytes(content), written.name)


@pytest.mark.parametrize("layout", WRITERS)
@pytest.mark.parametrize(
    "other", [b"", b"\n", b"\0" * 600, b"PK\x03\x04", b"$FL2@(#) SPSS", b"{}", "é".encode(), b"a,b\n1,2\n"]
)
def test_a_file_that_is_something_else_is_refused_with_what_to_do(door, tmp_path, layout, other):
    written = WRITERS[layout](clean_rows(), tmp_path)
    put(door, written)
    refused = accounted(door, other, written.name)
    assert isinstance(refused, Refused)


@pytest.mark.parametrize("writer", [as_redcap, as_qualtrics])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: b"".join(
            line.replace(b"\n", b"\r\n") if place % 2 else line
            for place, line in enumerate(text.splitlines(keepends=True))
        ),
        lambda text: text.rstrip(b"\n"),
        lambda text: text + b"\n\n\n",
        lambda text: text.replace(b",", b";"),
        lambda text: text.replace(b",", b"\t"),
    ],
    ids=["byte order mark", "CR LF", "mixed line ends", "no last line end", "blank lines", "semicolons", "tabs"],
)
def test_marks_line_ends_and_delimiters_change_nothing(door, tmp_path, writer, change):
    written = writer(clean_rows(), tmp_path)
    put(door, written)
    landed = accounted(door, change(written.content), written.name)
    assert isinstance(landed, Landed), landed
    assert (landed.rows_landed, landed.rows_quarantined) == (48, 0)


def test_a_row_that_ends_in_another_number_of_cells_is_quarantined_not_shifted(door, tmp_path):
    written = as_redcap(clean_rows(), tmp_path)
    put(door, written)
    landed = accounted(door, written.content.replace(b"c03,visit,2,", b"c03,visit,2,,", 1), written.name)
    assert landed.rows_quarantined == 1


def test_a_workbook_needs_the_sheet_that_the_study_names(door, tmp_path):
    written = as_excel(clean_rows(), tmp_path)
    for study, said in (("", "2 sheets; which one"), ('sheet = "data"', "none is called"), ('sheet = "Read me"', "")):
        door.declare(sessions=study)
        refused = accounted(door, written.content, written.name)
        assert isinstance(refused, Refused)
        assert said in refused.message


@pytest.mark.parametrize(("writer", "package"), [(as_excel, "fastexcel"), (as_spss, "pyreadstat")])
def test_a_package_that_is_not_installed_is_named_with_the_line_that_installs_it(
    door, tmp_path, monkeypatch, writer, package
):
    written = writer(clean_rows(), tmp_path)
    put(door, written)

    def missing(name):
        raise ModuleNotFoundError(name)

    with monkeypatch.context() as without:
        without.setattr(extras, "import_module", missing)
        with pytest.raises(OutcomesError, match=package) as caught:
            door.land(written.content, written.name)
        assert "pip install 'outcomes[formats]'" in caught.value.hint
    assert isinstance(door.land(written.content, written.name), Landed)  # nothing was remembered of it


def test_what_a_file_looks_like_is_told_and_a_damaged_one_looks_like_nothing(tmp_path):
    looks = {}
    for layout, write in WRITERS.items():
        written = write(clean_rows(), tmp_path)
        path = tmp_path / written.name
        path.write_bytes(written.content)
        looks[layout] = [str(look.layout) for look in recognise(path)][:1]
        path.write_bytes(written.content[:7])
        assert not recognise(path) or layout == "spss"
    assert looks == {
        "utf-16 with bars": [], "excel": ["table"], "spss": ["table"], "redcap": ["redcap"], "qualtrics": ["qualtrics"],
        "fhir": ["fhir"], "pmhc": ["pmhc"], "iapt": ["iapt"],
    }  # fmt: skip
    (tmp_path / "wide.csv").write_text(csv_text(wide_rows()))
    assert [look.layout for look in recognise(tmp_path / "wide.csv")] == ["wide"]
