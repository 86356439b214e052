"""Mails in the language of the study: their own words through the catalogue, errors as the log has them."""

from __future__ import annotations

import re

import pytest
from mail_stand_ins import publish_stand_in

from outcomes.contract import Refusal
from outcomes.errors import ChecksFailed
from outcomes.landing.results import Refused
from outcomes.languages import FOLDER
from outcomes.operate.delivery import alert_failure, alert_refusals, deliver
from outcomes.study import StudyFolder

LEAD, ANALYST = "lead@example.org", "analyst@example.org"


@pytest.fixture
def german(declare, mail_port) -> StudyFolder:
    study = declare(mail_port, analysts=[ANALYST], stakeholders=[LEAD])
    text = study.settings_path.read_text(encoding="utf-8")
    study.settings_path.write_text(text.replace("[report]\n", '[report]\nlanguage = "de"\n'), encoding="utf-8")
    return StudyFolder.open(study.root)


def test_a_report_comes_in_german(german, mailbox):
    assert deliver(german).summary() == "2 delivered"
    (mail,) = mailbox.to(LEAD)
    assert mail["Subject"] == "Practice outcomes: neuer Bericht (aaaaaaaaaaaa)"
    page = mail.get_body(("html",)).get_content()
    assert '<html lang="de">' in page
    assert "veröffentlicht am 1. Januar 2026" in page
    words = set(re.findall(r"\w+", mail.get_body(("plain",)).get_content()))
    assert words & {"the", "of", "is", "attached", "It", "answers", "published"} == set()
    (mail,) = mailbox.to(ANALYST)
    assert "Prüfungen der Daten (auf Englisch): 9 of 9 checks passed." in mail.get_body(("plain",)).get_content()


def test_alerts_come_in_german_around_the_words_of_the_error(german, mailbox):
    alert_failure(german, ChecksFailed("1 of 9 checks failed", "mend the export"))
    alert_refusals(german, [Refused("a.csv", None, "1" * 64, Refusal.UNREADABLE, "it is empty", "export it again")])
    failure, refusal = mailbox.to(ANALYST)
    assert failure["Subject"] == "Practice outcomes: Lauf gescheitert (ChecksFailed)"
    assert "Der Lauf ist gescheitert (Meldung auf Englisch): 1 of 9 checks failed" in failure.get_content()
    assert "Was zu tun ist: mend the export" in failure.get_content()
    assert refusal["Subject"] == "Practice outcomes: 1 Datei(en) abgelehnt"
    assert "der nächste Lauf nimmt sie auf" in refusal.get_content()


def test_a_failure_is_told_in_english_where_the_catalogue_is_what_failed(german, mailbox):
    german.settings  # noqa: B018  read while all was well
    (german.root / FOLDER).mkdir()
    (german.root / FOLDER / "de.po").write_text("hello", encoding="utf-8")
    publish_stand_in(german, "bbbbbbbbbbbb")
    alert_failure(german, ChecksFailed("1 of 9 checks failed"))
    assert mailbox.to(ANALYST)[0]["Subject"] == "Practice outcomes: run failed (ChecksFailed)"
