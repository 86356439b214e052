"""A release's id: a hash over everything that decides what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from outcomes.languages.catalogue import own_catalogue
from outcomes.release.batches import landed_batches
from outcomes.study import StudyFolder
from outcomes.study.sealing import read_sealing

_ID_DIGITS = 12
_CODE_DIGITS = 8
_SOURCES = (".py", ".html", ".css", ".po", ".toml")
_OUTSIDE = ("flows/", "sql/", "expectations/", "notebooks/")


def candidate_id(study: StudyFolder) -> str:
    """Return the id that a release of the study's present inputs has.

    Parameters
    ----------
    study : StudyFolder
        The study.

    Returns
    -------
    str
        The first 12 hex digits of a SHA-256 over the landed batches (order and hashes), `study.toml`, the SQL files,
        the expectation suites, the code version, the state of the seal and, where the study has one, its own
        catalogue of sentences.
    """
    digest = hashlib.sha256()
    for batch in landed_batches(study.landed):
        # A withdrawal may change no more than the quarantined rows, which are counted in the release.
        content = f"{batch.batch_id} {batch.sha256} {batch.parquet_sha256} {batch.n_quarantined}\n"
        digest.update(content.encode())
    rules = _resources_sha256("outcomes.sql", ".sql"), _resources_sha256("outcomes.expectations", ".json")
    sealing = read_sealing(study)
    for part in (study.settings_sha256, *rules, code_version(), sealing.state, sealing.seal):
        digest.update(f"{part}\n".encode())
    own = own_catalogue(study.settings.report.language, study.root)
    if own.is_file():
        digest.update(own.read_bytes())
    return digest.hexdigest()[:_ID_DIGITS]


@cache
def code_version() -> str:
    """Return the package's version and a short hash of its sources, which tells two states of a clone apart."""
    return f"{version('outcomes')}+{_resources_sha256('outcomes', *_SOURCES)[:_CODE_DIGITS]}"


@cache
def _resources_sha256(package: str, *endings: str) -> str:
    """Hash the names and contents of a package's files with these endings, in the order of their names."""
    digest = hashlib.sha256()
    for name, item in sorted(_walk(files(package), ""), key=lambda pair: pair[0]):
        # In a wheel the folders outside src/ lie inside the package: the id must not depend on the way of installing.
        if name.endswith(endings) and not name.startswith(_OUTSIDE):
            content = item.read_bytes()
            digest.update(f"{name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        else:
            yield f"{prefix}{item.name}", item
