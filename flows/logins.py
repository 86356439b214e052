"""The mail server's login, asked of Prefect when a mail is due: Prefect is not loaded before."""

from __future__ import annotations

from outcomes.operate.delivery.login import Login


def read_login(name: str) -> Login:
    """Return the login in a Prefect block; see `outcomes.flows.blocks.read_login`."""
    from outcomes.flows import blocks

    return blocks.read_login(name)
