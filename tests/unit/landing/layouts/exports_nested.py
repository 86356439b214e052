"""The same small set of sessions as FHIR and as national data sets: nested, or in tables that belong together."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from exports_common import Row, Written, after, csv_text

FHIR_STUDY = """format = "fhir"
fhir = { form = "after-session" }
[sources.sessions.columns]
client_id = "subject"
therapist_id = "therapist"
session_date = "authored"
session_number = "n"
attended = "came"
satisfaction = "sat"
directiveness = "dir"
"""
ORDINAL = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
FHIR_FORM = {
    "resourceType": "Questionnaire",
    "url": "https://clinic.example/Questionnaire/after-session",
    "status": "active",
    "item": [
        {
            "linkId": "group",
            "type": "group",
            "item": [
                {
                    "linkId": "sat",
                    "text": "How was it?",
                    "answerOption": [
                        {
                            "valueCoding": {
                                "system": "urn:made", "code": f"at{10 - n}",
                                "extension": [{"url": ORDINAL, "valueDecimal": n}],
                            }
                        }
                        for n in range(11)
                    ],
                }
            ],
        }
    ],
}  # fmt: skip


def fhir_answer(text: str) -> dict:
    """Return an answer of the type that a text fits."""
    try:
        number = json.loads(text)
    except ValueError:
        return {"valueString": text}
    return {"valueInteger" if isinstance(number, int) else "valueDecimal": number}


def fhir_entries(rows: list[Row]) -> list[dict]:
    """Return an Encounter with its therapist and a response with nested items for each row."""
    entries = []
    for place, row in enumerate(rows):
        sat = row["satisfaction"]
        is_option = sat.isdigit() and int(sat) <= 10
        answers = {
            "n": fhir_answer(row["session_number"]), "came": fhir_answer(row["attended"]),
            "dir": fhir_answer(row["directiveness"]),
            "sat": {"valueCoding": {"code": f"at{10 - int(sat)}", "display": "so"}} if is_option else fhir_answer(sat),
        }  # fmt: skip
        items = [{"linkId": link, "text": "Wording", "answer": [answer]} for link, answer in answers.items()]
        entries += [
            {
                "fullUrl": f"urn:uuid:{place}",
                "resource": {
                    "resourceType": "Encounter", "id": f"e{place}",
                    "subject": {"reference": f"Patient/{row['client_id']}"},
                    "participant": [{"individual": {"reference": f"Practitioner/{row['therapist_id']}"}}],
                },
            },
            {
                "resource": {
                    "resourceType": "QuestionnaireResponse", "id": f"r{place}", "status": "completed",
                    "questionnaire": "https://clinic.example/Questionnaire/after-session|1.2",
                    "subject": {"reference": f"Patient/{row['client_id']}", "display": "Ann Marker"},
                    "authored": f"{row['session_date']}T10:30:00Z" if row["session_date"][:2] == "20"
                    else row["session_date"],
                    "encounter": {"reference": f"urn:uuid:{place}"},
                    "item": [{"linkId": "group", "item": items}],
                }
            },
        ]  # fmt: skip
    return entries


def as_fhir(rows: list[Row], folder: Path) -> Written:
    """A Bundle with the Questionnaire, then for each row an Encounter and a response."""
    bundle = {
        "resourceType": "Bundle", "type": "collection", "entry": [{"resource": FHIR_FORM}, *fhir_entries(rows)]
    }  # fmt: skip
    lines = tuple(range(3, 3 + 2 * len(rows), 2))
    return Written(json.dumps(bundle, indent=1).encode(), "sessions.json", FHIR_STUDY, lines)


def zipped(tables: dict[str, list[list[str]]]) -> bytes:
    """Pack tables as CSV files of a zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            archive.writestr(zipfile.ZipInfo(f"{name}.csv"), csv_text(rows), zipfile.ZIP_DEFLATED)
    return out.getvalue()


PMHC_STUDY = """format = "pmhc"
date_format = "%d%m%Y"
[sources.sessions.columns]
client_id = "client_key"
therapist_id = "therapist"
session_number = "n"
session_date = "service_contact_date"
satisfaction = "sat"
directiveness = "dir"
"""


