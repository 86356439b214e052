"""To whom and how a published release is delivered, as `study.toml` declares it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from outcomes.study.base import Part

_ADDRESS = r"[^@\s,;<>]+@[^@\s,;<>]+"
_AGE_KEY = r"age1[02-9ac-hj-np-z]{58}"  # an X25519 key in Bech32, https://age-encryption.org/v1


class Audience(StrEnum):
    """For whom a delivery is."""

    STAKEHOLDERS = "stakeholders"  # the report
    ANALYSTS = "analysts"  # the report, the checks, and what went wrong


class Smtp(Part):
    """The mail server; user and password come from the environment or from a Prefect block, never from here."""

    host: str = Field(
        "", description="Name of the mail server; empty: nothing is mailed", examples=['"mail.clinic.example"']
    )
    port: int = Field(587, ge=1, le=65535, description="Its port", examples=["587"])
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection is encrypted; with none no password is sent", examples=['"tls"']
    )
    sender: str = Field("", description="Address that mails come from", examples=['"outcomes@clinic.example"'])
    login_block: str = Field(
        "",
        pattern=r"^([a-z0-9-]+(/[a-z0-9-]+)?)?$",
        description="Prefect block with user and password; empty: OUTCOMES_SMTP_USER and OUTCOMES_SMTP_PASSWORD",
        examples=['"mail-login"'],
    )

    @model_validator(mode="after")
    def _sender_is_said(self) -> Smtp:
        if self.host and not re.fullmatch(_ADDRESS, self.sender):
            raise ValueError('give the sender\'s address: sender = "...@..."')
        return self


class Delivery(Part):
    """Where a published release is delivered."""

    folder: str = Field("", description="A copy of each report is put there; empty: none", examples=['"/srv/reports"'])
    recipients: dict[Audience, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Who gets mail: `stakeholders` the report, `analysts` also the checks and what went wrong",
        examples=['{ stakeholders = ["lead@clinic.example"] }'],
    )
    encrypt_to: tuple[str, ...] = Field(
        (), description="Public age keys: mailed reports can be read with one of theirs only", examples=['["age1..."]']
    )
    smtp: Smtp = Field(
        Smtp(),
        description="The mail server",
        examples=['{ host = "mail.clinic.example", sender = "outcomes@clinic.example" }'],
    )

    @field_validator("recipients")
    @classmethod
    def _are_addresses(cls, value: dict[Audience, tuple[str, ...]]) -> dict[Audience, tuple[str, ...]]:
        for audience, addresses in value.items():
            if odd := sum(not re.fullmatch(_ADDRESS, address) for address in addresses):
                raise ValueError(f"{odd} of the {audience} is no mail address")
        return value

    @field_validator("encrypt_to")
    @classmethod
    def _are_public_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if odd := sum(not re.fullmatch(_AGE_KEY, key.strip()) for key in value):
            raise ValueError(
                f"{odd} is no public age key, which begins with age1; a secret one (AGE-SECRET-KEY-) may not be here"
            )
        return value

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be delivered."""
        return bool(self.folder or self.smtp.host)
