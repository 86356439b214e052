"""Reports reach their readers once, whatever the mail server does; on a real SMTP server."""

import pytest
from mail_stand_ins import PASSWORD, USER, free_port, publish_stand_in

from outcomes.errors import StudyError, UsageError
from outcomes.operate.delivery import deliver
from outcomes.operate.delivery.journal import Journal, State
from outcomes.operate.delivery.login import Login
from outcomes.store.files import read_lines
from outcomes.study import StudyFolder

LEAD, CLINIC, ANALYST = "lead@example.org", "clinic@example.org", "analyst@example.org"


def attached(message) -> dict[str, str | bytes]:
    return {part.get_filename(): part.get_content() for part in message.iter_attachments()}


def states(study) -> list[str]:
    return [line["state"] for line in read_lines(study.root / "deliveries.jsonl")]


def test_every_reader_gets_the_report_on_its_own_and_analysts_the_checks_too(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD, CLINIC], analysts=[ANALYST])
    assert deliver(study).summary() == "3 delivered"
    (mail,) = mailbox.to(LEAD)
    assert mail["To"] == LEAD
    assert mail["Subject"] == "Practice outcomes: new report (aaaaaaaaaaaa)"
    assert attached(mail) == {
        "brief.html": (study.current / "brief.html").read_text(),
        "brief.pdf": (study.current / "brief.pdf").read_bytes(),
        "report.html": (study.current / "report.html").read_text(),
        "report.pdf": (study.current / "report.pdf").read_bytes(),
    }
    assert [part.get_content_type() for part in mail.iter_attachments()] == ["text/html", "application/pdf"] * 2
    assert "How does therapist directiveness" in mail.get_body(("html",)).get_content()
    (mail,) = mailbox.to(ANALYST)
    read_by_all = {"brief.html", "brief.pdf", "report.html", "report.pdf"}
    assert set(attached(mail)) == read_by_all | {"annex.html", "annex.pdf", "checks.html"}
    assert "9 of 9 checks passed" in mail.get_body(("plain",)).get_content()


def test_a_report_is_sent_once_and_a_new_release_again(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD])
    assert [deliver(study).n_sent for _ in range(3)] == [1, 0, 0]
    publish_stand_in(study, "bbbbbbbbbbbb")
    assert [deliver(study).n_sent for _ in range(3)] == [1, 0, 0]
    assert [mail["Subject"][-13:-1] for mail in mailbox.to(LEAD)] == ["aaaaaaaaaaaa", "bbbbbbbbbbbb"]


def test_what_the_server_did_not_take_is_sent_by_the_next_delivery(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD, CLINIC])
    mailbox.answers = ["451 come back later"]
    first = deliver(study)
    assert (first.n_sent, first.failures) == (1, ("the mail server answered 451 (SMTPDataError)",))
    assert deliver(study).summary() == "1 delivered"
    assert deliver(study).n_sent == 0
    assert len(mailbox.to(LEAD)) == len(mailbox.to(CLINIC)) == 1


def test_a_server_that_is_away_costs_nothing_but_time(declare, mailbox, mail_port):
    study = declare(free_port(), stakeholders=[LEAD])
    report = deliver(study)
    assert report.n_sent == 0
    assert "Connection refused" in report.failures[0]
    assert LEAD not in str(report)
    assert deliver(declare(mail_port, stakeholders=[LEAD])).n_sent == 1


def test_where_the_server_vanished_before_it_answered_nobody_is_sent_it_twice(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD, CLINIC])
    mailbox.answers = ["vanish"]
    assert deliver(study).n_sent == 0
    assert states(study) == ["sending", "uncertain", "failed"]
    assert deliver(study).n_sent == 1
    assert mailbox.to(LEAD) == []
    assert len(mailbox.to(CLINIC)) == 1


def test_a_sender_that_was_killed_in_mid_sending_does_not_send_again(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD])
    Journal(study).note("aaaaaaaaaaaa", LEAD, State.SENDING)
    assert deliver(study).n_sent == 0
    assert mailbox.messages == []


def test_the_journal_holds_no_address(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD], folder="../shelf")
    deliver(study)
    assert "example" not in (study.root / "deliveries.jsonl").read_text()
    assert states(study) == ["sent", "sending", "sent"]


def test_the_folder_gets_a_copy_of_each_release(declare, tmp_path):
    study = declare(folder="../shelf")
    assert [deliver(study).n_sent for _ in range(2)] == [1, 0]
    (own,) = (tmp_path / "shelf").iterdir()
    assert own.name == "practice-outcomes-aaaaaaaaaaaa"
    copies = {copy.name: copy.read_bytes() for copy in own.iterdir()}
    assert copies == {
        f"{name}.{kind}": (study.current / f"{name}.{kind}").read_bytes()
        for name in ("brief", "report")
        for kind in ("html", "pdf")
    }


