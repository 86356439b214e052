"""`outcomes init --from`: one file that feeds several kinds."""

from __future__ import annotations

import io
import json

import xlsxwriter

from outcomes.contract import Kind
from outcomes.landing import Landed, land_inbox
from outcomes.study import StudyFolder

HEADER = "client_id,therapist_id,session_number,directiveness,satisfaction,gender,reactance,start_date,end_reason,phq9"
SESSIONS = [
    (c, s, f"k{c:03}x,t{c % 3}q,{s},{c % 7},{1 + (c + s) % 5}") for c in range(60) for s in range(1, 5)
]  # fmt: skip


def repeated(gender=lambda c, s: "f" if c % 2 else "m", clients: int = 20) -> str:
    """Sessions with the client's and the course's own columns on every row; phq9 is another one each session."""
    rows = [
        f"{said},{gender(c, s)},{c % 6},2024-01-{c % 28 + 1:02},{'completed' if c % 3 else 'dropout'},{(c * s) % 27}"
        for c, s, said in SESSIONS[: 4 * clients]
    ]
    return "\n".join([HEADER, *rows]) + "\n"


def drafted(desk, *files) -> StudyFolder:
    run = desk.run("init", desk.root / "study", "--from", *files)
    assert run.exit_code == 0, run.output
    return StudyFolder.open(desk.root / "study")


def landed(study: StudyFolder, *files) -> dict[Kind, Landed]:
    for path in files:
        (study.inbox / path.name).write_bytes(path.read_bytes())
    report = land_inbox(study)
    assert not report.refused, report.refused
    return {one.kind: one for one in report.landed}


def test_a_table_with_clients_repeated_on_its_sessions_feeds_three_kinds(desk):
    given = desk.file("export.csv", repeated())
    study = drafted(desk, given)
    found = landed(study, given)
    assert {kind: (one.rows_landed, one.rows_quarantined) for kind, one in found.items()} == {
        Kind.SESSIONS: (80, 0), Kind.EPISODES: (20, 0), Kind.CLIENTS: (20, 0),
    }  # fmt: skip
    columns = {kind: set(source.columns) for kind, source in study.settings.sources.items()}
    assert {"gender", "reactance"} <= columns[Kind.CLIENTS]
    assert {"start", "ending", "episode_id"} <= columns[Kind.EPISODES]
    assert "intake_severity" not in columns[Kind.EPISODES], "a score that changes by session is not one at intake"


def test_every_guess_of_every_kind_is_marked(desk):
    study = drafted(desk, desk.file("export.csv", repeated()))
    text = study.settings_path.read_text(encoding="utf-8")
    guessed = [line for line in text.splitlines() if " = " in line and "name =" not in line and line[0] != "#"]
    assert len(guessed) > 20
    assert [line for line in guessed if "# guess" not in line and not line.startswith("drop")] == []


def test_what_changes_within_clients_is_no_clients_own(desk):
    given = desk.file("export.csv", repeated(gender=lambda c, s: "f" if (c + s) % 2 else "m"))
    study = drafted(desk, given)
    assert "gender" not in study.settings.sources[Kind.CLIENTS].columns
    assert "reactance" in study.settings.sources[Kind.CLIENTS].columns
    assert landed(study, given)[Kind.CLIENTS].rows_landed == 20


def test_one_client_of_whom_the_rows_disagree_is_told_and_quarantined(desk):
    text = repeated(gender=lambda c, s: "f" if c % 2 and (c, s) != (1, 4) else "m", clients=60)
    given = desk.file("export.csv", text)
    looked = json.loads(desk.run("check", "--json", given).output)["files"][0]
    (clients,) = [one for one in looked["also"] if one["kind"] == Kind.CLIENTS]
    assert clients["rows_by_rule"] == {"conflicting_rows": 2}
    run = desk.run("check", given)
    assert "read for clients" in run.output
    assert landed(drafted(desk, given), given)[Kind.CLIENTS].rows_quarantined == 2


