"""To whom and how a published release is delivered, as `study.toml` declares it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from outcomes.study.tables.base import Part

_ADDRESS = r"[^@\s,;<>]+@[^@\s,;<>]+"
_AGE_KEY = r"age1[02-9ac-hj-np-z]{58}"  # an X25519 key in Bech32, https://age-encryption.org/v1


def public_key(key: str) -> str:
    """Return a public age key as it is; anything else is refused.

    Raises
    ------
    ValueError
        If it has not the form of one.
    """
    if not re.fullmatch(_AGE_KEY, key.strip()):
        raise ValueError(
            "this is no public age key, which begins with age1; a secret one (AGE-SECRET-KEY-) may not be here"
        )
    return key


class Document(StrEnum):
    """What a release has to hand out; its files are named after it."""

    BRIEF = "brief"  # one page for everybody
    EASY = "brief-easy"  # the same in easy language, for service users
    REPORT = "report"  # for clinicians and leads
    ANNEX = "annex"  # all tables and methods, for analysts
    CHECKS = "checks"  # of the data
    EXPLORER = "explorer"  # pictures to point at, for those who allow scripts; only where the study asks for it

    @property
    def files(self) -> tuple[str, ...]:
        """Names of its files in a release."""
        is_page_only = self in (Document.CHECKS, Document.EXPLORER)
        return (f"{self}.html",) if is_page_only else (f"{self}.html", f"{self}.pdf")


class OwnDocument(StrEnum):
    """What is written for one person; no release has it, and no audience gets it."""

    FEEDBACK = "feedback"  # for one therapist, on the own clients


WRITTEN = (Document.ANNEX, Document.REPORT, Document.BRIEF, Document.EASY)
"""Documents that the report step always writes, in its order: what the annex tells first, the others repeat."""


class Audience(StrEnum):
    """For whom a delivery is."""

    SERVICE_USERS = "service_users"
    STAKEHOLDERS = "stakeholders"  # clinicians, leads, funders
    ANALYSTS = "analysts"  # they are told what went wrong, too


_DOCUMENTS = {
    Audience.SERVICE_USERS: (Document.EASY,),
    Audience.STAKEHOLDERS: (Document.BRIEF, Document.REPORT),
    Audience.ANALYSTS: (Document.BRIEF, Document.REPORT, Document.ANNEX, Document.CHECKS),
}


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

    folder: str = Field(
        "", description="A copy of what stakeholders get is put there; empty: none", examples=['"/srv/reports"']
    )
    recipients: dict[Audience, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Who gets mail: `service_users` the brief in easy words, `stakeholders` brief and report, "
        "`analysts` also the annex, the checks and what went wrong",
        examples=['{ stakeholders = ["lead@clinic.example"] }'],
    )
    documents: dict[Audience, tuple[Document, ...]] = Field(
        default_factory=dict,
        description="Who gets which documents, where otherwise: `brief`, `brief-easy`, `report`, `annex`, `checks`, "
        "`explorer`",
        examples=['{ stakeholders = ["brief"] }'],
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
        for key in value:
            public_key(key)
        return value

    def files_for(self, audience: Audience) -> tuple[str, ...]:
        """Names of the files that an audience gets."""
        documents = self.documents.get(audience, _DOCUMENTS[audience])
        return tuple(name for document in documents for name in document.files)

    @property
    def is_wanted(self) -> bool:
        """Whether anything is to be delivered."""
        return bool(self.folder or self.smtp.host)
