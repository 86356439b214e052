"""The step of the pipeline that writes the documents of a candidate release."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from outcomes.disclosure.ledger import is_up_to_date, teller, write_told
from outcomes.languages import ENGLISH, read_language, speaking
from outcomes.release.folders import DATABASE
from outcomes.report.documents.annex import annex
from outcomes.report.documents.brief import brief, easy_brief
from outcomes.report.documents.report import report
from outcomes.report.explorer.page import explorer
from outcomes.report.figures.svg import drawing_aside
from outcomes.report.findings.all_findings import findings
from outcomes.report.page.blocks import Page
from outcomes.report.page.html import html
from outcomes.report.page.pdf import pdf
from outcomes.report.sections.report_section import Source
from outcomes.simulate.study import is_simulated
from outcomes.store.files import read_json, write_bytes, write_text
from outcomes.store.warehouse import connect
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import WRITTEN, Document

CHECKS = "checks.json"


def is_written(folder: Path, study: StudyFolder, release_id: str) -> bool:
    """Say whether the candidate has its documents: each file whole, and written after all that was published since."""
    wanted = (*WRITTEN, Document.EXPLORER) if study.settings.report.interactive else WRITTEN
    files = [folder / name for document in wanted for name in document.files]
    return all(path.is_file() for path in files) and is_up_to_date(folder, study, release_id)


def write_report(folder: Path, study: StudyFolder) -> Path:
    """Write brief, report and annex, small numbers suppressed and rounded, each as a page and as PDF.

    Brief and report are in the study's language, the annex is in English.

    Pages need neither network nor script, but for the explorer, which is written only where the study asks for it.

    Parameters
    ----------
    folder : Path
        A candidate release after build, audit, fit and answer; its database and `checks.json` are all that is read,
        and the published release before it, to say what changed.
    study : StudyFolder
        Gives the question, the audience and the thresholds.

    Returns
    -------
    Path
        The report's page. The same release after the same earlier reports gives the same bytes; `told.json` beside it
        has all that the documents tell, for the ledger: they are one release, and tell one number of one thing.
    """
    with drawing_aside():
        _write(folder, study)
    return folder / Document.REPORT.files[0]


def _write(folder: Path, study: StudyFolder) -> None:
    language = read_language(study.settings.report.language, study.root)
    with _source(folder, study) as source, speaking(language):
        pages = documents(source)
        explored = explorer(source) if study.settings.report.interactive else ""
        for document in (*WRITTEN, Document.EXPLORER):
            for name in document.files:  # so that a kill leaves no old page beside new numbers
                (folder / name).unlink(missing_ok=True)
        write_told(folder, source.teller)
    for page in pages:
        name_html, name_pdf = page.document.files
        with speaking(language if page.language == language.tag else ENGLISH):
            write_bytes(folder / name_pdf, pdf(page))
            write_text(folder / name_html, html(page))
    if explored:
        write_text(folder / Document.EXPLORER.files[0], explored)


def documents(source: Source) -> tuple[Page, ...]:
    """Make all documents of a release, the annex first: what it tells, the others repeat."""
    full = annex(source)
    found = findings(source)
    return full, report(source, found), brief(source, found), easy_brief(source, found)


@contextmanager
def _source(folder: Path, study: StudyFolder) -> Iterator[Source]:
    statements = {check["check_id"]: check["statement"] for check in read_json(folder / CHECKS)["checks"]}
    with ExitStack() as opened:
        con = opened.enter_context(connect(folder / DATABASE, read_only=True))
        ((release_id,),) = con.execute("select release_id from release").fetchall()
        yield Source(
            con, study.settings, teller(study, release_id), statements, study.settings_sha256, is_simulated(study.root),
            _before(study, release_id, opened),
        )  # fmt: skip


def _before(study: StudyFolder, release_id: str, opened: ExitStack) -> duckdb.DuckDBPyConnection | None:
    """The release that is published now, where it is another one."""
    published = study.current.resolve()
    if published.name == release_id or not (published / DATABASE).is_file():
        return None
    return opened.enter_context(connect(published / DATABASE, read_only=True))