def test_a_file_of_clients_beside_it_is_where_clients_come_from(desk):
    given = desk.file("in/export.csv", repeated())
    clients = desk.file("in/people.csv", "client_id,gender\n" + "".join(f"k{c:03}x,{'fm'[c % 2]}\n" for c in range(20)))
    study = drafted(desk, given, clients)
    sources = study.settings.sources
    assert sources[Kind.CLIENTS].pattern != sources[Kind.SESSIONS].pattern
    assert sources[Kind.EPISODES].pattern == sources[Kind.SESSIONS].pattern
    assert "gender" in sources[Kind.SESSIONS].drop
    assert len(landed(study, given, clients)) == 3


def test_files_of_several_months_and_one_of_which_nothing_fits(desk):
    rows = repeated().splitlines(keepends=True)
    months = [desk.file(f"in/visits_{n}.csv", "".join([rows[0], *rows[1 + n * 40 : 41 + n * 40]])) for n in range(2)]
    odd = desk.file("in/prices.csv", "item,price\nbread,2\nmilk,1\n")
    run = desk.run("init", desk.root / "study", "--from", *months, odd)
    assert run.exit_code == 0, run.output
    assert "nothing is read from prices.csv" in run.output
    study = StudyFolder.open(desk.root / "study")
    for path in months:
        (study.inbox / path.name).write_bytes(path.read_bytes())
    report = land_inbox(study)
    assert (len(report.landed), report.refused) == (6, ())


def test_where_no_client_comes_twice_nothing_is_said_to_be_the_clients(desk):
    rows = [row for row in repeated().splitlines() if row == HEADER or row.split(",")[2] == "1"]
    study = drafted(desk, desk.file("sessions.csv", "\n".join(rows) + "\n"))
    assert set(study.settings.sources) == {Kind.SESSIONS}


def test_a_column_that_identifies_is_of_no_kind(desk):
    text = repeated().replace("reactance", "surname")
    study = drafted(desk, desk.file("export.csv", text))
    assert "surname" in study.settings.sources[Kind.SESSIONS].drop
    assert "surname" not in {name for one in study.settings.sources.values() for name in one.columns.values()}


def test_sheets_of_a_workbook_are_kinds_and_one_may_hold_two(desk):
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        visits, people, notes = (book.add_worksheet(name) for name in ("Visits", "People", "Read me"))
        for place, row in enumerate([HEADER.split(",")[:5], *(said.split(",") for _, _, said in SESSIONS[:80])]):
            visits.write_row(place, 0, row)
        people.write_row(0, 0, ["client_id", "gender", "reactance", "start_date", "end_reason"])
        for c in range(20):
            people.write_row(c + 1, 0, [f"k{c:03}x", "fm"[c % 2], c % 6, f"2024-01-{c + 1:02}", "completed"])
        notes.write_row(0, 0, ["topic", "remark"])
        notes.write_row(1, 0, ["a", "b"])
    given = desk.file("practice.xlsx", out.getvalue())
    study = drafted(desk, given)
    assert not any(source.drop for source in study.settings.sources.values())
    found = landed(study, given)
    assert {kind: one.rows_landed for kind, one in found.items()} == {
        Kind.SESSIONS: 80, Kind.EPISODES: 20, Kind.CLIENTS: 20,
    }  # fmt: skip


WIDE = "client_id,therapist_id,gender,start_date," + ",".join(f"satisfaction_{n}" for n in (1, 2, 3))


def test_a_wide_file_holds_the_clients_too(desk):
    rows = [f"k{c:03}x,t{c % 3}q,{'fm'[c % 2]},2024-01-{c + 1:02},{c % 5},{c % 4},{c % 3}" for c in range(20)]
    given = desk.file("all.csv", "\n".join([WIDE, *rows]) + "\n")
    study = drafted(desk, given)
    found = landed(study, given)
    assert {kind: one.rows_landed for kind, one in found.items()} == {
        Kind.SESSIONS: 60, Kind.EPISODES: 20, Kind.CLIENTS: 20,
    }  # fmt: skip


