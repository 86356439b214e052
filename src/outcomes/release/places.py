"""Which release somebody means: by the path that they give, by its id, or the latest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from outcomes.errors import StudyError, UsageError, no_such, text
from outcomes.release.folders import DATABASE, published_id, release_folder
from outcomes.release.manifest import MANIFEST
from outcomes.store.files import read_json
from outcomes.study import StudyFolder

LATEST = "latest"
_LEAST_LETTERS = 4  # of an id that is cut short


@dataclass(frozen=True)
class KeptRelease:
    """A finished release that is still there.

    Attributes
    ----------
    release_id : str
    folder : Path
    published_at : str
        ISO 8601, UTC.
    code_version : str
    is_current : bool
        Whether it is the published one.
    """

    release_id: str
    folder: Path
    published_at: str
    code_version: str
    is_current: bool

    @property
    def database(self) -> Path:
        """Its database."""
        return self.folder / DATABASE


def find_study(path: Path | str) -> tuple[StudyFolder, str]:
    """Find the study of a path, and the release that the path means: empty where it is the study itself.

    Parameters
    ----------
    path : Path or str
        The study's folder, a release's folder in `releases/`, `current`, or a file in one of them.

    Raises
    ------
    StudyError
        If the path belongs to no study.
    UsageError
        If it is no path.
    """
    given = (path if isinstance(path, Path) else Path(text(path, "The path of a study"))).expanduser()
    is_link_of_study = given.is_symlink() and (given.parent / "study.toml").exists()
    if is_link_of_study:  # `current` and `outcomes.duckdb`: the published release, whichever it is by now
        return StudyFolder.open(given.parent), ""
    place = given.resolve()
    for folder in (place, *place.parents):
        if (folder / "study.toml").is_file():
            inside = place.relative_to(folder).parts
            is_release = len(inside) > 1 and inside[0] == "releases"
            return StudyFolder.open(folder), inside[1] if is_release else ""
    if not place.exists():
        raise StudyError(
            f"There is no folder {place}", "give the folder that holds study.toml; `outcomes init` makes one"
        )
    return StudyFolder.open(place), ""


def kept_releases(study: StudyFolder) -> tuple[KeptRelease, ...]:
    """List the finished releases that are still there, oldest first."""
    current = published_id(study)
    found = []
    for folder in study.releases.glob("[!.]*"):
        if (folder / MANIFEST).is_file():
            said = read_json(folder / MANIFEST)
            found.append(
                KeptRelease(folder.name, folder, said["published_at"], said["code_version"], folder.name == current)
            )
    return tuple(sorted(found, key=lambda one: (one.published_at, one.release_id)))


def find_release(study: StudyFolder, which: str = LATEST) -> KeptRelease:
    """Find a release by its id, by the first letters of it, or the one that is published.

    Raises
    ------
    UsageError
        If nothing is published yet, or no kept release (or more than one) has such an id.
    """
    kept = kept_releases(study)
    if text(which, "The id of a release") in (LATEST, ""):
        current = [one for one in kept if one.is_current]
        if not current:
            raise UsageError("Nothing is published yet", "run `outcomes refresh` first")
        return current[0]
    exact = [one for one in kept if one.release_id == which]
    begun = [one for one in kept if one.release_id.startswith(which) and len(which) >= _LEAST_LETTERS]
    found = exact or begun
    if len(found) > 1:
        raise UsageError(f"{len(found)} releases have an id that begins with {which!r}", "write more of the id")
    if not found:
        is_candidate = release_folder(study, which).is_dir() or which.startswith(".candidate-")
        if is_candidate:
            raise UsageError(
                f"Release {which} is not finished", "run `outcomes refresh`, which finishes and publishes it"
            )
        raise no_such("release of this study", which, [LATEST, *(one.release_id for one in kept)])
    return found[0]
