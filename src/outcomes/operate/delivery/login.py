"""User and password of the mail server: from the environment, or from a block that the study names; never on file."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from outcomes.errors import UsageError
from outcomes.study.tables.delivery import Smtp

USER, PASSWORD = "OUTCOMES_SMTP_USER", "OUTCOMES_SMTP_PASSWORD"


@dataclass(frozen=True)
class Login:
    """Who logs in; the password is in no text that is made of it."""

    user: str
    password: str = field(repr=False)


ReadBlock = Callable[[str], Login]
"""Gives the login that a block of this name holds; only flows have one, because Prefect is theirs."""


def no_blocks(name: str) -> Login:
    """Refuse: outside a flow there is nobody to ask for a block."""
    raise UsageError(f"The login is in the Prefect block {name!r}, which only flows can read", "run `outcomes refresh`")


def login_for(smtp: Smtp, read_block: ReadBlock) -> Login | None:
    """Return the login for a mail server, None where none is wanted.

    Raises
    ------
    UsageError
        If the password would travel in clear, or the block cannot be used.
    """
    if not smtp.login_block and not os.environ.get(USER):
        return None
    if smtp.tls == "none":
        where = f"the block {smtp.login_block!r}" if smtp.login_block else USER
        raise UsageError(
            f'A login is given by {where} and tls is "none": the password would travel in clear',
            'set tls = "starttls" in [delivery.smtp], or take the login away',
        )
    if smtp.login_block:
        return read_block(smtp.login_block)
    return Login(os.environ[USER], os.environ.get(PASSWORD, ""))
