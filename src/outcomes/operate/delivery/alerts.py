"""Alerts to the analysts: what was refused or failed and what to do next; the same news is mailed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from email.message import EmailMessage

from outcomes.errors import OutcomesError, visible
from outcomes.landing.results import Refused
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
    parts = [f"{visible(one_line(file.file_name))}\n  {file.message}\n  What to do: {file.hint}" for file in refused]
    lines = ["These files of the inbox were refused; the others were used:", *parts]
    lines.append("Put the mended files into the inbox; the next refresh takes them.")
    key = [f"{file.file_name} {file.sha256} {file.refusal}" for file in refused]
    return _alert(study, f"{len(refused)} file(s) refused", "\n\n".join(lines), sorted(key), read_block)


def alert_failure(study: StudyFolder, failed: OutcomesError, read_block: ReadBlock = no_blocks) -> tuple[str, ...]:
    """Mail the analysts why a run failed and what to do; return why mails failed."""
    lines = [
        f"The run failed: {failed.message}",
        f"What to do: {failed.hint or 'read the message above'}",
        "The release before stays published. `outcomes status` shows the last runs; "
        "the next refresh goes on where this one stopped.",
    ]
    key = [type(failed).__name__, failed.message, published_id(study) or ""]
    return _alert(study, f"run failed ({type(failed).__name__})", "\n\n".join(lines), key, read_block)


def _alert(study: StudyFolder, subject: str, text: str, key: Sequence[str], read_block: ReadBlock) -> tuple[str, ...]:
    wanted = study.settings.delivery
    addresses = wanted.recipients.get(Audience.ANALYSTS, ())
    if not wanted.smtp.host or not addresses:
        return ()

    def message() -> EmailMessage:
        if wanted.encrypt_to:
            return encrypted_message(
                "A message is attached", {"message.txt": f"{subject}\n\n{text}\n".encode()}, wanted.encrypt_to
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
