"""`outcomes init --from` and `--template`: a study file to read and not to write."""

from __future__ import annotations

import pytest

from outcomes.landing import Landed, land_file
from outcomes.study import StudyFolder
from outcomes.study.folder import create_study, template_names, template_text

VISITS = "Pat-Nr;Therapeut;Nachname;Sitzung Nr.;Anleitung;Zufriedenheit\n" + "".join(
    f"P{c:03d};T{c % 3};Meier;{s};{c % 7},5;{1 + c % 5}\n" for c in range(20) for s in range(1, 5)
)
CLIENTS = "Pat-Nr,Geschlecht,Reaktanz\n" + "".join(f"P{c:03d},{'w' if c % 2 else 'm'},{c % 6}\n" for c in range(20))


def test_files_land_under_the_study_file_that_was_mapped_from_them(desk):
    visits, clients = desk.file("in/Visiten_2024.csv", VISITS), desk.file("in/Stammdaten.csv", CLIENTS)
    run = desk.run("init", desk.root / "study", "--from", visits, clients)
    assert run.exit_code == 0, run.output
    study = StudyFolder.open(desk.root / "study")
    assert not list(study.inbox.iterdir())
    for path in (visits, clients):
        landed = land_file(study, path)
        assert isinstance(landed, Landed), landed
        assert landed.rows_landed == landed.rows_read


def test_every_guess_is_marked(desk):
    desk.run("init", desk.root / "study", "--from", desk.file("Visiten.csv", VISITS))
    text = (desk.root / "study" / "study.toml").read_text()
    guessed = [line for line in text.splitlines() if " = " in line and "name =" not in line and line[0] != "#"]
    assert len(guessed) > 8
    assert [line for line in guessed if "# guess" not in line and not line.startswith("drop")] == []


def test_nothing_is_overwritten(desk):
    visits = desk.file("in/visits.csv", VISITS)
    before = visits.read_bytes()
    run = desk.run("init", desk.root / "in", "--from", visits)
    assert run.exit_code == 2
    assert "not empty" in run.output
    assert sorted(path.name for path in (desk.root / "in").iterdir()) == ["visits.csv"]
    assert visits.read_bytes() == before
    create_study(desk.root / "study")
    assert desk.run("init", desk.root / "study", "--from", visits).exit_code == 2


def test_files_that_cannot_be_read_or_mapped_make_nothing(desk):
    run = desk.run("init", desk.root / "study", "--from", desk.file("empty.csv", ""), desk.file("v.csv", VISITS))
    assert (run.exit_code, "empty.csv" in run.output) == (1, True)
    run = desk.run("init", desk.root / "study", "--from", desk.file("prices.csv", "item,price\nbread,2\nmilk,1\n"))
    assert (run.exit_code, "no file looks like" in run.output) == (1, True)
    assert not (desk.root / "study").exists()


@pytest.mark.parametrize("arguments", [["--from"], ["--from", "--template", "wide", "FILE"], ["FILE"]])
def test_options_that_do_not_go_together_are_refused(desk, arguments):
    path = desk.file("v.csv", VISITS)
    run = desk.run("init", desk.root / "study", *(path if one == "FILE" else one for one in arguments))
    assert run.exit_code == 2
    assert not (desk.root / "study").exists()


@pytest.mark.parametrize("name", template_names())
def test_templates_of_layouts_are_studies(desk, name):
    assert desk.run("init", desk.root / "study", "--template", name).exit_code == 0
    study = StudyFolder.open(desk.root / "study")
    assert study.settings_path.read_text() == template_text(name)
    assert study.settings.sources["sessions"].format == name


def test_an_unknown_template_names_those_that_there_are(desk):
    run = desk.run("init", desk.root / "study", "--template", "redcp")
    assert run.exit_code == 2
    assert "redcap" in run.output