DICTIONARY = """Variable / Field Name,Form Name,Section Header,Field Type,Field Label,"Choices, Calculations, OR Slider Labels",Field Note,Text Validation Type OR Show Slider Number,Text Validation Min,Text Validation Max,Identifier?
record_id,intake,,text,Record,,,,,,
therapist,intake,,text,Therapist,,,,,,
gender,intake,,radio,Gender,"1, woman | 2, man",,,,,
surname,intake,,text,Name,,,,,,y
start_date,intake,,text,Start,,,date_ymd,,,
end_reason,intake,,radio,End,"1, completed | 2, dropout",,,,,
satisfaction,visit,,text,Satisfaction,,,number,0,10,
directiveness,visit,,text,Directiveness,,,number,0,10,
"""  # noqa: E501


def redcap() -> str:
    header = (
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,therapist,gender,surname,start_date,end_reason,"
        "intake_complete,satisfaction,directiveness,visit_complete"
    )
    rows = []
    for c in range(20):
        rows.append(f"k{c:03}x,,,t{c % 3}q,{1 + c % 2},Meier,2024-01-{c + 1:02},{1 + c % 2},2,,,")
        rows += [f"k{c:03}x,visit,{s},,,,,,,{c % 5},{(c + s) % 7},2" for s in range(1, 4)]
    return "\n".join([header, *rows]) + "\n"


def test_a_redcap_export_gives_sessions_and_what_stands_on_the_records_own_rows(desk):
    given = desk.file("Project_DATA.csv", redcap())
    dictionary = desk.file("Project_DataDictionary.csv", DICTIONARY)
    study = drafted(desk, given, dictionary)
    found = landed(study, given)
    assert {kind: one.rows_landed for kind, one in found.items()} == {
        Kind.SESSIONS: 60, Kind.EPISODES: 20, Kind.CLIENTS: 20,
    }  # fmt: skip
    text = study.settings_path.read_text(encoding="utf-8")
    assert "Meier" not in text
    assert text.count('"surname"') == 1
    assert 'dictionary = "Project_DataDictionary.csv"' in text
    assert (study.root / dictionary.name).read_bytes() == dictionary.read_bytes()
    assert study.settings.sources[Kind.SESSIONS].redcap.instrument == "visit"
    assert study.settings.sources[Kind.CLIENTS].redcap.instrument == ""


def test_nothing_is_written_but_the_study(desk):
    given = desk.file("in/export.csv", repeated())
    before = given.read_bytes()
    drafted(desk, given)
    assert given.read_bytes() == before
    assert sorted(path.name for path in desk.root.iterdir()) == ["in", "study"]
    assert [path.name for path in (desk.root / "in").iterdir()] == ["export.csv"]
    assert sorted(path.name for path in (desk.root / "study").iterdir()) == ["inbox", "study.toml"]


def test_a_data_dictionary_gives_labels_codes_and_bounds_to_guess_by(desk):
    text = DICTIONARY.replace("satisfaction,visit,,text,Satisfaction", "q1,visit,,text,Satisfaction")
    text = text.replace("end_reason,intake,,radio,End", "how,intake,,radio,Which way")
    given = desk.file("Project_DATA.csv", redcap().replace("satisfaction", "q1").replace("end_reason", "how"))
    study = drafted(desk, given, desk.file("Project_DataDictionary.csv", text))
    sources = study.settings.sources
    assert sources[Kind.SESSIONS].columns["satisfaction"] == "q1"
    assert sources[Kind.EPISODES].columns["ending"] == "how"
    assert sources[Kind.EPISODES].codes["ending"] == {"1": "agreed", "2": "client_ended"}
    assert (study.settings.scales["satisfaction"].minimum, study.settings.scales["satisfaction"].maximum) == (0, 10)
