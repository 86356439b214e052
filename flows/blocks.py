"""The mail server's login in a Prefect block, read when a mail is due and kept nowhere."""

from __future__ import annotations

import json
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from outcomes.errors import UsageError
from outcomes.operate.delivery.login import Login

_USER_FIELDS = ("username", "user")


def read_login(name: str) -> Login:
    """Return the login in a block of the server that runs the flow.

    Parameters
    ----------
    name : str
        A Secret block's name, its value {"username": ..., "password": ...}; or `type/name` of a block of any type with
        fields of these names.

    Raises
    ------
    UsageError
        If there is no such block, or it holds no user and password. The message names the block and no value.
    ConnectionError
        If the server does not answer.
    """
    kind, _, own_name = name.rpartition("/")
    try:
        with get_client(sync_client=True) as client:
            block = client.read_block_document_by_name(own_name, kind or "secret", include_secrets=True)
    except ObjectNotFound:
        raise UsageError(
            f"There is no Prefect block {kind or 'secret'}/{own_name}, which [delivery.smtp] login_block names",
            "make it on the server that runs the flows; docs/operations.md shows how",
        ) from None
    except (httpx.HTTPError, PrefectHTTPStatusError):
        raise ConnectionError(f"the Prefect server did not give the block {own_name}") from None
    fields = _fields(block.data)
    user = next((fields[field] for field in _USER_FIELDS if fields.get(field)), "")
    if not (isinstance(user, str) and user and isinstance(fields.get("password"), str)):
        raise UsageError(
            f"The Prefect block {own_name} holds no user and password",
            'give a Secret block the value {"username": "...", "password": "..."}',
        )
    return Login(user, fields["password"])


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a block; a Secret's are in its value, which the UI saves as text."""
    value = data.get("value", data)
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
