"""Data-quality findings from release to release: what is new, what was resolved, what persists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from outcomes.audit import Status
from outcomes.errors import StorageError
from outcomes.store.files import read_json
from outcomes.study import StudyFolder

_OPEN = (Status.FAILED, Status.ERROR)


@dataclass(frozen=True)
class Findings:
    """The open findings of one release beside those of the release that was published before it.

    Attributes
    ----------
    release_id, published_at : str
        The release; ISO 8601, UTC.
    new, persisting, resolved : tuple of str
        Ids of checks: open only here, open in both, open only in the release before. All are new in the first release.
    """

    release_id: str
    published_at: str
    new: tuple[str, ...]
    persisting: tuple[str, ...]
    resolved: tuple[str, ...]

    @property
    def n_open(self) -> int:
        """How many findings the release has."""
        return len(self.new) + len(self.persisting)


def read_trend(study: StudyFolder) -> tuple[Findings, ...]:
    """Return the findings of every release that is kept, in the order of publication.

    Raises
    ------
    StorageError
        If a release's manifest or checks cannot be read.
    """
    releases = sorted(_read(folder) for folder in study.releases.glob("[!.]*") if folder.is_dir())
    trend, before = [], frozenset()
    for published_at, release_id, found in releases:
        now = frozenset(found)
        trend.append(
            Findings(
                release_id, published_at, tuple(sorted(now - before)), tuple(sorted(now & before)),
                tuple(sorted(before - now)),
            )
        )  # fmt: skip
        before = now
    return tuple(trend)


def _read(folder: Path) -> tuple[str, str, tuple[str, ...]]:
    try:
        checks = read_json(folder / "checks.json")["checks"]
        found = tuple(check["check_id"] for check in checks if check["status"] in _OPEN)
        return read_json(folder / "manifest.json")["published_at"], folder.name, found
    except (OSError, ValueError, KeyError, TypeError):
        raise StorageError(
            f"The checks of release {folder.name} cannot be read", "run `outcomes verify` to see what was altered"
        ) from None
