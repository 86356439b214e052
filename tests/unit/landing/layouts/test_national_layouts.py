"""National data sets: keys that recur, months that are submitted twice, unknown days, and what must not come in."""

import io
import zipfile
from datetime import datetime

import pytest
import xlsxwriter
from exports import CLIENTS, SESSIONS, clean_rows
from exports_common import csv_text
from exports_nested import IAPT_STUDY, PMHC_STUDY, iapt_tables, pmhc_tables, zipped

from outcomes.contract import LeftOut, Refusal, Rule
from outcomes.landing import Landed, land_inbox
from outcomes.landing.layouts.registry import LAYOUTS, recognise
from outcomes.preview.look import look_at

ALL = CLIENTS * SESSIONS
EPISODES = """format = "{layout}"
{more}
[sources.episodes.columns]
episode_id = "{episode}"
client_id = "{client}"
{columns}
"""


def sent(door, layout: str, tables: dict, **study):
    """Land an archive of a layout."""
    door.declare(sessions=PMHC_STUDY if layout == "pmhc" else IAPT_STUDY, **study)
    return door.land(zipped(tables), "sessions.zip")


def column(table: list[list[str]], name: str) -> int:
    return table[0].index(name)


@pytest.fixture
def pmhc():
    return pmhc_tables(clean_rows())


@pytest.fixture
def iapt():
    return iapt_tables(clean_rows())


@pytest.mark.parametrize(
    ("layout", "table", "name"),
    [("pmhc", "clients", "slk"), ("pmhc", "clients", "date_of_birth"), ("iapt", "IDS001_MPI", "NHSNumber"),
     ("iapt", "IDS001_MPI", "PersonBirthDate"), ("iapt", "IDS001_MPI", "Postcode")],
)  # fmt: skip
def test_what_identifies_is_refused_in_any_table_until_it_is_dropped(door, pmhc, iapt, layout, table, name):
    tables = pmhc if layout == "pmhc" else iapt
    rows = tables.setdefault(table, [["LocalPatientId"], ["x"]])
    tables[table] = [[*rows[0], name], *([*row, "MARKER77"] for row in rows[1:])]
    refused = sent(door, layout, tables)
    assert refused.refusal == "identifier_column"
    assert name.lower() in refused.message
    path = door.root / "study.toml"
    path.write_text(path.read_text().replace(f'format = "{layout}"', f'format = "{layout}"\ndrop = ["{name}"]'))
    (landed,) = land_inbox(door.study).landed
    assert landed.rows_landed == ALL
    assert "MARKER77" not in door.everything_kept()


@pytest.mark.parametrize("layout", ["pmhc", "iapt"])
@pytest.mark.parametrize("change", [lambda text: text[:-9], lambda text: text.replace(",", ",,", 9)])
def test_an_extract_with_a_damaged_table_is_refused_with_the_table_and_the_line(door, pmhc, iapt, layout, change):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, rows in (pmhc if layout == "pmhc" else iapt).items():
            text = csv_text(rows)
            is_main = "ontact" in name and "ract" not in name
            archive.writestr(f"extract/{name}.csv", change(text) if is_main else text)
    door.declare(sessions=PMHC_STUDY if layout == "pmhc" else IAPT_STUDY)
    refused = door.land(out.getvalue(), "sessions.zip")
    assert "cannot be split into its columns" in refused.message
    assert "line" in refused.message


def test_an_archive_that_unpacks_to_too_much_is_refused(door, iapt):
    iapt["IDS004_EmpStatus"] = [["a"], *([["0" * 1000]] * 3000)]
    content = zipped(iapt)
    door.declare(sessions=IAPT_STUDY, max_bytes=1_000_000)
    assert len(content) < 100_000
    assert door.land(content, "sessions.zip").refusal == "too_large"


def test_pmhc_of_another_type_or_version_is_refused(door, pmhc):
    pmhc["metadata"][2][1] = "2.0"
    assert "version 4.0" in sent(door, "pmhc", pmhc).message
    del pmhc["metadata"]
    assert "metadata.csv" in sent(door, "pmhc", pmhc).message


