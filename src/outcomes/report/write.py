"""The step of the pipeline that writes the report of a candidate release."""

from __future__ import annotations

from pathlib import Path

from outcomes.disclosure import Telling
from outcomes.disclosure.ledger import is_up_to_date, teller, write_told
from outcomes.release.folders import DATABASE
from outcomes.report.document import render
from outcomes.report.page.pdf import pdf_of
from outcomes.store.files import read_json, write_bytes, write_text
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder

REPORT, PDF, CHECKS = "report.html", "report.pdf", "checks.json"


def is_written(folder: Path, study: StudyFolder, release_id: str) -> bool:
    """Say whether the candidate has its report: each file whole, and written after all that was published since."""
    return (folder / REPORT).is_file() and (folder / PDF).is_file() and is_up_to_date(folder, study, release_id)


def write_report(folder: Path, study: StudyFolder) -> Path:
    """Write `report.html`, its small numbers suppressed and rounded, without network or script, and `report.pdf`.

    Parameters
    ----------
    folder : Path
        A candidate release after build, audit, fit and answer; its database and `checks.json` are all that is read.
    study : StudyFolder
        Gives the question, the audience and the thresholds.

    Returns
    -------
    Path
        The page. The same release after the same earlier reports gives the same bytes; `told.json` beside it has all
        that it tells, for the ledger.
    """
    statements = {check["check_id"]: check["statement"] for check in read_json(folder / CHECKS)["checks"]}
    with connect(folder / DATABASE, read_only=True) as con:
        release_id, data_cut = con.execute("select release_id, data_cut from release").fetchall()[0]
        telling = Telling.by(teller(study, release_id))
        settings = study.settings.model_copy(update={"disclosure": telling})
        page = render(con, settings, statements, study.settings_sha256)
    (folder / REPORT).unlink(missing_ok=True)  # so that a kill leaves no old page beside new numbers
    write_told(folder, telling.teller)
    write_text(folder / REPORT, page)
    write_bytes(folder / PDF, pdf_of(page, study.settings.study.name, release_id, data_cut))
    return folder / REPORT
