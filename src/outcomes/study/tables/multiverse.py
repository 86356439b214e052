"""The multiverse of a study: in how many defensible ways one question is asked."""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import Field, field_validator

from outcomes.study.tables.base import Part


class Equivalence(StrEnum):
    """Whether the choices of a dimension are ways to the same quantity (Del Giudice & Gangestad 2021, doi
    10.1177/2515245920954925). Only over equivalent choices are specifications pooled."""

    EQUIVALENT = "E"
    NOT_EQUIVALENT = "N"
    UNCERTAIN = "U"


class Detrending(StrEnum):
    """What is held constant of the course over sessions."""

    NONE = "none"
    LINEAR = "linear"
    LOG = "log"


class Centring(StrEnum):
    """What the client's usual guidance is compared with, beside this session's departure from it."""

    CLIENT_COUNTS_ONCE = "mean_of_client_means"  # therapist's usual guidance: each client counts once
    SESSION_WEIGHTED = "mean_of_sessions"  # each session counts once
    CLIENT_ONLY = "client_mean_only"  # nothing of the therapist


class Structure(StrEnum):
    """Which random effects the model has."""

    TWO_LEVELS = "two_levels"
    THREE_LEVELS = "three_levels"
    SLOPE_BY_THERAPIST = "slope_by_therapist"


class Covariates(StrEnum):
    """What is held constant of the client."""

    NONE = "none"
    SEVERITY = "severity"
    PREFERENCE = "preference"
    BOTH = "severity_and_preference"


class Lag(StrEnum):
    """When the outcome was rated."""

    SAME_SESSION = "same_session"
    NEXT_SESSION = "next_session"


class Exclusion(StrEnum):
    """Which clients take part."""

    NONE = "all_clients"
    FEWER_THAN_2 = "at_least_2_sessions"
    FEWER_THAN_3 = "at_least_3_sessions"
    CHANGED_THERAPIST = "one_therapist_only"


class Responsiveness(StrEnum):
    """Whether therapists' responses to the session before are allowed for. The two are never equivalent."""

    IGNORED = "ignored"  # mixed models: one session at a time
    ADJUSTED = "adjusted"  # the dynamic model


Choice = TypeVar("Choice")


class Dimension(Part, Generic[Choice]):
    """One decision with its defensible choices; a single choice settles it."""

    type: Equivalence = Field(
        description="Whether the choices are ways to the same quantity: E yes, N no, U uncertain", examples=['"E"']
    )
    choices: tuple[Choice, ...] = Field(
        min_length=1, description="The choices that are tried, the study's own first", examples=['["none", "linear"]']
    )

    @field_validator("choices")
    @classmethod
    def _differ(cls, value: tuple[Choice, ...]) -> tuple[Choice, ...]:
        if len(set(value)) < len(value):
            raise ValueError("a choice is named twice")
        return value


# Made here once, in the module, or pickle would not find them when settings travel to another process.
for _kind in (Detrending, Centring, Structure, Covariates, Lag, Exclusion):
    Dimension[_kind]


def _all(kind: type[Choice], type_: Equivalence) -> Dimension[Choice]:
    return Dimension[kind](type=type_, choices=tuple(kind))


class Multiverse(Part):
    """The dimensions. Raters are those of the declared scales, whose `measures` says satisfaction or directiveness."""

    detrending: Dimension[Detrending] = Field(
        _all(Detrending, Equivalence.EQUIVALENT),
        description="How a trend over sessions is taken out",
        examples=['{ type = "E", choices = ["none", "linear"] }'],
    )
    centring: Dimension[Centring] = Field(
        _all(Centring, Equivalence.EQUIVALENT),
        description="What the departure within a client is measured from",
        examples=['{ type = "E", choices = ["client_mean_only"] }'],
    )
    structure: Dimension[Structure] = Field(
        _all(Structure, Equivalence.EQUIVALENT),
        description="Random effects",
        examples=['{ type = "E", choices = ["three_levels"] }'],
    )
    covariates: Dimension[Covariates] = Field(
        _all(Covariates, Equivalence.EQUIVALENT),
        description="What is held constant",
        examples=['{ type = "E", choices = ["none", "severity"] }'],
    )
    lag: Dimension[Lag] = Field(
        _all(Lag, Equivalence.NOT_EQUIVALENT),
        description="Whether guidance and satisfaction are of the same session",
        examples=['{ type = "N", choices = ["same_session"] }'],
    )
    exclusions: Dimension[Exclusion] = Field(
        Dimension[Exclusion](
            type=Equivalence.UNCERTAIN,
            choices=(Exclusion.NONE, Exclusion.FEWER_THAN_3, Exclusion.CHANGED_THERAPIST),
        ),
        description="Whose sessions are left out",
        examples=['{ type = "U", choices = ["all_clients"] }'],
    )
    raters: Equivalence = Field(
        Equivalence.NOT_EQUIVALENT,
        description="Type of the choice between several scales that measure the same construct",
        examples=['"N"'],
    )
    responsiveness: tuple[Responsiveness, ...] = Field(
        tuple(Responsiveness),
        description="Whether therapists' responses to the session before are allowed for; the two are never pooled",
        examples=['["ignored"]'],
    )
    flips: int = Field(
        2_000, ge=200, le=100_000, description="Random flips of sign in the joint test", examples=["2000"]
    )
    seed: int = Field(1, ge=0, description="Seed of the flips", examples=["1"])
