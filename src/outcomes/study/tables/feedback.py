"""What `study.toml` says of pages for single therapists: off unless switched on, with who agreed to it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field, field_validator, model_validator

from outcomes.study.tables.base import Part
from outcomes.study.tables.delivery import public_key

_LEAST_CONSENT = 10  # letters: "yes" says of nobody that they agreed
_ENOUGH = 10


class PeriodLength(StrEnum):
    """Of what lengths of the calendar a page tells."""

    QUARTER = "quarter"
    HALF_YEAR = "half_year"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months."""
        return {PeriodLength.QUARTER: 3, PeriodLength.HALF_YEAR: 6, PeriodLength.YEAR: 12}[self]


class Feedback(Part):
    """Pages for single therapists on their own clients."""

    enabled: bool = Field(
        False, description="Whether `outcomes feedback` may write pages for single therapists", examples=["true"]
    )
    consent: str = Field(
        "",
        description="Who agreed to it, in your own words; without it `enabled = true` is refused",
        examples=['"All therapists, in writing, 3 March 2026; works council, 10 March 2026"'],
    )
    minimum_clients: int = Field(
        _ENOUGH,
        ge=_ENOUGH,
        description="With fewer clients in a period nothing is told of it; [disclosure] minimum_count where larger",
        examples=["12"],
    )
    period: PeriodLength = Field(
        PeriodLength.HALF_YEAR,
        description="Length of a period; it stays what it was when the first page was written",
        examples=['"year"'],
    )
    settle_days: int = Field(
        28,
        ge=0,
        description="So many days after its end a period is told, once and for good: late files come in before",
        examples=["60"],
    )
    encrypt_to: dict[str, str] = Field(
        default_factory=dict,
        description="Public age key by therapist id: that therapist's page is written encrypted only",
        examples=['{ t01 = "age1..." }'],
    )

    @field_validator("encrypt_to")
    @classmethod
    def _are_public_keys(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value.values():
            public_key(key)
        return value

    @model_validator(mode="after")
    def _somebody_agreed(self) -> Feedback:
        if self.enabled and len(self.consent) < _LEAST_CONSENT:
            raise ValueError('say who agreed to pages for single therapists: consent = "..."')
        return self
