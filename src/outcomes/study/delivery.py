"""To whom and how a published release is delivered, as `study.toml` declares it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from outcomes.study.base import Part

_ADDRESS = r"[^@\s,;<>]+@[^@\s,;<>]+"


class Audience(StrEnum):
    """For whom a delivery is."""

    STAKEHOLDERS = "stakeholders"  # the report
    ANALYSTS = "analysts"  # the report, the checks, and what went wrong


class Smtp(Part):
    """The mail server; user and password come from the environment or from a Prefect block, never from here."""

    host: str = ""  # empty: nothing is mailed
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = ""
    login_block: str = Field("", pattern=r"^([a-z0-9-]+(/[a-z0-9-]+)?)?$")  # a Secret's name, or type/name

    @model_validator(mode="after")
    def _sender_is_said(self) -> Smtp:
        if self.host and not re.fullmatch(_ADDRESS, self.sender):
            raise ValueError('give the sender\'s address: sender = "...@..."')
        return self


class Delivery(Part):
    """Where a published release is delivered."""

    folder: str = ""  # a copy of the report for stakeholders is put there; empty: none
    recipients: dict[Audience, tuple[str, ...]] = Field(default_factory=dict)
    smtp: Smtp = Smtp()

    @field_validator("recipients")
    @classmethod
    def _are_addresses(cls, value: dict[Audience, tuple[str, ...]]) -> dict[Audience, tuple[str, ...]]:
        for audience, addresses in value.items():
            if odd := sum(not re.fullmatch(_ADDRESS, address) for address in addresses):
                raise ValueError(f"{odd} of the {audience} is no mail address")
        return value

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be delivered."""
        return bool(self.folder or self.smtp.host)