def eight(day: str) -> str:
    """Write a day as DDMMYYYY; what is none stays."""
    return f"{day[8:]}{day[5:7]}{day[:4]}" if day[4:5] == "-" else day


def pmhc_tables(rows: list[Row]) -> dict[str, list[list[str]]]:
    """An upload whose contacts have ratings that the data set itself has not."""
    clients = list(dict.fromkeys(row["client_id"] for row in rows))
    contacts = [
        ["o1", f"s{place}", f"e-{row['client_id']}", eight(row["session_date"]),
         {"1": "2", "0": "1"}.get(row["attended"], row["attended"]), row["session_number"], row["satisfaction"],
         row["directiveness"]]
        for place, row in enumerate(rows)
    ]  # fmt: skip
    who = [line for place, row in enumerate(rows)
           for line in (["o1", f"p{place}a", f"s{place}", row["therapist_id"], "1"],
                        ["o1", f"p{place}b", f"s{place}", "assistant", "2"])]  # fmt: skip
    return {
        "metadata": [["key", "value"], ["type", "PMHC"], ["version", "4.0"]],
        "clients": [["organisation_path", "client_key", "client_gender"], *(["o1", one, "1"] for one in clients)],
        "episodes": [
            ["organisation_path", "episode_key", "client_key", "episode_end_date", "episode_completion_status"],
            *(["o1", f"e-{one}", one, "", "0"] for one in clients),
        ],
        "service-contacts": [
            ["organisation_path", "service_contact_key", "episode_key", "service_contact_date",
             "service_contact_no_show", "n", "sat", "dir"], *contacts,
        ],
        "service-contact-practitioners": [
            ["organisation_path", "service_contact_practitioner_key", "service_contact_key", "practitioner_key",
             "primary_practitioner_indicator"], *who,
        ],
    }  # fmt: skip


def as_pmhc(rows: list[Row], folder: Path) -> Written:
    """An upload of PMHC-MDS."""
    return Written(zipped(pmhc_tables(rows)), "sessions.zip", PMHC_STUDY, after(2, rows))


IAPT_STUDY = """format = "iapt"
[sources.sessions.columns]
client_id = "Person_ID"
therapist_id = "therapist"
session_number = "n"
session_date = "CareContDate"
satisfaction = "score_747891000000106"
directiveness = "dir"
"""


def iapt_tables(rows: list[Row], month: str = "1500", first: int = 0) -> dict[str, list[list[str]]]:
    """One month's tables; satisfaction stands as a coded score, directiveness in a column of the provider's own."""
    clients = list(dict.fromkeys(row["client_id"] for row in rows))
    activities = [[month, f"a{first + n}{side}", f"k{first + n}", f"r-{row['client_id']}", row["therapist_id"]]
                  for n, row in enumerate(rows) for side in "xy"]  # fmt: skip
    return {
        "IDS101_Referral": [
            ["Unique_MonthID", "ServiceRequestId", "Person_ID", "ReferralRequestReceivedDate", "ServDischDate",
             "EndCode"],
            *([month, f"r-{one}", one, "2024-01-02", "", ""] for one in clients),
        ],
        "IDS201_CareContact": [
            ["Unique_MonthID", "CareContactId", "ServiceRequestId", "Person_ID", "CareContDate", "AttendOrDNACode",
             "AppType", "n", "dir"],
            *([month, f"k{first + n}", f"r-{row['client_id']}", row["client_id"], row["session_date"],
               {"1": "5", "0": "3"}.get(row["attended"], "9"), "02", row["session_number"], row["directiveness"]]
              for n, row in enumerate(rows)),
        ],
        "IDS202_CareActivity": [
            ["Unique_MonthID", "CareActId", "CareContactId", "ServiceRequestId", "CarePersLocalId"], *activities
        ],
        "IDS607_CodedScoreAssessmentAct": [
            ["Unique_MonthID", "CareActId", "CodedAssToolType", "PersScore"],
            *([month, f"a{first + n}x", "747891000000106", row["satisfaction"]] for n, row in enumerate(rows)),
        ],
    }  # fmt: skip


def as_iapt(rows: list[Row], folder: Path) -> Written:
    """One month of NHS Talking Therapies."""
    return Written(zipped(iapt_tables(rows)), "sessions.zip", IAPT_STUDY, after(2, rows))
