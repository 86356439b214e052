"""A mailbox that a real mail server fills, and a published release whose files are stand-ins."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from outcomes.store.files import swap_symlink, write_json
from outcomes.study import StudyFolder

USER, PASSWORD = b"study", b"not in the study file"


class Mailbox:
    """What arrived; `answers` are given to the next messages instead of taking them."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, EmailMessage]] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802  aiosmtpd's name
        if self.answers:
            answer = self.answers.pop(0)
            if answer == "vanish":
                server.transport.abort()
            return answer
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.messages += [(address, message) for address in envelope.rcpt_tos]
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [message for recipient, message in self.messages if recipient == address]


def check_login(server, session, envelope, mechanism, data) -> AuthResult:
    return AuthResult(success=data.login == USER and data.password == PASSWORD, handled=False)


def write_certificate(path: Path) -> None:
    """Write a certificate for localhost and its key into one file."""
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
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *form) + made.public_bytes(serialization.Encoding.PEM)
    )


@contextmanager
def strict_mail_server(mailbox: Mailbox, certificate: Path) -> Iterator[int]:
    """Run a server that wants STARTTLS and a login; yield its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    controller = Controller(
        mailbox, hostname="localhost", port=free_port(), tls_context=context, require_starttls=True,
        authenticator=check_login, auth_required=True,
    )  # fmt: skip
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def publish_stand_in(study: StudyFolder, release_id: str) -> None:
    """Make and point at a release folder that has what deliveries read."""
    folder = study.releases / release_id
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(f"<p>The report of {release_id}: Größe</p>\n", encoding="utf-8")
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n\xe2\xe3 the report\n")
    for name in ("brief", "brief-easy", "annex"):
        (folder / f"{name}.html").write_text(f"<p>The {name}</p>\n", encoding="utf-8")
        (folder / f"{name}.pdf").write_bytes(b"%PDF-1.7\nthe " + name.encode())
    (folder / "checks.html").write_text("<p>The checks</p>\n")
    (folder / "outcomes.duckdb").write_bytes(b"")
    write_json(folder / "checks.json", {"summary": "9 of 9 checks passed", "checks": []})
    write_json(folder / "manifest.json", {"published_at": "2026-01-01T03:00:00+00:00"})
    swap_symlink(study.current, f"releases/{release_id}")
    swap_symlink(study.database, "current/outcomes.duckdb")
