"""A mailbox that a real mail server fills, and a published release whose files are stand-ins."""

from __future__ import annotations

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import AuthResult

from outcomes.storage import swap_symlink, write_json
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
    (folder / "checks.html").write_text("<p>The checks</p>\n")
    (folder / "outcomes.duckdb").write_bytes(b"")
    write_json(folder / "checks.json", {"summary": "9 of 9 checks passed", "checks": []})
    write_json(folder / "manifest.json", {"published_at": "2026-01-01T03:00:00+00:00"})
    swap_symlink(study.current, f"releases/{release_id}")
    swap_symlink(study.database, "current/outcomes.duckdb")