def test_pmhc_dates_are_of_eight_digits_unknown_or_wrong(door, pmhc):
    contacts = pmhc["service-contacts"]
    at = column(contacts, "service_contact_date")
    for row, day in enumerate(["09099999", "9012024", "31022024", "2024-01-08", "09099999"], 1):
        contacts[row][at] = day
    landed = sent(door, "pmhc", pmhc)
    days = dict(door.rows(landed, "source_line", "session_date::varchar"))
    assert (days[2], days[3], days[6]) == (None, "2024-01-09", None)
    found = [(row["line"], row["rule"]) for row in door.quarantined(landed)]
    assert found == [("4", Rule.NOT_A_DATE), ("5", Rule.NOT_A_DATE)]
    assert door.manifest(landed)["notes"] == [
        "1 date of service-contacts.csv had lost a leading nought, which was put back"
    ]


def test_pmhc_contacts_without_exactly_one_primary_practitioner_have_no_therapist(door, pmhc):
    who = pmhc["service-contact-practitioners"]
    who[1][-1], who[4][-1] = "2", "1"
    landed = sent(door, "pmhc", pmhc)
    found = [(row["line"], row["rule"]) for row in door.quarantined(landed)]
    assert found == [("2", Rule.MISSING_KEY), ("3", Rule.MISSING_KEY)]
    assert "2 contacts have not exactly one primary practitioner" in door.manifest(landed)["notes"]


def test_pmhc_cells_with_several_values_are_no_value(door, pmhc):
    contacts = pmhc["service-contacts"]
    contacts[1][column(contacts, "sat")] = "3 5"
    contacts[2][column(contacts, "service_contact_no_show")] = "1 2"
    found = [(row["line"], row["rule"]) for row in door.quarantined(sent(door, "pmhc", pmhc))]
    assert found == [("2", Rule.NOT_A_NUMBER), ("3", Rule.NOT_YES_NO)]


def test_pmhc_keys_that_are_unclear_are_refused_or_quarantined(door, pmhc):
    pmhc["service-contacts"][1][2] = "e-nobody"
    landed = sent(door, "pmhc", pmhc)
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [("2", Rule.MISSING_KEY)]
    pmhc["episodes"].append(["o1", "e-c01", "c05", "", "0"])
    assert "1 key stands in rows that differ" in sent(door, "pmhc", pmhc).message
    pmhc["clients"].append(["o2", "c01", "2"])
    assert "1 client key is used by more than one organisation" in sent(door, "pmhc", pmhc).message


def k10(scores: dict[str, tuple[str, str]]) -> dict[str, list[list[str]]]:
    """K10+ of episodes at their start: what each of ten items says, and the stored score."""
    items = [f"k10p_item{n}" for n in range(1, 15)]
    return {
        "collection-occasions": [
            ["organisation_path", "collection_occasion_key", "episode_key", "reason_for_collection"],
            *(["o1", f"q{n}", episode, "1"] for n, episode in enumerate(scores)),
        ],
        "k10p": [
            ["organisation_path", "collection_occasion_key", *items, "k10p_score"],
            *(["o1", f"q{n}", *item.split(), *[""] * 4, stored] for n, (item, stored) in enumerate(scores.values())),
        ],
    }  # fmt: skip


def test_pmhc_episodes_have_their_start_ending_and_a_k10_whose_stored_score_is_held_against_its_items(door, pmhc):
    tens = "1 2 3 4 5 1 2 3 4 5"
    pmhc |= k10({"e-c00": (tens, "30"), "e-c01": (tens, "33"), "e-c02": (tens[:-1] + "9", "99"),
                 "e-c03": (" ".join("9" * 10), "41")})  # fmt: skip
    pmhc["episodes"][2][3:] = ["04022024", "3"]
    pmhc["episodes"][3][3:] = ["09099999", "8"]
    door.declare(
        sessions=PMHC_STUDY,
        episodes=EPISODES.format(
            layout="pmhc", episode="episode_key", client="client_key", more='date_format = "%d%m%Y"',
            columns='start = "first_contact"\nend = "episode_end_date"\nending = "episode_completion_status"\n'
            'intake_severity = "k10p_start"\n[sources.episodes.codes.ending]\n0 = "open"\n3 = "client_ended"',
        ),
        scales='[scales.intake_severity]\nminimum = 10\nmaximum = 50\nrater = "client"\n',
    )  # fmt: skip
    landed = door.land(zipped(pmhc), "episodes.zip")
    rows = door.rows(landed, "episode_id", "start::varchar", '"end"::varchar', "ending", "intake_severity")
    assert rows[:3] == [
        ("e-c00", "2024-01-15", None, "open", 30.0), ("e-c01", "2024-01-15", "2024-02-04", "client_ended", 30.0),
        ("e-c03", "2024-01-15", None, "open", 41.0),
    ]  # fmt: skip
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [("4", Rule.UNKNOWN_CODE)]
    assert "1 K10+ stored another score than its items add up to: the sum was taken" in door.manifest(landed)["notes"]


