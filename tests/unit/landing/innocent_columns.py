"""Columns of rating studies that point at nobody, drawn with a seed: pseudonyms, codes, labels, ratings, dates."""

# ruff: noqa: E501  one form per line reads as a table

from __future__ import annotations

import base64
import datetime
import hashlib
import string
import uuid
from collections.abc import Callable
from random import Random

Draw = Callable[[Random], str]
BASE32 = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


def _n(draw: Random, size: int) -> str:
    return f"{draw.randrange(10**size):0{size}d}"


def _hash(draw: Random, size: int) -> str:
    return hashlib.sha256(draw.randbytes(8)).hexdigest()[:size]


def _letters(draw: Random, size: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(draw.choices(alphabet, k=size))


def _session_day(draw: Random) -> datetime.date:
    return datetime.date(2019, 1, 1) + datetime.timedelta(days=draw.randrange(2000))


IDS: dict[str, Draw] = {
    "integer": lambda d: str(d.randrange(1, 99_999)),
    "six digits": lambda d: _n(d, 6),
    "seven digits": lambda d: _n(d, 7),
    "eight digits": lambda d: _n(d, 8),
    "nine digits": lambda d: _n(d, 9),
    "ten digits": lambda d: _n(d, 10),
    "eleven digits": lambda d: _n(d, 11),
    "twelve digits": lambda d: _n(d, 12),
    "thirteen digits": lambda d: _n(d, 13),
    "ten digits from a start": lambda d: str(5_000_000_000 + d.randrange(4000)),
    "letter and number": lambda d: f"{d.choice('CPTK')}{_n(d, 4)}",
    "letter and nine digits": lambda d: f"P{_n(d, 9)}",
    "letter and ten digits": lambda d: f"R{_n(d, 10)}",
    "two letters and number": lambda d: f"{_letters(d, 2)}{_n(d, 5)}",
    "site and number": lambda d: f"{d.choice(['LDN', 'MAN', 'site', 'Praxis', 'CMHT'])}-{_n(d, 4)}",
    "site, year and number": lambda d: f"S{d.randrange(1, 9)}-{d.randrange(2018, 2025)}-{_n(d, 4)}",
    "year, stroke, number": lambda d: f"{d.randrange(2018, 2025)}/{_n(d, 4)}",
    "year, dash, number": lambda d: f"{d.randrange(2018, 2025)}-{_n(d, 5)}",
    "number, dash, number": lambda d: f"{_n(d, 4)}-{_n(d, 3)}",
    "two and three digits": lambda d: f"{_n(d, 2)}-{_n(d, 3)}",
    "record of REDCap": lambda d: f"{d.randrange(100, 999)}-{d.randrange(1, 300)}",
    "three groups": lambda d: f"{_n(d, 3)}-{_n(d, 3)}-{_n(d, 3)}",
    "dotted groups": lambda d: f"{d.randrange(1, 9)}.{d.randrange(1, 60)}.{d.randrange(1, 900)}",
    "site.therapist.client": lambda d: f"{d.randrange(1, 9):02d}.{d.randrange(1, 60):02d}.{d.randrange(1, 90):02d}",
    "underscore groups": lambda d: f"th{_n(d, 2)}_cl{_n(d, 3)}",
    "digits and a letter": lambda d: f"{_n(d, 6)}{_letters(d, 1)}",
    "eight digits and a letter": lambda d: f"{_n(d, 8)}{_letters(d, 1)}",
    "UUID": lambda d: str(uuid.UUID(int=d.getrandbits(128), version=4)),
    "UUID in capitals": lambda d: str(uuid.UUID(int=d.getrandbits(128), version=4)).upper(),
    "hash of 64": lambda d: _hash(d, 64),
    "hash of 32": lambda d: _hash(d, 32),
    "hash of 16": lambda d: _hash(d, 16),
    "hash of 12": lambda d: _hash(d, 12),
    "hash of 10": lambda d: _hash(d, 10),
    "hash of 8": lambda d: _hash(d, 8),
    "base 64": lambda d: base64.b64encode(d.randbytes(12)).decode(),
    "base 64, for addresses": lambda d: base64.urlsafe_b64encode(d.randbytes(9)).decode(),
    "base 32": lambda d: _letters(d, 8, BASE32),
    "base 32 in groups": lambda d: f"{_letters(d, 4, BASE32)}-{_letters(d, 4, BASE32)}",
    "short base 32": lambda d: _letters(d, 6, BASE32),
    "letters only": lambda d: _letters(d, 6, string.ascii_lowercase),
    "two words": lambda d: f"{d.choice(['amber', 'brisk', 'calm', 'dusky', 'eager'])}-{d.choice(['otter', 'heron', 'maple'])}-{_n(d, 3)}",
    "two words in capitals": lambda d: f"{d.choice(['Amber', 'Brisk', 'Calm', 'Dusky', 'Eager'])} {d.choice(['Otter', 'Heron', 'Maple', 'Comet'])}",
    "groups with colons": lambda d: f"{d.randrange(1, 9)}:{d.randrange(1, 60)}:{d.randrange(1, 900)}:{d.randrange(1, 4)}",
    "day and number": lambda d: f"{_session_day(d):%Y%m%d}-{_n(d, 2)}",
    "self-made code": lambda d: f"{_letters(d, 2)}{_n(d, 2)}{_letters(d, 2)}",
    "hash with a prefix": lambda d: f"client_{_hash(d, 10)}",
    "number with a check letter": lambda d: f"{_n(d, 7)}-{_letters(d, 1)}",
    "therapist code": lambda d: f"Th {d.randrange(1, 90)}",
    "client in words": lambda d: f"Client {d.randrange(1, 900)}",
    "team and number": lambda d: f"Team {d.choice('ABCDEF')} {d.randrange(1, 90)}",
}  # fmt: skip
"""Pseudonyms, one column each."""

PLACES: dict[str, tuple[str, ...]] = {
    "directions": ("Practice North", "Practice South", "Practice East", "Practice West"),
    "towns": ("Leeds", "Utrecht", "Graz", "Porto"),
    "clinics": ("City Clinic", "University Outpatient Centre", "Riverside Practice", "Campus Counselling Service"),
    "codes": ("LDN-1", "LDN-2", "MCR-1"),
    "lower case": ("north", "south", "inner city"),
    "german": ("Ambulanz Mitte", "Praxis am Park", "Klinik Süd"),
    "french": ("Cabinet du Lac", "Centre Ville", "Hôpital de jour"),
}
"""Names of practices."""

OTHERS: dict[str, tuple[str, ...]] = {
    "agreement": ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"),
    "agreement in capitals": ("Strongly Disagree", "Disagree", "Neutral", "Agree", "Strongly Agree"),
    "how much": ("Not at all", "Several days", "More than half the days", "Nearly every day"),
    "satisfaction": ("Very dissatisfied", "Somewhat satisfied", "Very satisfied"),
    "satisfaction in capitals": ("Very Dissatisfied", "Somewhat Satisfied", "Very Satisfied", "Completely Satisfied"),
    "yes and no": ("Yes", "No", "Don't know", "Not applicable"),
    "agreement, german": ("trifft gar nicht zu", "trifft eher zu", "trifft voll und ganz zu"),
    "agreement, french": ("Pas du tout", "Plutôt d'accord", "Tout à fait d'accord"),
    "agreement, spanish": ("Nada", "Bastante de acuerdo", "Totalmente de acuerdo"),
    "ratings": tuple(str(rating / 2) for rating in range(21)),
    "ratings with a comma": tuple(f"{rating / 2}".replace(".", ",") for rating in range(21)),
    "out of ten": tuple(f"{rating}/10" for rating in range(11)),
    "percent": tuple(f"{rating}%" for rating in range(0, 101, 5)),
    "missing codes": ("-99", "-98", "NA", "n/a", ".", "999"),
    "gender": ("woman", "man", "non-binary", "prefer not to say", "Trans Woman"),
    "age bands": ("18-24", "25-34", "35-44", "45-54", "55-64", "65+", "under 18"),
    "endings": ("Planned ending", "Dropped out", "Moved away", "Referred on", "Therapist left", "Still open"),
    "endings in capitals": ("Mutually Agreed", "Client Withdrew", "Moved Away", "Referred On"),
    "NHS end codes": ("46", "47", "48", "49", "96"),
    "attendance": ("attended", "did not attend", "cancelled by patient", "cancelled by provider"),
    "modality": ("CBT", "Person-Centred", "EMDR", "Psychodynamic Therapy", "Couple Therapy"),
    "diagnosis": ("F32.1", "F41.1", "F43.10", "6A70.1", "Z63.0"),
    "time points": ("baseline", "session 4", "week 12", "follow-up", "T1"),
    "months": tuple(f"{year}-{month:02d}" for year in (2021, 2022) for month in range(1, 13)),
    "weeks": tuple(f"2023-W{week:02d}" for week in range(1, 53)),
    "quarters": ("2021 Q1", "2021 Q2", "2021 Q3", "2021 Q4"),
    "times of day": ("09:00", "10:30", "14:00", "16:45"),
    "durations": ("50 min", "90 min", "1h 20"),
    "versions": ("1.2", "1.2.3", "v2.0", "2.0.1"),
    "instruments": ("CORE-10", "PHQ-9", "GAD-7", "WAI-SR", "C-NIP"),
    "languages": ("en", "de", "fr-CA", "pt-BR"),
}
"""Values of columns that are no ids: where a row breaks a rule, its cells are looked at."""

SESSION_DAYS: dict[str, str] = {"iso": "%Y-%m-%d", "dots": "%d.%m.%Y", "strokes": "%d/%m/%Y"}


def session_days(draw: Random, form: str, n: int) -> list[str]:
    return [f"{_session_day(draw):{SESSION_DAYS[form]}}" for _ in range(n)]


INNOCENT_NAMES = """
    client_id patient_code participant therapist_no practitioner_id practice site clinic_name service_name centre ward
    team_name study_arm group condition cohort wave time_point visit session session_no session_nr session_date datum
    date_seen appointment_date contact_date start_date end_date referral_date data_cut week month year duration_min
    modality format setting online attended dna cancelled cancellation_reason end_code ending_reason drop_out planned
    directiveness directive_mean guidance structure advice preference preferred_directiveness c_nip_1 cnip_total
    satisfaction csq8_total csq_item_3 srs_overall ors_total wai_sr_task wai_bond alliance_client alliance_therapist
    rupture core10 core_om_total phq9 phq_9_total gad7 oq45 bdi_ii item01 item_name scale_name variable_name
    file_name measure_name instrument_name age_band age_group agegroup gender sex ethnicity_band education_level
    employment_status relationship_status region urbanicity deprivation_decile severity intake_score baseline_score
    reactance autonomy overwhelmed empowerment asked_about_guidance feedback_used feedback_event rater observer_id
    video_rated reliability kappa icc residual fitted weight imputed missing_code reverse_coded version export_date
    batch row_number record_id redcap_event_name redcap_repeat_instance form_complete qualtrics_id progress finished
    streetlevel_service capacity capability mobile_session telephone_session phone_session postcard_sent chief_concern
    treatment_name drug_name course_name unternehmen_code notenskala_wert zielerreichung sitzung_nr therapeut
    klient_id behandlung_ende zufriedenheit patient_number case_number episode_number consent_given
"""
"""Column names of rating studies; none of them announces an identifier."""
