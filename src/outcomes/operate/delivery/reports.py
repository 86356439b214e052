"""The published release's report to its readers: by mail, into a folder, or both; each reader gets it once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from html import escape
from pathlib import Path

from outcomes.languages import moment, read_language, speaking, spoken, spoken_in, translated
from outcomes.operate.delivery.encryption import encrypted_message
from outcomes.operate.delivery.journal import Journal, State
from outcomes.operate.delivery.login import ReadBlock, no_blocks
from outcomes.operate.delivery.mail import send_all
from outcomes.release import published_id
from outcomes.store.files import read_json, write_bytes
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import Audience


@dataclass(frozen=True)
class DeliveryReport:
    """What became of one round of deliveries; `failures` say why, without addresses."""

    n_sent: int
    failures: tuple[str, ...]

    def summary(self) -> str:
        """Say in one line what was delivered."""
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"{self.n_sent} delivered{failed}"


def deliver(study: StudyFolder, read_block: ReadBlock = no_blocks) -> DeliveryReport:
    """Deliver the published release to everyone who has not had it; call it under the writer lock.

    A delivery that failed is tried again by the next call. One of which it is not known whether it arrived (the sender
    was killed, the server went away before it answered) is not: a reader is never sent the same report twice.

    Raises
    ------
    UsageError
        If a password would travel in clear, the login's block cannot be used, or mails cannot be encrypted as declared.
    """
    release_id = published_id(study)
    if release_id is None:
        return DeliveryReport(0, ())
    wanted, journal, sent, failures = study.settings.delivery, Journal(study), 0, []
    if wanted.folder:
        n_put, reasons = _put(study, journal, release_id)
        sent, failures = sent + n_put, [*failures, *reasons]
    for audience, addresses in wanted.recipients.items() if wanted.smtp.host else ():
        n_mailed, reasons = send_all(
            wanted.smtp, journal, release_id, addresses, lambda audience=audience: report_message(study, audience),
            read_block,
        )  # fmt: skip
        sent, failures = sent + n_mailed, [*failures, *reasons]
    return DeliveryReport(sent, tuple(failures))


def report_message(study: StudyFolder, audience: Audience) -> EmailMessage:
    """Return the message that carries the published report, a few lines as text and HTML, without an addressee.

    Where the study declares keys, the files are encrypted for them and the rest says nothing.

    Raises
    ------
    UsageError
        If the study declares keys and the files cannot be encrypted for them.
    """
    with speaking(read_language(study.settings.report.language, study.root)):
        return _report_message(study, audience)


def _report_message(study: StudyFolder, audience: Audience) -> EmailMessage:
    if keys := study.settings.delivery.encrypt_to:
        files = {name: (study.current.resolve() / name).read_bytes() for name in _files(study, audience)}
        return encrypted_message(spoken("A report is attached"), files, keys)
    folder, settings = study.current.resolve(), study.settings
    title = one_line(settings.report.title or settings.study.name)
    published = moment(datetime.fromisoformat(read_json(folder / "manifest.json")["published_at"]))
    lines = [
        spoken("A new report of the study {title} is attached.", title=title),
        spoken("It answers: {question}", question=translated(settings.study.question)),
        spoken("Release {release}, published {moment}.", release=folder.name, moment=published),
    ]
    if audience is Audience.ANALYSTS:
        summary = read_json(folder / "checks.json")["summary"]
        lines.append(spoken("Data-quality checks: {summary}.", summary=summary))
    if settings.study.contact:
        lines.append(spoken("Questions: {contact}", contact=settings.study.contact))
    message = EmailMessage()
    message["Subject"] = spoken("{title}: new report ({release})", title=title, release=folder.name)
    message.set_content("\n".join(lines) + "\n")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines)
    message.add_alternative(f'<html lang="{spoken_in().tag}"><body>{paragraphs}</body></html>', subtype="html")
    for name in _files(study, audience):
        content = (folder / name).read_bytes()  # as bytes, so that what arrives has the hash in the manifest
        if name.endswith(".pdf"):
            message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
        else:
            message.add_attachment(content, maintype="text", subtype="html", filename=name, params={"charset": "utf-8"})
    return message


def _files(study: StudyFolder, audience: Audience) -> tuple[str, ...]:
    """Names of what an audience gets, so far as the published release has it: older ones lack some documents."""
    return tuple(name for name in study.settings.delivery.files_for(audience) if (study.current / name).is_file())


def one_line(text: str) -> str:
    """Return a text that can stand in a header."""
    return " ".join(text.split())


def _put(study: StudyFolder, journal: Journal, release_id: str) -> tuple[int, list[str]]:
    """Put copies of what stakeholders get into a folder of their own in the declared one, relative to the study.

    They keep their names, so that the links between them lead somewhere.
    """
    folder = (study.root / Path(study.settings.delivery.folder).expanduser()).resolve()
    if not journal.is_due(release_id, str(folder)):
        return 0, []
    slug = re.sub(r"[^a-z0-9]+", "-", study.settings.study.name.lower()).strip("-") or "study"
    try:
        own = folder / f"{slug}-{release_id}"
        own.mkdir(parents=True, exist_ok=True)
        for name in _files(study, Audience.STAKEHOLDERS):
            write_bytes(own / name, (study.current / name).read_bytes())
    except OSError as refused:
        reason = f"the folder cannot be written: {refused.strerror}"
        journal.note(release_id, str(folder), State.FAILED, reason)
        return 0, [reason]
    journal.note(release_id, str(folder), State.SENT)
    return 1, []
