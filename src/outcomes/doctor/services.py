"""What a study asks of others: a Prefect server, a mail server, keys and tokens. Nothing is sent, started or stored."""

from __future__ import annotations

import json
import os
import smtplib
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from urllib.error import HTTPError

from outcomes.doctor.examined import Examined, Health, well
from outcomes.errors import OutcomesError
from outcomes.flows.by_hand import has_server
from outcomes.flows.logins import read_login
from outcomes.operate.delivery.mail import reach
from outcomes.operate.redcap_server import TOKEN
from outcomes.study import StudyFolder
from outcomes.study.tables.layouts import LayoutName

_SECONDS = 10


def examine_services(study: StudyFolder) -> Iterator[Examined]:
    """Look at what the study declares, and at nothing that it does not."""
    yield _server()
    delivery = study.settings.delivery
    if delivery.smtp.host:
        yield _mail(study)
    if delivery.folder:
        yield _folder(delivery.folder)
    if delivery.encrypt_to and find_spec("pyrage") is None:
        yield Examined(
            "encryption",
            Health.ILL,
            "study.toml asks for encrypted mail, and pyrage is not installed",
            "pip install 'outcomes[encrypt]'",
        )
    if any(source.format is LayoutName.REDCAP and source.redcap.server for source in study.settings.sources.values()):
        yield _token()


def _folder(folder: str) -> Examined:
    if os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):
        return well("delivery folder", folder)
    said = f"{folder} is missing, or this user may not write there"
    return Examined("delivery folder", Health.ILL, said, "make it, or change [delivery] folder")


def _server() -> Examined:
    if not has_server():
        return well("Prefect server", "none is set: commands do their work by themselves")
    from prefect.settings import PREFECT_API_URL

    url, own = PREFECT_API_URL.value(), version("prefect")
    try:
        with urllib.request.urlopen(f"{url}/admin/version", timeout=_SECONDS) as answer:
            found = json.loads(answer.read())
    except (OSError, ValueError, HTTPError):
        return Examined(
            "Prefect server",
            Health.ILL,
            f"nothing that is a Prefect server answers at {url}",
            "start it (prefect server start), or unset PREFECT_API_URL to work without one",
        )
    if str(found).split(".")[:2] != own.split(".")[:2]:
        return Examined(
            "Prefect server",
            Health.LOOK,
            f"{url} has Prefect {found}, here is {own}",
            "install the same on both: constraints.txt names the tested one",
        )
    return well("Prefect server", f"{url}, Prefect {found}")


def _mail(study: StudyFolder) -> Examined:
    smtp = study.settings.delivery.smtp
    where = f"{smtp.host}:{smtp.port}"
    try:
        reach(smtp, read_login)
    except OutcomesError as refused:
        return Examined("mail server", Health.ILL, refused.message, refused.hint)
    except (OSError, smtplib.SMTPException) as refused:
        return Examined(
            "mail server",
            Health.ILL,
            f"{where} cannot be used ({type(refused).__name__})",
            "check host, port, tls and login in [delivery.smtp]; docs/operations.md",
        )
    n = sum(len(addresses) for addresses in study.settings.delivery.recipients.values())
    if not n:
        return Examined(
            "mail server",
            Health.LOOK,
            f"{where} answers, and nobody gets mail",
            "name readers in [delivery.recipients]",
        )
    return well("mail server", f"{where} answers, encrypted by {smtp.tls!r}; {n} readers; no mail was sent")


def _token() -> Examined:
    if os.environ.get(TOKEN):
        return well("REDCap token", f"{TOKEN} is set")
    return Examined(
        "REDCap token", Health.LOOK, f"{TOKEN} is not set in this environment", "set it where `outcomes pull` runs"
    )
