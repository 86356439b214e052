"""Mailed reports that only the declared keys open; the mail itself says nothing of the study."""

import sys

import pytest

from outcomes.errors import StorageError, StudyError, UsageError
from outcomes.operate.delivery import alert_failure, deliver
from outcomes.store.files import read_lines
from outcomes.study import StudyFolder

pyrage = pytest.importorskip("pyrage", reason="the extra `encrypt` is not installed")

LEAD, ANALYST = "lead@example.org", "analyst@example.org"
KEYS = [pyrage.x25519.Identity.generate() for _ in range(2)]


@pytest.fixture
def encrypting(declare, mail_port):
    """Declare a study whose mails are encrypted for some keys."""

    def declared(*keys: str):
        study = declare(mail_port, stakeholders=[LEAD], analysts=[ANALYST])
        text = study.settings_path.read_text()
        listed = ", ".join(f'"{key}"' for key in keys)
        study.settings_path.write_text(text.replace("[delivery]\n", f"[delivery]\nencrypt_to = [{listed}]\n"))
        return StudyFolder.open(study.root)

    return declared


def test_every_declared_key_opens_the_attachments_and_no_other_does(encrypting, mailbox):
    study = encrypting(*(str(key.to_public()) for key in KEYS))
    assert deliver(study).summary() == "2 delivered"
    for address, names in (
        (LEAD, ["brief.html", "brief.pdf", "report.html", "report.pdf"]),
        (
            ANALYST,
            ["brief.html", "brief.pdf", "report.html", "report.pdf", "annex.html", "annex.pdf", "checks.html"],
        ),
    ):
        (mail,) = mailbox.to(address)
        files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
        assert list(files) == [f"{name}.age" for name in names]
        for name in names:
            for key in KEYS:
                assert pyrage.decrypt(files[f"{name}.age"], [key]) == (study.current / name).read_bytes()
            with pytest.raises(pyrage.DecryptError):
                pyrage.decrypt(files[f"{name}.age"], [pyrage.x25519.Identity.generate()])


def test_what_can_be_read_of_the_mail_is_that_a_report_is_attached(encrypting, mailbox):
    study = encrypting(str(KEYS[0].to_public()))
    deliver(study)
    (mail,) = mailbox.to(ANALYST)
    assert mail["Subject"] == "A report is attached"
    body = mail.get_body(("plain",)).get_content()
    assert body.startswith("A report is attached.")
    assert mail.get_body(("html",)) is None
    readable = mail["Subject"] + body
    for said in (study.settings.study.name, study.settings.study.question, "aaaaaaaaaaaa", "checks passed"):
        assert said not in readable
    assert not any(sign.isdigit() for sign in readable)


def test_alerts_are_encrypted_too(encrypting, mailbox):
    study = encrypting(str(KEYS[0].to_public()))
    assert alert_failure(study, StorageError("the file sessions_7.csv is damaged", "copy it again")) == ()
    (mail,) = mailbox.to(ANALYST)
    assert "sessions_7" not in mail["Subject"] + mail.get_body(("plain",)).get_content()
    (attached,) = mail.iter_attachments()
    assert "sessions_7.csv is damaged" in pyrage.decrypt(attached.get_content(), [KEYS[0]]).decode()


def test_without_the_library_nothing_is_sent_and_the_extra_is_named(encrypting, mailbox, monkeypatch):
    study = encrypting(str(KEYS[0].to_public()))
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(UsageError, match=r"outcomes\[encrypt\]"):
        deliver(study)
    assert mailbox.messages == []
    assert read_lines(study.root / "deliveries.jsonl") == []
    monkeypatch.undo()
    assert deliver(study).summary() == "2 delivered"


@pytest.mark.parametrize(
    "key", ["age1short", str(KEYS[0]), "ssh-ed25519 AAAA", ""], ids=["short", "secret", "ssh", "none"]
)
def test_what_is_no_public_key_is_refused_where_it_is_declared(encrypting, key):
    with pytest.raises(StudyError, match="no public age key") as refused:
        encrypting(key)
    assert not key or key not in str(refused.value)


def test_a_key_with_a_slip_of_the_pen_sends_nothing(encrypting, mailbox):
    key = str(KEYS[0].to_public())
    with pytest.raises(UsageError, match="checksum"):
        deliver(encrypting(key[:-1] + ("q" if key[-1] != "q" else "p")))
    assert mailbox.messages == []