def months(*parts: dict) -> dict[str, list[list[str]]]:
    """Put the tables of several submissions side by side, each under a name of its own."""
    return {f"{name}_{number}": rows for number, part in enumerate(parts) for name, rows in part.items()}


def test_iapt_contact_ids_that_recur_in_another_month_are_other_contacts(door):
    rows = clean_rows()
    early = [row for row in rows if row["session_number"] in "12"]
    late = [row | {"therapist_id": "t9"} for row in rows if row["session_number"] in "34"]
    landed = sent(door, "iapt", months(iapt_tables(early, "1500"), iapt_tables(late, "1501")))
    assert (landed.rows_landed, landed.rows_quarantined) == (ALL, 0)
    therapists = door.rows(landed, "session_number", "therapist_id", "satisfaction", "client_id")
    assert {therapist for number, therapist, *_ in therapists if number > 2} == {"t9"}
    wanted = sorted((row["client_id"], int(row["session_number"]), float(row["satisfaction"])) for row in rows)
    assert sorted((client, number, score) for number, _, score, client in therapists) == wanted


def test_iapt_a_refresh_replaces_the_primary_submission_of_its_month(door):
    rows = clean_rows()
    primary = iapt_tables([row | {"satisfaction": "0", "therapist_id": "wrong"} for row in rows])
    refresh = {f"{name}_Refresh": table for name, table in iapt_tables(rows[:20]).items()}
    landed = sent(door, "iapt", {**primary, **refresh})
    assert landed.rows_landed == 20
    assert landed.rows_left_out[LeftOut.SUPERSEDED] == ALL
    assert {one for (one,) in door.rows(landed, "therapist_id")} == {"t0", "t1", "t2"}
    assert any("less than half the rows" in note for note in door.manifest(landed)["notes"])
    account = door.manifest(landed)
    assert account["rows_in_export"] == account["rows_read"] + sum(account["rows_left_out"].values())


def test_iapt_says_who_came_who_did_not_and_what_was_cancelled(door, iapt):
    contacts = iapt["IDS201_CareContact"]
    iapt["IDS607_CodedScoreAssessmentAct"][1:9] = []
    at, rated = column(contacts, "AttendOrDNACode"), column(contacts, "dir")
    for row, code in enumerate(["5", "6", "7", "3", "2", "4", "05", "8"], 1):
        contacts[row][at], contacts[row][rated] = code, ""
    landed = sent(door, "iapt", iapt)
    came = dict(door.rows(landed, "source_line", "attended"))
    assert [came.get(line) for line in range(2, 10)] == [True, True, False, False, None, None, True, None]
    assert landed.rows_left_out[LeftOut.CANCELLED] == 2
    assert [(row["line"], row["rule"]) for row in door.quarantined(landed)] == [("9", Rule.NOT_YES_NO)]


def test_iapt_takes_only_the_appointments_that_the_study_wants(door, iapt):
    contacts = iapt["IDS201_CareContact"]
    contacts[1][column(contacts, "AppType")] = "01"
    door.declare(sessions=IAPT_STUDY.replace('"iapt"', '"iapt"\niapt = { appointments = ["02"] }'))
    landed = door.land(zipped(iapt), "sessions.zip")
    assert (landed.rows_landed, landed.rows_left_out[LeftOut.OTHER_APPOINTMENT]) == (ALL - 1, 1)


def test_iapt_scores_of_one_tool_that_differ_and_staff_that_differ_are_quarantined(door, iapt):
    iapt["IDS607_CodedScoreAssessmentAct"].append(["1500", "a0y", "747891000000106", "9"])
    iapt["IDS202_CareActivity"][4][-1] = "t7"
    found = [(row["line"], row["rule"]) for row in door.quarantined(sent(door, "iapt", iapt))]
    assert found == [("2", Rule.NOT_A_NUMBER), ("3", Rule.MISSING_KEY)]


