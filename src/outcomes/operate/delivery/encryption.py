"""What goes by mail, encrypted with age for the keys that the study declares; pyrage is needed for it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.message import EmailMessage

from outcomes.errors import UsageError
from outcomes.languages import spoken

SUFFIX = ".age"


def encrypt(content: bytes, keys: Sequence[str], declared: str = "[delivery] encrypt_to") -> bytes:
    """Encrypt a file so that whoever has the secret key to one of some public ones can read it.

    Parameters
    ----------
    content : bytes
        The file.
    keys : sequence of str
        Public age keys (X25519); see https://age-encryption.org/v1.
    declared : str
        Where the study file declares them.

    Raises
    ------
    UsageError
        If pyrage is not installed, or one of the keys has a slip of the pen (its checksum is wrong).
    """
    try:
        import pyrage
    except ImportError:
        raise UsageError(
            f"{declared} asks for encryption, and pyrage, which encrypts, is not installed",
            "pip install 'outcomes[encrypt]', or take encrypt_to out of study.toml",
        ) from None
    try:
        recipients = [pyrage.x25519.Recipient.from_str(key.strip()) for key in keys]
    except pyrage.RecipientError:
        raise UsageError(
            f"A key in {declared} is no age key: its checksum is wrong; nothing was sent",
            "copy the public key again (age-keygen prints it)",
        ) from None
    return pyrage.encrypt(content, recipients)


def encrypted_message(line: str, files: Mapping[str, bytes], keys: Sequence[str]) -> EmailMessage:
    """Return a message with encrypted files; what can be read of it is one line, no study, no release, no count.

    Raises
    ------
    UsageError
        If the files cannot be encrypted.
    """
    message = EmailMessage()
    message["Subject"] = line
    how = spoken("It is encrypted with age ({site}); your key opens it.", site="https://age-encryption.org")
    message.set_content(f"{line}.\n\n{how}\n")
    for name, content in files.items():
        message.add_attachment(
            encrypt(content, keys), maintype="application", subtype="octet-stream", filename=f"{name}{SUFFIX}"
        )
    return message
