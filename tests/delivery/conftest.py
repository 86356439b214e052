"""A real mail server (aiosmtpd) on loopback, and a study with a published release."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from mail_stand_ins import Mailbox, free_port, publish_stand_in, strict_mail_server, write_certificate

from outcomes.study import StudyFolder, create_study


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def mail_port(mailbox) -> int:
    """Port of a server without encryption."""
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def certificate(tmp_path) -> Path:
    """A certificate for localhost and its key in one file."""
    path = tmp_path / "certificate.pem"
    write_certificate(path)
    return path


@pytest.fixture
def tls_port(mailbox, certificate) -> int:
    """Port of a server that wants STARTTLS and a login."""
    with strict_mail_server(mailbox, certificate) as port:
        yield port


@pytest.fixture
def declare(tmp_path):
    """Make a study with a published release and a [delivery] as declared; declare again to change it."""
    study = create_study(tmp_path / "study")
    template = study.settings_path.read_text()
    publish_stand_in(study, "aaaaaaaaaaaa")

    def declare(
        port: int = 0,
        tls: str = "none",
        host: str = "127.0.0.1",
        folder: str = "",
        block: str = "",
        **people: list[str],
    ):
        start, end = template.index("[delivery]"), template.index("[report]")
        recipients = "\n".join(f"{audience} = {addresses}" for audience, addresses in people.items())
        smtp = (
            f'host = "{host}"\nport = {port}\ntls = "{tls}"\nsender = "study@example.org"\nlogin_block = "{block}"'
            if port
            else ""
        )
        section = f'[delivery]\nfolder = "{folder}"\n[delivery.recipients]\n{recipients}\n[delivery.smtp]\n{smtp}\n\n'
        study.settings_path.write_text(template[:start] + section + template[end:])
        return StudyFolder.open(study.root)

    return declare
