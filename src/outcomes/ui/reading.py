"""What the pages show, read from a study and its releases anew for each page; nothing is locked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from outcomes.door.release import Release
from outcomes.errors import UsageError, no_such
from outcomes.release.places import LATEST, KeptRelease, find_release, kept_releases
from outcomes.release.timings import read_timings
from outcomes.store.files import read_json
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import Document

DOCUMENTS = {
    Document.BRIEF: "The brief: one page for everybody",
    Document.EASY: "The brief in easy words, for service users",
    Document.REPORT: "The report, for clinicians and leads",
    Document.ANNEX: "The annex: all tables and methods",
    Document.CHECKS: "The checks of the data, for analysts: counts as they are",
    Document.EXPLORER: "Explorer (here its tables; its pictures need the file itself, opened in a browser)",
}
_NEW, _OLD = "new", "old"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """An open finding of a release.

    Attributes
    ----------
    check_id, severity, sentence : str
        What was checked, how grave, and what was found.
    remedy : str
        What to do; empty where the release does not say.
    since : {"new", "old"}
        Whether the release before had it too.
    """

    check_id: str
    severity: str
    sentence: str
    remedy: str
    since: str


@dataclass(frozen=True)
class ReleaseView:
    """One release as its page shows it.

    Attributes
    ----------
    kept : KeptRelease
    documents : tuple of (Document, tuple of str)
        Those that are there, with their files.
    findings : tuple of Finding
    n_checks : dict of str to int
        Checks by status.
    fits, answers, verdicts : tuple of mappings
        Rows of `model_fits`, `answer_states` and `verdicts`; empty where an earlier version made none.
    timings : dict of str to float
        Seconds by step.
    """

    kept: KeptRelease
    documents: tuple[tuple[Document, tuple[str, ...]], ...]
    findings: tuple[Finding, ...]
    n_checks: dict[str, int]
    fits: tuple[Row, ...]
    answers: tuple[Row, ...]
    verdicts: tuple[Row, ...]
    timings: dict[str, float]


def exactly(study: StudyFolder, which: str) -> KeptRelease:
    """Return a kept release by its whole id or `latest`; no other text is taken for one.

    Raises
    ------
    UsageError
        If there is none.
    """
    known = [LATEST, *(one.release_id for one in kept_releases(study))]
    if which not in known:
        raise no_such("release of this study", which, known)
    return find_release(study, which)


def document_files(kept: KeptRelease) -> tuple[tuple[Document, tuple[str, ...]], ...]:
    """Name the documents of a release and their files, so far as they are there."""
    there = {path.name for path in kept.folder.iterdir() if path.is_file() and not path.is_symlink()}
    found = [(document, tuple(name for name in document.files if name in there)) for document in DOCUMENTS]
    return tuple((document, files) for document, files in found if files)


def read_release(study: StudyFolder, kept: KeptRelease, new: tuple[str, ...]) -> ReleaseView:
    """Read what a release's page shows.

    Parameters
    ----------
    study : StudyFolder
    kept : KeptRelease
    new : tuple of str
        Checks that are open here and were not in the release before.
    """
    remedies = {
        check["check_id"]: check.get("remedy", "") for check in read_json(kept.folder / "checks.json")["checks"]
    }
    with Release(kept, study.settings.study.name) as release:
        checks = release.checks
        is_open = checks["status"].is_in(["failed", "error"])
        findings = tuple(
            Finding(
                row["check_id"], row["severity"], row["sentence"], remedies.get(row["check_id"], ""),
                _NEW if row["check_id"] in new else _OLD,
            )
            for row in checks.filter(is_open).iter_rows(named=True)
        )  # fmt: skip
        return ReleaseView(
            kept, document_files(kept), findings, dict(checks["status"].value_counts(sort=True).iter_rows()),
            rows_of(lambda: release.table("model_fits").pl()), rows_of(lambda: release.answers),
            rows_of(lambda: release.verdicts), read_timings(kept.folder),
        )  # fmt: skip


def read_codebook(study: StudyFolder, kept: KeptRelease, word: str) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return the tables of a release, and the columns that a word is in: in name, table, description or unit."""
    with Release(kept, study.settings.study.name) as release:
        tables = tuple(release.tables.iter_rows(named=True))
        book = release.codebook().drop_nulls("column_name")
    asked = word.casefold()
    shown = ("table_name", "column_name", "description", "unit")
    found = [row for row in book.iter_rows(named=True) if any(asked in (row[one] or "").casefold() for one in shown)]
    return tables, tuple(found)


def rows_of(read: Callable[[], Any]) -> tuple[Row, ...]:
    """Return the rows of a frame; none where the release was made by a version that had no such table."""
    try:
        return tuple(read().iter_rows(named=True))
    except UsageError:
        return ()
