"""The step of the pipeline that writes the report of a candidate release."""

from __future__ import annotations

from pathlib import Path

from outcomes.disclosure.ledger import is_up_to_date, teller, write_told
from outcomes.release.folders import DATABASE
from outcomes.report.document import page_of
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.report.sections.report_section import Source
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
        ((release_id,),) = con.execute("select release_id from release").fetchall()
        telling = teller(study, release_id)
        page = page_of(Source(con, study.settings, telling, statements, study.settings_sha256))
    (folder / REPORT).unlink(missing_ok=True)  # so that a kill leaves no old page beside new numbers
    write_told(folder, telling)
    write_text(folder / REPORT, html(page))
    write_bytes(folder / PDF, pdf(page))
    return folder / REPORT
