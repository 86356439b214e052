"""The search of a whole study for the ids of persons who withdraw."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from outcomes.contract import Kind
from outcomes.landing.formats.id_cells import IdCells
from outcomes.progress import tracked
from outcomes.store.files import file_sha256, read_json
from outcomes.study import StudyFolder
from outcomes.study.tables.delivery import WRITTEN
from outcomes.trust.pending import PENDING
from outcomes.trust.persons import Persons
from outcomes.trust.recording import quarantine_path
from outcomes.trust.search.content import Inspection, holds
from outcomes.trust.search.kinds import Packing
from outcomes.trust.search.names import entries, name_holds, shown_name
from outcomes.trust.search.tables import table_searches
from outcomes.trust.withdrawn_batches import split_quarantine
from outcomes.trust.withdrawn_sources import NotRewritable, Unsearchable, rewrite_source, source_files

_REPORTS = frozenset(name for document in WRITTEN for name in document.files if name.endswith(".pdf"))
_NOT_OPENED = "it may not be read"


@dataclass(frozen=True)
class Search:
    """What was searched and found; names are without ids.

    Attributes
    ----------
    n_files : int
        Files below the study that were searched.
    n_ids, n_ids_in_bytes : int
        Ids that were searched for in id columns, and those of them that are long enough to search everything for.
    found_in : tuple of str
        Files that hold one of the ids, or whose names do.
    found_by_name : frozenset of str
        Those of them whose names (or link targets, or attributes) do.
    unsearchable : tuple of str
        Files, or closed folders, of which nobody can say what they hold.
    reasons : dict
        Why not, by name.
    """

    n_files: int
    n_ids: int
    n_ids_in_bytes: int
    found_in: tuple[str, ...]
    found_by_name: frozenset[str]
    unsearchable: tuple[str, ...]
    reasons: dict[str, str] = field(default_factory=dict)

    def as_text(self) -> str:
        """The result in a line; a number of files in which nothing was found only where all could be searched."""
        found = f"{self.n_files:,} files searched, found in {len(self.found_in):,}"
        if not self.unsearchable:
            return found
        named = f"{len(self.unsearchable):,} could not be searched"
        return f"{found}; {named}" if self.found_in else f"{self.n_files:,} files, {named}"

    def named(self) -> list[str]:
        """Every file that is in the way, with what is wrong with it."""
        lines = [
            f"{name}: {'its name holds an id; rename it' if name in self.found_by_name else 'holds an id'}"
            for name in self.found_in
        ]
        for name in self.unsearchable:
            lines.append(f"{name}: cannot be opened, so it cannot be searched ({self.reasons[name]})")
        return lines


def search_study(study: StudyFolder, persons: Persons) -> Search:
    """Search all names and files below the study folder for the persons' ids.

    Everything is searched for ids that are not met by chance (six characters or more with a digit, or nine digits);
    id columns of source files, quarantined rows, Parquet files and databases are searched for all of them.
    """
    every, sources, ours = list(entries(study.root)), dict(source_files(study)), _own_reports(study)
    with _scratch(study) as scratch:
        findings = _Findings(study, persons, scratch)
        findings.by_content.update(_quarantine_files(study, persons))
        for path, is_closed in tracked(every, "Searching", total=len(every)):
            if path == study.root / PENDING:
                continue
            if is_closed:
                findings.reasons[path] = _NOT_OPENED
                continue
            findings.look_at_name(path)
            if path.is_symlink() or not path.is_file():
                continue
            findings.n_files += 1
            if not (path.name in _REPORTS and file_sha256(path) in ours):  # its numbers passed disclosure control
                findings.look_into(path)
            if path in sources:
                findings.look_at_rows(path, sources[path])
        return findings.as_search()


def database_holds(study: StudyFolder, path: Path, persons: Persons) -> bool:
    """Say whether a DuckDB file has one of the ids anywhere.

    Raises
    ------
    Unsearchable
        If the file cannot be opened, or has what cannot be searched.
    """
    with _scratch(study) as scratch:
        seen = Inspection(persons.distinctive, scratch, table_searches(persons))
        return seen.tables[Packing.DUCKDB](path, seen, 0)


@dataclass
class _Findings:
    """What has been found so far."""

    study: StudyFolder
    persons: Persons
    scratch: Path
    n_files: int = 0
    by_content: set[Path] = field(default_factory=set)
    by_name: set[Path] = field(default_factory=set)
    reasons: dict[Path, str] = field(default_factory=dict)

    def look_at_name(self, path: Path) -> None:
        try:
            if name_holds(path, self._inspection()):
                self.by_name.add(path)
        except Unsearchable as unknown:
            self.reasons[path] = str(unknown)

    def look_into(self, path: Path) -> None:
        try:
            with path.open("rb") as stream:
                if holds(stream, self._inspection()):
                    self.by_content.add(path)
        except Unsearchable as unknown:
            self.reasons[path] = str(unknown)
        except OSError:
            self.reasons[path] = _NOT_OPENED

    def look_at_rows(self, path: Path, kinds: tuple[Kind, ...]) -> None:
        """Look at the id columns of a source file, for short ids too."""
        try:
            if rewrite_source(path, self.scratch / "without", kinds, self.study.settings, self.persons):
                self.by_content.add(path)
        except NotRewritable:
            self.by_content.add(path)
        except Unsearchable:
            self.reasons.setdefault(path, "damaged, or of no format that is read")

    def as_search(self) -> Search:
        seen, root = self._inspection(), self.study.root
        names = {path: shown_name(path, root, self.persons.distinctive, seen)
                 for path in {*self.by_content, *self.by_name, *self.reasons}}  # fmt: skip
        unsearchable = set(self.reasons) - self.by_content
        return Search(
            n_files=self.n_files, n_ids=len(self.persons.ids), n_ids_in_bytes=self.persons.n_distinctive,
            found_in=tuple(sorted(names[path] for path in self.by_content | self.by_name)),
            found_by_name=frozenset(names[path] for path in self.by_name),
            unsearchable=tuple(sorted(names[path] for path in unsearchable)),
            reasons={names[path]: self.reasons[path] for path in unsearchable},
        )  # fmt: skip

    def _inspection(self) -> Inspection:
        return Inspection(self.persons.distinctive, self.scratch, table_searches(self.persons))


@contextmanager
def _scratch(study: StudyFolder) -> Iterator[Path]:
    study.quarantine.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=study.quarantine, prefix=".aside-") as folder:
        yield Path(folder)


def _own_reports(study: StudyFolder) -> set[str]:
    """Return the hashes of the PDF reports of the releases, as their manifests have them."""
    manifests = (read_json(path) for path in study.releases.glob("[!.]*/manifest.json"))
    return {manifest["files"].get(name, "") for manifest in manifests for name in _REPORTS}


def _quarantine_files(study: StudyFolder, persons: Persons) -> Iterator[Path]:
    """Yield the quarantine files that have one of the ids in a row."""
    manifests = [*study.landed.glob("[!.]*/manifest.json"), *study.quarantine.glob("*.refused.json")]
    for path in sorted(manifests):
        record = read_json(path)
        if record["kind"] is None:
            continue
        rows = quarantine_path(study, record["sha256"])
        if split_quarantine(rows, IdCells(record["kind"], study.settings), persons)[1]:
            yield rows