def test_iapt_referrals_stand_once_in_their_latest_month_with_first_and_last_scores(door):
    rows = clean_rows()
    early, late = iapt_tables(rows, "999"), iapt_tables(rows, "1000")
    late["IDS101_Referral"][1][4:] = ["2024-03-01", "46"]
    late["IDS101_Referral"][2][4:] = ["2024-03-01", ""]
    late["IDS101_Referral"][3][4:] = ["2024-03-01", "77"]
    late["IDS606_CodedScoreAssessmentRefer"] = [
        ["Unique_MonthID", "ServiceRequestId", "CodedAssToolType", "PersScore", "AssToolCompDate"],
        ["1000", "r-c00", "720433000", "8", "2024-02-20"], ["1000", "r-c00", "720433000", "17", "2024-01-03"],
        ["1000", "r-c01", "747901000000107", "99", "2024-02-20"],
    ]  # fmt: skip
    door.declare(
        sessions=IAPT_STUDY,
        episodes=EPISODES.format(
            layout="iapt", episode="ServiceRequestId", client="Person_ID", more="",
            columns='start = "ReferralRequestReceivedDate"\nend = "ServDischDate"\nending = "EndCode"\n'
            'intake_severity = "first_720433000"\n[sources.episodes.codes.ending]\n46 = "agreed"',
        ),
        scales='[scales.intake_severity]\nminimum = 0\nmaximum = 27\nrater = "client"\n',
    )  # fmt: skip
    landed = door.land(zipped(months(early, late)), "episodes.zip")
    assert landed.rows_left_out[LeftOut.SUPERSEDED] == CLIENTS
    rows = door.rows(landed, "episode_id", '"end"::varchar', "ending", "intake_severity")
    assert rows[:3] == [
        ("r-c00", "2024-03-01", "agreed", 17.0), ("r-c01", "2024-03-01", None, None), ("r-c03", None, None, None),
    ]  # fmt: skip
    assert [row["rule"] for row in door.quarantined(landed)] == [Rule.UNKNOWN_CODE]
    assert any("1 referral was discharged without a reason" in note for note in door.manifest(landed)["notes"])


def test_what_such_sources_can_and_cannot_answer_is_said():
    assert "dropout by therapist only" in LAYOUTS["pmhc"].answers
    assert "no item rates directiveness or satisfaction by session" in LAYOUTS["iapt"].answers


def workbook(tables) -> bytes:
    """The same tables as sheets; days of contacts are real dates, counts real numbers."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in tables.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if at and rows[0][place] == "service_contact_date" and cell:
                        sheet.write_datetime(at, place, datetime.strptime(cell, "%d%m%Y"), day)
                    elif at and rows[0][place] in ("n", "sat", "dir") and cell:
                        sheet.write_number(at, place, float(cell))
                    else:
                        sheet.write_string(at, place, cell)
    return out.getvalue()


def test_a_workbook_of_the_pmhc_tables_lands_as_the_archive_does(door, pmhc):
    found = []
    for name, content in (("sessions.zip", zipped(pmhc)), ("sessions.xlsx", workbook(pmhc))):
        door.declare(sessions=PMHC_STUDY)
        landed = door.land(content, name)
        assert isinstance(landed, Landed), landed
        found.append(door.rows(landed, "* exclude (source_line)"))
    assert found[0] == found[1]
    assert len(found[0]) > 3


@pytest.mark.parametrize("name", ["slk", "date_of_birth"])
def test_what_identifies_in_a_sheet_of_a_workbook_is_refused(door, pmhc, name):
    door.declare(sessions=PMHC_STUDY)
    pmhc["clients"] = [[*pmhc["clients"][0], name], *([*row, "MARKER1"] for row in pmhc["clients"][1:])]
    refused = door.land(workbook(pmhc), "sessions.xlsx")
    assert refused.refusal == Refusal.IDENTIFIER_COLUMN
    assert name in refused.message
    assert "MARKER1" not in str(refused) + door.everything_kept()


def test_a_damaged_workbook_is_refused_and_a_workbook_of_pmhc_is_recognised(door, pmhc, tmp_path):
    door.declare(sessions=PMHC_STUDY)
    whole = workbook(pmhc)
    assert door.land(whole[: len(whole) // 2], "sessions.xlsx").refusal == Refusal.UNREADABLE
    (tmp_path / "upload.xlsx").write_bytes(whole)
    assert recognise(tmp_path / "upload.xlsx")[0].layout == "pmhc"
    (one,) = look_at([tmp_path / "upload.xlsx"]).files
    assert one.refused == ""
    assert any("dropout by therapist only" in note for note in one.table.notes)
