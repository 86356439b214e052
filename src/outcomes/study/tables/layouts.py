"""How `study.toml` says what the layout of a foreign export is: its name, and what only that layout needs to know."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from outcomes.study.tables.base import Part

FOLDER = "folder"
"""Key of the validation context: the study's folder, below which companion files of exports lie."""


class LayoutName(StrEnum):
    """How the rows of a source file are laid out."""

    TABLE = "table"  # one row is one row; the name's ending tells the format
    WIDE = "wide"  # one row a client, sessions side by side
    REDCAP = "redcap"
    QUALTRICS = "qualtrics"
    FHIR = "fhir"
    PMHC = "pmhc"
    IAPT = "iapt"
    ITEMS = "items"  # one row an answer to one item of a questionnaire
    CODED = "coded"  # one row an utterance with its code, by one coder
    FLAT = "flat"  # one row a session, with what belongs to its client and course of therapy


class Encoding(StrEnum):
    """How a text file's bytes stand for letters."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WINDOWS_1252 = "windows-1252"
    LATIN_1 = "latin-1"


class RedcapOptions(Part):
    """A REDCap export (flat CSV) and the data dictionary of its project."""

    dictionary: str = Field(
        "",
        description="The project's data dictionary (CSV): a path below the study folder, outside inbox/",
        examples=['"dictionary.csv"'],
    )
    instrument: str = Field(
        "", description="Rows of this repeating form are taken; empty: the record's own rows", examples=['"session"']
    )
    events: tuple[str, ...] = Field(
        (), description="Rows of these events are taken; empty: of all", examples=['["visit_1_arm_1"]']
    )
    record_event: str = Field(
        "",
        description="The event whose row has what belongs to the record as a whole; empty: all others",
        examples=['"enrollment_arm_1"'],
    )
    server: str = Field(
        "",
        description="Address of the project's API, for `outcomes pull`; its token: OUTCOMES_REDCAP_TOKEN",
        examples=['"https://redcap.clinic.example/api/"'],
    )

    @field_validator("server")
    @classmethod
    def _is_private(cls, value: str) -> str:
        parts = urlsplit(value)
        is_here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if value and not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
            raise ValueError("the token would travel in the open: the address must begin with https://")
        if value and not value.endswith("/api/"):
            raise ValueError("the address of REDCap's API ends in /api/")
        return value

    @field_validator("dictionary")
    @classmethod
    def _lies_in_the_study(cls, value: str, info: ValidationInfo) -> str:
        return companion(value, info)


class QualtricsOptions(Part):
    """A Qualtrics export (CSV with two or three header rows, or SPSS)."""

    finished_only: bool = Field(False, description="Leave out answers that were not finished", examples=["true"])
    real: tuple[str, ...] = Field(
        (), description="Further words of Status that stand for a real answer", examples=['["IP-Adresse"]']
    )


class FhirOptions(Part):
    """Answered questionnaires of a FHIR server (QuestionnaireResponse: JSON, Bundle, NDJSON)."""

    questionnaire: str = Field(
        "",
        description="The Questionnaire that gives the answers' points (JSON): a path below the study folder, outside "
        "inbox/; not needed where the Bundle brings it",
        examples=['"questionnaire.json"'],
    )
    form: str = Field(
        "",
        description="Answers to this questionnaire are taken: the last part of its address; empty: there is only one",
        examples=['"session-rating"'],
    )
    points: dict[str, float] = Field(
        default_factory=dict,
        description="What coded answers are worth where no Questionnaire says so: code = points",
        examples=["{ LA6568-5 = 0, LA6569-3 = 1 }"],
    )
    totals: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Stored totals that are held against their items: linkId of the total = linkIds of the items",
        examples=['{ total = ["item-1", "item-2"] }'],
    )

    @field_validator("questionnaire")
    @classmethod
    def _lies_in_the_study(cls, value: str, info: ValidationInfo) -> str:
        return companion(value, info)


class IaptOptions(Part):
    """An extract of NHS Talking Therapies (IAPT data set v2.1): a zip of its CSV tables."""

    appointments: tuple[str, ...] = Field(
        (),
        description="Contacts of these types are taken (AppType, such as 02 for treatment); empty: of all",
        examples=['["02", "03", "05"]'],
    )


class ItemsOptions(Part):
    """Answers to questionnaires of which each has a row of its own."""

    item: str = Field(
        "item", description="Column that says which item a row answers: its number or its name", examples=['"question"']
    )
    answer: str = Field("answer", description="Column of the answers", examples=['"response"'])
    instrument: str = Field(
        "",
        description="Column that says which questionnaire a row belongs to; an item is then called "
        "`<questionnaire>_<item>` in `[instruments]`; empty: by the item's own cell",
        examples=['"form"'],
    )


class CodedOptions(Part):
    """Coded sessions: which codes are directive, and where code, coder and utterance stand."""

    directive: tuple[str, ...] = Field((), description="Codes that are directive", examples=['["ADW", "CO", "DI"]'])
    not_directive: tuple[str, ...] = Field(
        (), description="Codes that count and are not directive", examples=['["OQ", "RE", "AF"]']
    )
    not_counted: tuple[str, ...] = Field(
        (), description="Codes that do not count, such as those of the client's words", examples=['["FI", "CT"]']
    )
    code: str = Field("code", description="Column of the codes", examples=['"misc_code"'])
    coder: str = Field("coder", description="Column of the coders (pseudonyms)", examples=['"rater"'])
    utterance: str = Field(
        "utterance", description="Column of the utterance's number in its session", examples=['"turn"']
    )

    @property
    def known(self) -> tuple[str, ...]:
        """All codes that the study declares."""
        return (*self.directive, *self.not_directive, *self.not_counted)


def companion(value: str, info: ValidationInfo) -> str:
    """Return the path of a file that an export needs beside it; relative ones start at the study folder.

    Raises
    ------
    ValueError
        If it lies in the inbox, where every file is a source file.
    """
    if value.startswith(("inbox/", "./inbox/")):
        raise ValueError("this file belongs outside inbox/, where every file is taken for data")
    folder = (info.context or {}).get(FOLDER)
    return str(folder / value) if folder is not None and value else value
