"""What other systems call the columns of the contract; each name in lower case, words joined by underscores."""

from __future__ import annotations

from outcomes.contract import Column, Ending

_NAMES = {
    "practice_id": """
        practice clinic clinic_id site site_id service_id centre center org organisation organization praxis
        praxis_id redcap_data_access_group county_id team_id provider_org
    """,
    "therapist_id": """
        therapist therapist_code counsellor counselor clinician clinician_id practitioner practitioner_id
        practitioner_key provider_id staff_id worker psychologist therapeut therapeut_id therapeuten_id behandler
        care_pers_local_id carepers_local_id carer th_id
    """,
    "client_id": """
        client client_key client_code patient patient_id pat_id participant participant_id subject subject_id
        record_id person_id study_id pid case_id service_user_id klient klient_id klienten_id patienten_id
        pseudonym id code local_patient_id person_key
    """,
    "episode_id": """
        episode episode_key referral_id treatment_id therapy_id course_id case_number behandlung_id
        service_request_id serv_request_id
    """,
    "session_number": """
        session session_no session_nr session_num sessionnumber sitzung sitzungsnummer visit visit_no
        visit_number contact_number appointment_number redcap_repeat_instance instance nr
    """,
    "session_date": """
        date datum sitzungsdatum visit_date date_of_visit date_at_visit date_of_session appointment_date
        contact_date service_contact_date care_cont_date authored session_day
    """,
    "attended": "attendance attend came show was_attended is_attended erschienen present seen",
    "directiveness": """
        directive direct guidance guidance_rating guidance_received therapist_directiveness structure structuring
        leading direktivitaet direktivitat anleitung steering
    """,
    "satisfaction": """
        satisfied session_satisfaction sat zufriedenheit satisfaction_score srs srs_total csq csq8 csq_total
        session_rating helpfulness helpful satisfaction_rating
    """,
    "alliance": """
        working_alliance wai wai_sr wai_total waisr therapeutic_alliance haq beziehung allianz arbeitsbuendnis
        relationship
    """,
    "autonomy_support": "autonomy hccq hccq_total autonomie",
    "felt_overwhelmed": "overwhelmed overwhelm overload ueberfordert too_much",
    "asked_about_guidance": "asked asked_guidance asked_feedback feedback_asked",
    "empowerment": "empowered empower empowerment_score self_efficacy",
    "start": """
        start_date date_start intake_date referral_date begin begin_date beginn admission_date first_contact
        date_of_referral date_enrolled enrollment_date referral_request_received_date
    """,
    "end": """
        end_date date_end discharge_date date_of_discharge closing_date closed exit_date ende episode_end_date
        serv_disch_date termination_date
    """,
    "ending": """
        end_code end_reason ending_reason reason_for_ending discharge_reason reason_for_discharge closure_reason
        episode_completion_status outcome_status ending_type beendigung abschluss termination_type
        termination_reason
    """,
    "planned_sessions": "planned sessions_planned n_planned contracted_sessions sessions_contracted",
    "intake_severity": """
        severity baseline_severity severity_intake intake_score phq9 phq_9 phq9_total core10 core_10 core_om gad7
        gad_7 k10 k10p_score oq45 oq_45 schweregrad ors_intake
    """,
    "data_cut": "cut extract_date date_of_extract export_date snapshot_date stichtag",
    "directiveness_preferred": """
        preferred_directiveness preferred prefers preference preferred_guidance guidance_preferred guidance_preference
        cnip c_nip cnip_directiveness wish_for_guidance
    """,
    "reactance": "hong hprs hong_total reactance_score trps reaktanz",
    "age_band": "age_group agegroup age_category alter altersgruppe",
    "gender": "sex geschlecht gender_id gender_identity",
}
SYNONYMS: dict[str, tuple[str, ...]] = {column: tuple(names.split()) for column, names in _NAMES.items()}
"""By the contract's name of the column."""

KNOWN = frozenset(SYNONYMS) | {name for names in SYNONYMS.values() for name in names}
"""All names by which some column of the contract is known."""

_CODE_WORDS: dict[str, dict[str, str]] = {
    "ending": {
        "agreed": Ending.AGREED, "completed": Ending.AGREED, "planned": Ending.AGREED, "complete": Ending.AGREED,
        "mutual": Ending.AGREED, "concluded": Ending.AGREED, "beendet": Ending.AGREED,
        "dropout": Ending.CLIENT_ENDED, "dropped out": Ending.CLIENT_ENDED, "drop-out": Ending.CLIENT_ENDED,
        "unplanned": Ending.CLIENT_ENDED, "abbruch": Ending.CLIENT_ENDED, "discontinued": Ending.CLIENT_ENDED,
        "too early": Ending.JUDGED_PREMATURE, "not known": Ending.UNKNOWN,
        "declined": Ending.CLIENT_ENDED, "client ended": Ending.CLIENT_ENDED, "disengaged": Ending.CLIENT_ENDED,
        "moved": Ending.MOVED_AWAY, "moved away": Ending.MOVED_AWAY, "deceased": Ending.DIED, "died": Ending.DIED,
        "dead": Ending.DIED, "referred": Ending.REFERRED_ON, "referred on": Ending.REFERRED_ON,
        "ongoing": Ending.OPEN, "active": Ending.OPEN, "open": Ending.OPEN, "in treatment": Ending.OPEN,
        "laufend": Ending.OPEN, "unknown": Ending.UNKNOWN, "other": Ending.UNKNOWN, "unbekannt": Ending.UNKNOWN,
    },
    "gender": {
        "f": "woman", "female": "woman", "w": "woman", "weiblich": "woman", "femme": "woman", "frau": "woman",
        "m": "man", "male": "man", "männlich": "man", "maennlich": "man", "homme": "man", "mann": "man",
        "nb": "non-binary", "nonbinary": "non-binary", "divers": "non-binary", "d": "non-binary", "x": "other",
        "unknown": "not stated", "prefer not to say": "not stated", "k.a.": "not stated",
    },
    "age_band": {},
}  # fmt: skip


def meaning(word: str, column: Column) -> str | None:
    """Return the contract's code that a word stands for, where it is a usual one; None else.

    Parameters
    ----------
    word : str
        As a file or its data dictionary has it.
    column : Column
        With a closed list.
    """
    plain = word.strip().lower()
    same = next((code for code in column.codes if plain.replace(" ", "_") == code.replace(" ", "_")), None)
    return same or _CODE_WORDS[column.name].get(plain)
