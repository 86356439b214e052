"""What `study.toml` says of what may leave for stakeholders."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator

from outcomes.study.tables.base import Part


class QuasiIdentifier(StrEnum):
    """What somebody may know of a client without the study."""

    AGE_BAND = "age_band"
    GENDER = "gender"
    PRACTICE = "practice_id"
    THERAPIST = "therapist_id"


DEFAULT_QUASI_IDENTIFIERS = (QuasiIdentifier.AGE_BAND, QuasiIdentifier.GENDER, QuasiIdentifier.PRACTICE)


class Disclosure(Part):
    """Thresholds for whatever leaves for stakeholders."""

    minimum_count: int = Field(10, ge=1, description="Smaller counts are not shown", examples=["10"])
    rounding: int = Field(5, ge=1, description="Counts are rounded to multiples of this", examples=["5"])
    minimum_therapists: int = Field(
        10, ge=2, description="With fewer, nothing is said of differences between therapists", examples=["10"]
    )
    minimum_residual_df: int = Field(
        10,
        ge=1,
        description="With fewer residual degrees of freedom a model's estimates are not shown",
        examples=["10"],
    )
    quasi_identifiers: tuple[QuasiIdentifier, ...] = Field(
        DEFAULT_QUASI_IDENTIFIERS,
        min_length=1,
        description="What others may know of a client",
        examples=['["age_band", "gender", "therapist_id"]'],
    )
    k: int = Field(
        5,
        ge=2,
        description="Age band and gender are withheld where fewer clients share their quasi-identifiers",
        examples=["5"],
    )
    l: int = Field(2, ge=1, description="... or where all who share them ended in fewer ways", examples=["2"])  # noqa: E741  the name of the literature

    @field_validator("quasi_identifiers")
    @classmethod
    def _are_listed_once(cls, value: tuple[QuasiIdentifier, ...]) -> tuple[QuasiIdentifier, ...]:
        if len(set(value)) != len(value):
            raise ValueError("a quasi-identifier is listed twice")
        return value
