"""The archives of the recipes for national data sets: the same simulated cohort as tables that belong together."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from raw_files import Cells, of_one_course

from outcomes.simulate import Cohort

PMHC_ENDINGS = {"agreed": "1", "client_ended": "3", "open": "0", "": "0"}
IAPT_ENDINGS = {"agreed": "46", "client_ended": "47", "judged_premature": "47", "open": "", "": ""}


def _packed(path: Path, tables: dict[str, Cells]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables.items():
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows(rows)
            archive.writestr(f"{name}.csv", out.getvalue())


def _eight(day: str) -> str:
    return f"{day[8:]}{day[5:7]}{day[:4]}" if day else "09099999"


def pmhc(cohort: Cohort, root: Path) -> None:
    """An upload with statistical linkage keys and dates of birth, which must not come in."""
    sessions, episodes, clients = (list(frame.iter_rows(named=True)) for frame in of_one_course(cohort))
    contacts = [
        ["o1", f"s{n}", row["episode_id"], _eight(row["session_date"]), "2" if row["attended"] == "yes" else "1"]
        for n, row in enumerate(sessions)
    ]
    _packed(
        root / "inbox" / "pmhc_upload.zip",
        {
            "metadata": [["key", "value"], ["type", "PMHC"], ["version", "4.0"]],
            "clients": [
                ["organisation_path", "client_key", "slk", "date_of_birth"],
                *(["o1", row["client_id"], "ARKAN010119801", "01011980"] for row in clients),
            ],
            "episodes": [
                ["organisation_path", "episode_key", "client_key", "episode_end_date", "episode_completion_status"],
                *(["o1", row["episode_id"], row["client_id"], *_pmhc_end(row)] for row in episodes),
            ],
            "service-contacts": [
                ["organisation_path", "service_contact_key", "episode_key", "service_contact_date",
                 "service_contact_no_show"], *contacts,
            ],
            "service-contact-practitioners": [
                ["organisation_path", "service_contact_practitioner_key", "service_contact_key", "practitioner_key",
                 "primary_practitioner_indicator"],
                *(["o1", f"p{n}", f"s{n}", row["therapist_id"], "1"] for n, row in enumerate(sessions)),
            ],
        },
    )  # fmt: skip


def _pmhc_end(episode: dict[str, str]) -> list[str]:
    """Return the end and the completion status of an episode; open ones have no end."""
    status = PMHC_ENDINGS.get(episode["ending"], "6")
    return [_eight("" if status == "0" else episode["end"]), status]


def iapt(cohort: Cohort, root: Path) -> None:
    """One month's tables, with NHS numbers, which must not come in."""
    sessions, episodes, clients = (list(frame.iter_rows(named=True)) for frame in of_one_course(cohort))
    came = {"yes": "5"}
    _packed(
        root / "inbox" / "iapt_2024.zip",
        {
            "IDS001_MPI": [["Person_ID", "NHSNumber"], *([row["client_id"], "9434765919"] for row in clients)],
            "IDS101_Referral": [
                ["Unique_MonthID", "ServiceRequestId", "Person_ID", "ReferralRequestReceivedDate", "ServDischDate",
                 "EndCode"],
                *(["1500", row["episode_id"], row["client_id"], row["start"],
                   row["end"] if IAPT_ENDINGS.get(row["ending"], "96") else "", IAPT_ENDINGS.get(row["ending"], "96")]
                  for row in episodes),
            ],
            "IDS201_CareContact": [
                ["Unique_MonthID", "CareContactId", "ServiceRequestId", "Person_ID", "CareContDate", "AttendOrDNACode",
                 "AppType"],
                *(["1500", f"k{n}", row["episode_id"], row["client_id"], row["session_date"],
                   came.get(row["attended"], "3"), "02"] for n, row in enumerate(sessions)),
            ],
            "IDS202_CareActivity": [
                ["Unique_MonthID", "CareActId", "CareContactId", "ServiceRequestId", "CarePersLocalId"],
                *(["1500", f"a{n}", f"k{n}", row["episode_id"], row["therapist_id"]] for n, row in enumerate(sessions)),
            ],
            "IDS607_CodedScoreAssessmentAct": [
                ["Unique_MonthID", "CareActId", "CodedAssToolType", "PersScore"],
                *(["1500", f"a{n}", "720433000", str(n % 28)] for n, row in enumerate(sessions)
                  if row["attended"] == "yes"),
            ],
        },
    )  # fmt: skip


NATIONAL: dict[str, Callable[[Cohort, Path], None]] = {"pmhc": pmhc, "iapt": iapt}
"""By recipe; none of them has a rating of a session that the contract knows."""