def test_service_users_get_the_brief_in_easy_words_only(declare, mailbox, mail_port):
    study = declare(mail_port, service_users=[CLINIC])
    assert deliver(study).n_sent == 1
    (mail,) = mailbox.to(CLINIC)
    assert set(attached(mail)) == {"brief-easy.html", "brief-easy.pdf"}


def test_the_study_file_chooses_who_gets_which_document(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD])
    declared = study.settings_path.read_text()
    study.settings_path.write_text(
        declared.replace("[delivery.smtp]", '[delivery.documents]\nstakeholders = ["annex"]\n[delivery.smtp]')
    )
    assert deliver(StudyFolder.open(study.root)).n_sent == 1
    (mail,) = mailbox.to(LEAD)
    assert set(attached(mail)) == {"annex.html", "annex.pdf"}


def test_a_release_of_an_older_version_is_delivered_as_far_as_it_goes(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD])
    (study.current / "brief.html").unlink()
    (study.current / "brief.pdf").unlink()
    assert deliver(study).n_sent == 1
    assert set(attached(mailbox.to(LEAD)[0])) == {"report.html", "report.pdf"}


def test_a_folder_that_cannot_be_written_is_tried_again(declare, tmp_path):
    (tmp_path / "shelf").write_text("a file is in the way")
    study = declare(folder="../shelf")
    assert "cannot be written" in deliver(study).failures[0]
    (tmp_path / "shelf").unlink()
    assert deliver(study).n_sent == 1


def test_a_login_travels_by_tls_only(declare, mailbox, tls_port, mail_port, certificate, monkeypatch):
    monkeypatch.setenv("OUTCOMES_SMTP_USER", USER.decode())
    monkeypatch.setenv("OUTCOMES_SMTP_PASSWORD", PASSWORD.decode())
    with pytest.raises(UsageError, match="in clear"):
        deliver(declare(mail_port, stakeholders=[LEAD]))
    study = declare(tls_port, tls="starttls", host="localhost", stakeholders=[LEAD])
    assert "cannot be used" in deliver(study).failures[0]  # nobody vouches for the certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert deliver(study).n_sent == 1
    assert len(mailbox.to(LEAD)) == 1


def test_a_login_in_a_block_is_read_when_a_mail_is_due_and_only_then(
    declare, mailbox, tls_port, mail_port, certificate, monkeypatch
):
    asked = []

    def read_block(name: str) -> Login:
        asked.append(name)
        return Login(USER.decode(), PASSWORD.decode())

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(UsageError, match="in clear"):
        deliver(declare(mail_port, block="mail-login", stakeholders=[LEAD]), read_block)
    study = declare(tls_port, tls="starttls", host="localhost", block="mail-login", stakeholders=[LEAD])
    assert [deliver(study, read_block).n_sent for _ in range(2)] == [1, 0]
    assert asked == ["mail-login"]
    assert PASSWORD.decode() not in repr(read_block("x"))


def test_outside_a_flow_a_block_is_refused(declare, tls_port):
    with pytest.raises(UsageError, match="only flows can read"):
        deliver(declare(tls_port, tls="starttls", host="localhost", block="mail-login", stakeholders=[LEAD]))


def test_a_server_that_does_not_give_the_block_is_asked_again(declare, mailbox, tls_port, certificate, monkeypatch):
    def away(name: str) -> Login:
        raise ConnectionError("the Prefect server is away")

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    study = declare(tls_port, tls="starttls", host="localhost", block="mail-login", stakeholders=[LEAD])
    assert len(deliver(study, away).failures) == 1
    assert states(study) == ["failed"]
    assert deliver(study, lambda name: Login(USER.decode(), PASSWORD.decode())).n_sent == 1


@pytest.mark.parametrize("name", ["Not a name", "a/b/c", "s3cret!"])
def test_what_cannot_be_a_blocks_name_is_refused_so_that_no_password_stands_there(declare, name):
    with pytest.raises(StudyError, match="login_block"):
        declare(25, tls="starttls", block=name, stakeholders=[LEAD])


def test_a_wrong_password_is_said_without_it(declare, mailbox, tls_port, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("OUTCOMES_SMTP_USER", USER.decode())
    monkeypatch.setenv("OUTCOMES_SMTP_PASSWORD", "guessed")
    study = declare(tls_port, tls="starttls", host="localhost", stakeholders=[LEAD])
    report = deliver(study)
    assert (report.n_sent, len(report.failures)) == (0, 1)
    assert states(study) == ["failed"]
    assert "guessed" not in str(report) + (study.root / "deliveries.jsonl").read_text()


def test_without_a_release_nothing_is_delivered(declare, mailbox, mail_port):
    study = declare(mail_port, stakeholders=[LEAD])
    study.current.unlink()
    assert deliver(study).n_sent == 0


@pytest.mark.parametrize("address", ["nobody", "a@b, c@d", "a@b\\nBcc: c@d"])
def test_what_is_no_address_is_refused(declare, address):
    with pytest.raises(StudyError, match="no mail address"):
        declare(25, stakeholders=[address])
