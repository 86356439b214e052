"""Notebooks that ship with the package: a copy in the study's folder, opened or run by marimo."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from outcomes.errors import StepFailed, UsageError, no_such
from outcomes.store.files import write_text
from outcomes.study import StudyFolder

FOLDER = "notebooks"  # in the study: the researcher's own copies
STUDY_VARIABLE = "OUTCOMES_STUDY"


def shipped() -> tuple[str, ...]:
    """Names of the notebooks that ship with the package."""
    names = (
        item.name.removesuffix(".py") for item in files("outcomes.notebooks").iterdir() if item.name.endswith(".py")
    )
    return tuple(sorted(name for name in names if not name.startswith("_")))


def own_copy(study: StudyFolder, name: str) -> Path:
    """Copy a notebook into the study's `notebooks/`; a copy that is there, and may have been changed, stays.

    Raises
    ------
    UsageError
        If no such notebook ships.
    """
    if name not in shipped():
        raise no_such("notebook", name, shipped())
    copy = study.root / FOLDER / f"{name}.py"
    if not copy.exists():
        copy.parent.mkdir(exist_ok=True)
        write_text(copy, (files("outcomes.notebooks") / f"{name}.py").read_text(encoding="utf-8"))
    return copy


def open_notebook(study: StudyFolder, copy: Path, headless: bool = False) -> None:
    """Open a notebook in the browser until it is stopped; only this machine can reach it.

    Raises
    ------
    UsageError
        If marimo is not installed.
    """
    command = _marimo("edit", str(copy), "--host", "127.0.0.1", *(["--headless"] if headless else []))
    subprocess.run(command, env=_environment(study), check=False)


def export_notebook(study: StudyFolder, copy: Path, target: Path, form: str) -> None:
    """Run a notebook without a browser and keep it.

    Parameters
    ----------
    study : StudyFolder
    copy : Path
        From `own_copy`.
    target : Path
        The file to write.
    form : {"html", "ipynb"}
        A page, or a Jupyter notebook; both with what the cells gave.

    Raises
    ------
    UsageError
        If marimo is not installed.
    StepFailed
        If a cell failed.
    """
    outputs = ["--include-outputs"] if form == "ipynb" else []
    command = _marimo("export", form, str(copy), *outputs, "-o", str(target.resolve()), "--force")
    run = subprocess.run(command, env=_environment(study), capture_output=True, text=True, check=False)
    if run.returncode:
        last = (run.stderr or run.stdout).strip().splitlines()[-1:]
        raise StepFailed(
            f"The notebook {copy.name} did not run: {''.join(last)}", f"open it: outcomes notebook {study.root}"
        )


def _marimo(*arguments: str) -> list[str]:
    if find_spec("marimo") is None:
        raise UsageError("Notebooks need the package marimo", "pip install 'outcomes[notebooks]'")
    return [sys.executable, "-m", "marimo", "--yes", "--quiet", *arguments]


def _environment(study: StudyFolder) -> dict[str, str]:
    return os.environ | {STUDY_VARIABLE: str(study.root), "MARIMO_SKIP_UPDATE_CHECK": "1"}
