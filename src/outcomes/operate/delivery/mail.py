"""Mail by SMTP: one message a recipient, each noted before and after it is handed over."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate

from outcomes.operate.delivery.journal import Journal, State, recipient_hash
from outcomes.operate.delivery.login import Login, ReadBlock, login_for
from outcomes.study.tables.delivery import Smtp

_TIMEOUT_SECONDS = 30

# Answers after which the server surely has not taken the message.
_NOT_TAKEN = (
    smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError, smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
)  # fmt: skip


def send_all(
    smtp: Smtp,
    journal: Journal,
    what: str,
    recipients: Sequence[str],
    message: Callable[[], EmailMessage],
    read_block: ReadBlock,
) -> tuple[int, list[str]]:
    """Send one thing to everyone who has not had it.

    Parameters
    ----------
    smtp : Smtp
        The server.
    journal : Journal
        Knows who had it, and is told.
    what : str
        Release id, or an alert's name.
    recipients : sequence of str
        Addresses.
    message : callable
        Makes the message, without its addressee.
    read_block : callable
        Reads the login where `smtp` names a block.

    Returns
    -------
    tuple of (int, list of str)
        How many were sent, and why the others were not, without addresses.

    Raises
    ------
    UsageError
        If a password would travel in clear, or the login's block cannot be used.
    """
    due = [address for address in recipients if journal.is_due(what, address)]
    if not due:
        return 0, []
    try:
        server = _connect(smtp, login_for(smtp, read_block))
    except (OSError, smtplib.SMTPException) as refused:
        reason = _reason(refused)
        for address in due:
            journal.note(what, address, State.FAILED, reason)
        return 0, [reason] * len(due)
    sent, failures = 0, []
    with suppress(smtplib.SMTPException, OSError), server:
        for place, address in enumerate(due):
            reason, state = _send(server, smtp, journal, what, address, message())
            failures += [reason] if reason else []
            sent += state is State.SENT
            if state is State.UNCERTAIN:  # the connection is gone: the others surely got nothing
                for left in due[place + 1 :]:
                    journal.note(what, left, State.FAILED, "the mail server went away")
                failures += ["the mail server went away"] * (len(due) - place - 1)
                break
    return sent, failures


def reach(smtp: Smtp, read_block: ReadBlock) -> None:
    """Connect and log in as a delivery does, and hang up: no mail is sent.

    Raises
    ------
    UsageError
        If a password would travel in clear, or the login's block cannot be used.
    OSError, smtplib.SMTPException
        If the server does not answer, or refuses.
    """
    with _connect(smtp, login_for(smtp, read_block)):
        pass


def _connect(smtp: Smtp, login: Login | None) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if smtp.tls == "tls":
        server = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(smtp.host, smtp.port, timeout=_TIMEOUT_SECONDS)
    try:
        if smtp.tls == "starttls":
            server.starttls(context=context)
        if login:
            server.login(login.user, login.password)
    except BaseException:
        server.close()
        raise
    return server


def _send(
    server: smtplib.SMTP, smtp: Smtp, journal: Journal, what: str, address: str, message: EmailMessage
) -> tuple[str, State]:
    """Hand one message over; return why it was not taken (empty where it was), and how it stands."""
    message["From"], message["To"] = smtp.sender, address
    message["Date"] = formatdate()
    # The same thing to the same reader has the same id, so that mail programs too can tell a double.
    message["Message-ID"] = f"<{what}.{recipient_hash(address)}@outcomes.invalid>"
    journal.note(what, address, State.SENDING)
    try:
        server.send_message(message)
    except _NOT_TAKEN as refused:
        reason, state = _reason(refused), State.FAILED
    except (OSError, smtplib.SMTPException) as lost:
        reason, state = f"{_reason(lost)}; it may have arrived and is not sent again", State.UNCERTAIN
    else:
        reason, state = "", State.SENT
    journal.note(what, address, state, reason)
    return reason, state


def _reason(error: Exception) -> str:
    """Name an error without its text, which may quote addresses."""
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    if code:
        return f"the mail server answered {code} ({type(error).__name__})"
    text = getattr(error, "strerror", None)
    return f"the mail server cannot be used: {text or type(error).__name__}"
