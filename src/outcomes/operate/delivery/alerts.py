"""Alerts to the analysts: what was refused or failed and what to do next; the same news is mailed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from email.message import EmailMessage

from outcomes.errors import OutcomesError, visible
from outcomes.landing.results import Refused, n_files
from outcomes.languages import ENGLISH, Language, count, read_language, speaking, spoken
from outcomes.operate.delivery.encryption import encrypted_message
from outcomes.operate.delivery.journal import Journal
from outcomes.operate.delivery.login import ReadBlock, no_blocks
from outcomes.operate.delivery.mail import send_all
from outcomes.operate.delivery.reports import one_line
from outcomes.release import published_id
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import Audience


def alert_refusals(
    study: StudyFolder, refused: Sequence[Refused], read_block: ReadBlock = no_blocks
) -> tuple[str, ...]:
    """Mail the analysts which files were refused and what to do; return why mails failed."""
    if not refused:
        return ()
    with speaking(_language(study)):
        parts = [f"{visible(one_line(file.file_name))}\n  {file.message}\n  {_to_do(file.hint)}" for file in refused]
        lines = [spoken("These files of the inbox were refused; the others were used:"), *parts]
        lines.append(spoken("Put the mended files into the inbox; the next refresh takes them."))
        subject = spoken("{n} file(s) refused", n=count(n_files(refused)))
    key = [f"{file.file_name} {file.sha256} {file.refusal}" for file in refused]
    return _alert(study, subject, "\n\n".join(lines), sorted(key), read_block)


def alert_failure(study: StudyFolder, failed: OutcomesError, read_block: ReadBlock = no_blocks) -> tuple[str, ...]:
    """Mail the analysts why a run failed and what to do; return why mails failed.

    What the error says stays English, as in the terminal and in the log, so that it can be looked up there.
    """
    with speaking(_language(study)):
        lines = [
            spoken("The run failed: {why}", why=failed.message),
            _to_do(failed.hint or spoken("read the message above")),
            spoken(
                "The release before stays published. `outcomes status` shows the last runs; the next refresh goes on "
                "where this one stopped."
            ),
        ]
        subject = spoken("run failed ({error})", error=type(failed).__name__)
    key = [type(failed).__name__, failed.message, published_id(study) or ""]
    return _alert(study, subject, "\n\n".join(lines), key, read_block)


def _to_do(hint: str) -> str:
    return spoken("What to do: {hint}", hint=hint)


def _language(study: StudyFolder) -> Language:
    """The study's language; English where its catalogue cannot be read, which may be the very news."""
    try:
        return read_language(study.settings.report.language, study.root)
    except OutcomesError:
        return ENGLISH


def _alert(study: StudyFolder, subject: str, text: str, key: Sequence[str], read_block: ReadBlock) -> tuple[str, ...]:
    wanted = study.settings.delivery
    addresses = wanted.recipients.get(Audience.ANALYSTS, ())
    if not wanted.smtp.host or not addresses:
        return ()

    def message() -> EmailMessage:
        if wanted.encrypt_to:
            with speaking(_language(study)):
                return encrypted_message(
                    spoken("A message is attached"),
                    {"message.txt": f"{subject}\n\n{text}\n".encode()},
                    wanted.encrypt_to,
                )
        made = EmailMessage()
        made["Subject"] = f"{one_line(study.settings.study.name)}: {subject}"
        made.set_content(f"{text}\n")
        return made

    what = f"alert-{hashlib.sha256(chr(10).join(key).encode()).hexdigest()[:12]}"
    try:
        return tuple(send_all(wanted.smtp, Journal(study), what, addresses, message, read_block)[1])
    except (OutcomesError, OSError) as failed:  # it must not take the place of the news itself
        return (one_line(str(failed)),)
