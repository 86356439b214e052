"""For whom documents are written, and in which language."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator

from outcomes.errors import UsageError
from outcomes.languages import read_language
from outcomes.study.tables.base import Part
from outcomes.study.tables.layouts import FOLDER


class Report(Part):
    """For whom the report is written."""

    title: str = Field(
        "", description="Title of the report; empty: the study's name", examples=['"Guidance in our practices"']
    )
    audience: str = Field(
        "practice leads, clinicians and service users",
        description="For whom it is written",
        examples=['"practice leads"'],
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$",
        description="Language of brief, report, mails and feedback: `en`, `de`, or one with a catalogue "
        "`languages/<code>.po` of the study's own (docs/report.md)",
        examples=['"de"'],
    )
    interactive: bool = Field(
        False,
        description="Whether `explorer.html` is written too: pictures to point at, for readers who allow scripts",
        examples=["true"],
    )

    @field_validator("language")
    @classmethod
    def _has_a_catalogue(cls, value: str, info: ValidationInfo) -> str:
        try:
            read_language(value, (info.context or {}).get(FOLDER))
        except UsageError as refused:
            raise ValueError(f"{refused.message}; {refused.hint}") from None
        return value
