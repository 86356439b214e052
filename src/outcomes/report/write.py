"""The step of the pipeline that writes the report of a candidate release."""

from __future__ import annotations

from pathlib import Path

from outcomes.release.folders import DATABASE
from outcomes.report.page import render
from outcomes.report.reading import read_facts
from outcomes.storage import write_text
from outcomes.study import StudyFolder
from outcomes.warehouse import connect

REPORT = "report.html"


def is_written(folder: Path) -> bool:
    """Say whether the candidate has its report: the page appears whole, and its inputs cannot change any more."""
    return (folder / REPORT).is_file()


def write_report(folder: Path, study: StudyFolder) -> Path:
    """Write `report.html`: one page without network or script, its small numbers suppressed and rounded.

    Parameters
    ----------
    folder : Path
        A candidate release after build, audit and fit; its database and `checks.json` are all that is read.
    study : StudyFolder
        Gives the question, the audience and the thresholds.

    Returns
    -------
    Path
        The page. The same release gives the same bytes.
    """
    facts = read_facts(folder, study)
    with connect(folder / DATABASE, read_only=True) as con:
        write_text(folder / REPORT, render(con, facts, study.settings))
    return folder / REPORT
