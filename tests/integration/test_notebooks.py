"""The notebooks that ship run from the first cell to the last on a study, without a browser."""

import json

import pytest

from outcomes.errors import StepFailed, UsageError
from outcomes.operate.notebooks import export_notebook, own_copy, shipped


def test_three_notebooks_ship_and_the_command_names_them():
    from outcomes.cli.researching import NOTEBOOKS

    assert set(shipped()) == set(NOTEBOOKS)
    assert len(NOTEBOOKS) == 3


@pytest.mark.parametrize("name", ["first_look", "own_model", "sealed_analysis"])
def test_a_notebook_runs_to_its_end(my_study, tmp_path, name):
    page = tmp_path / "page.html"
    export_notebook(my_study, own_copy(my_study, name), page, "html")
    said = page.read_text(encoding="utf-8")
    shown = {
        "first_look": ("Practice outcomes", "application/vnd.vega", "Not drawn."),
        "own_model": ("application/vnd.vega", "directiveness_preferred_score"),
        "sealed_analysis": ("exploratory", "model: formula"),
    }[name]
    assert all(words in said for words in shown)


def test_the_command_writes_a_jupyter_notebook_with_what_the_cells_gave(my_study, tmp_path, outcomes):
    target = tmp_path / "first.ipynb"
    run = outcomes("notebook", my_study.root, "--ipynb", target)
    assert run.returncode == 0, run.stderr
    cells = json.loads(target.read_text())["cells"]
    assert sum(bool(cell.get("outputs")) for cell in cells) > 5
    assert (my_study.root / "notebooks" / "first_look.py").is_file()


def test_a_copy_that_was_changed_stays(my_study):
    copy = own_copy(my_study, "first_look")
    copy.write_text("# mine\n")
    assert own_copy(my_study, "first_look").read_text() == "# mine\n"


def test_a_cell_that_fails_is_said(my_study, tmp_path):
    copy = own_copy(my_study, "first_look")
    copy.write_text(copy.read_text().replace("study.plot.flow()", "study.plot.float()"))
    with pytest.raises(StepFailed, match=r"first_look\.py did not run"):
        export_notebook(my_study, copy, tmp_path / "page.html", "html")


def test_an_unknown_notebook_is_refused_with_those_that_there_are(my_study):
    with pytest.raises(UsageError, match="own_model"):
        own_copy(my_study, "own_modell")
