"""A real mail server (aiosmtpd) on loopback, and a study with a published release; this folder is on the path."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from mail_stand_ins import Mailbox, check_login, free_port, publish_stand_in

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
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost")
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_port(mailbox, certificate) -> int:
    """Port of a server that wants STARTTLS and a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    controller = Controller(
        mailbox, hostname="localhost", port=free_port(), tls_context=context, require_starttls=True,
        authenticator=check_login, auth_required=True,
    )  # fmt: skip
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def declare(tmp_path):
    """Make a study with a published release and a [delivery] as declared; declare again to change it."""
    study = create_study(tmp_path / "study")
    template = study.settings_path.read_text()
    publish_stand_in(study, "aaaaaaaaaaaa")

    def declare(port: int = 0, tls: str = "none", host: str = "127.0.0.1", folder: str = "", **people: list[str]):
        start, end = template.index("[delivery]"), template.index("[report]")
        recipients = "\n".join(f"{audience} = {addresses}" for audience, addresses in people.items())
        smtp = f'host = "{host}"\nport = {port}\ntls = "{tls}"\nsender = "study@example.org"' if port else ""
        section = f'[delivery]\nfolder = "{folder}"\n[delivery.recipients]\n{recipients}\n[delivery.smtp]\n{smtp}\n\n'
        study.settings_path.write_text(template[:start] + section + template[end:])
        return StudyFolder.open(study.root)

    return declare
