"""Analysts are told what was refused or failed, and what to do; the same news once."""

import pytest
from mail_stand_ins import publish_stand_in

from outcomes.contract import Refusal
from outcomes.errors import ChecksFailed
from outcomes.landing.results import Refused
from outcomes.operate.delivery import alert_failure, alert_refusals

ANALYST = "analyst@example.org"


def refused(sha256: str) -> Refused:
    return Refused("may sessions.csv", None, sha256, Refusal.UNREADABLE, "it is empty", "export it again")


@pytest.fixture
def study(declare, mail_port):
    return declare(mail_port, analysts=[ANALYST], stakeholders=["lead@example.org"])


def test_a_refused_file_is_told_once_with_the_remedy_and_another_content_again(study, mailbox):
    for sha256 in ("1" * 64, "1" * 64, "2" * 64):
        assert alert_refusals(study, [refused(sha256)]) == ()
    assert alert_refusals(study, []) == ()
    assert len(mailbox.to(ANALYST)) == len(mailbox.messages) == 2
    text = mailbox.to(ANALYST)[0].get_content()
    assert "may sessions.csv" in text
    assert "What to do: export it again" in text


def test_a_failure_is_told_once_until_a_release_lies_between(study, mailbox):
    failed = ChecksFailed("1 of 9 checks failed", "mend the export")
    for _ in range(2):
        alert_failure(study, failed)
    publish_stand_in(study, "bbbbbbbbbbbb")
    alert_failure(study, failed)
    assert [mail["Subject"] for mail in mailbox.to(ANALYST)] == ["Practice outcomes: run failed (ChecksFailed)"] * 2
    assert "What to do: mend the export" in mailbox.to(ANALYST)[0].get_content()


def test_an_alert_that_was_not_taken_is_sent_with_the_next_run(study, mailbox):
    mailbox.answers = ["451 later"]
    assert alert_refusals(study, [refused("1" * 64)]) == ("the mail server answered 451 (SMTPDataError)",)
    assert alert_refusals(study, [refused("1" * 64)]) == ()
    assert len(mailbox.to(ANALYST)) == 1


def test_without_analysts_nobody_is_told(declare, mail_port, mailbox):
    alert_failure(declare(mail_port, stakeholders=["lead@example.org"]), ChecksFailed("x"))
    assert mailbox.messages == []


def test_an_alert_that_cannot_be_sent_does_not_hide_the_failure(study, mailbox, monkeypatch):
    monkeypatch.setenv("OUTCOMES_SMTP_USER", "someone")
    (reason,) = alert_failure(study, ChecksFailed("1 of 9 checks failed"))
    assert "in clear" in reason
    assert mailbox.messages == []
