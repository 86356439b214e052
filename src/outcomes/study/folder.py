"""A study is a folder; this is its map."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from outcomes.errors import StudyError
from outcomes.store.files import file_sha256, write_text
from outcomes.study.reading import read_settings
from outcomes.study.settings import AN_ADDRESS, Cluster, StudySettings, is_address

LEDGER = "disclosed.jsonl"  # in the study folder: all that published reports told
TOLD = "told.json"  # in a release's folder: what its report tells
FEEDBACK = "feedback"  # in the study folder: pages for single therapists, and whose each is
FEEDBACK_TOLD = "feedback.jsonl"  # in the study folder: all that these pages told


@dataclass(frozen=True)
class StudyFolder:
    """Paths and settings of one study.

    Attributes
    ----------
    root : Path
        The study folder, absolute.
    cluster : str
        Address of a cluster that goes before the study file's; it decides who computes, never what comes out.
    """

    root: Path
    cluster: str = ""

    @classmethod
    def open(cls, root: Path | str, cluster: str = "") -> StudyFolder:
        """Open an existing study folder.

        Raises
        ------
        StudyError
            If the folder is not there or its `study.toml` cannot be used; if `cluster` is no address.
        """
        if cluster and not is_address(cluster):
            raise StudyError(
                f"{cluster!r} is no address of a cluster", f"write it as the scheduler prints it, e.g. {AN_ADDRESS}"
            )
        folder = Path(root).expanduser().resolve()
        if not folder.is_dir():
            raise StudyError(f"There is no folder {folder}", "run `outcomes init` to make a study there")
        if "?" in str(folder):
            raise StudyError(
                "The path of the study has a question mark, which DuckDB takes for a query", "rename the folder"
            )
        around = next((parent for parent in folder.parents if (parent / "study.toml").is_file()), None)
        if around is not None and not (folder / "study.toml").exists():
            raise StudyError(
                f"{folder} lies inside the study {around}",
                f"give the study's folder: {around}; `outcomes query`, `diff` and `export` also take a release's",
            )
        study = cls(folder, cluster)
        study.settings  # noqa: B018  read now, so that a bad study file stops the run before anything is touched
        return study

    @cached_property
    def settings(self) -> StudySettings:
        """What `study.toml` declares."""
        declared = read_settings(self.settings_path)
        return declared.model_copy(update={"cluster": Cluster(address=self.cluster)}) if self.cluster else declared

    @property
    def is_writable(self) -> bool:
        """Whether this user may write to the folder: a backup may be mounted read-only."""
        return os.access(self.root, os.W_OK)

    @property
    def settings_path(self) -> Path:
        """The study file."""
        return self.root / "study.toml"

    @cached_property
    def settings_sha256(self) -> str:
        """Hash of the study file's bytes."""
        return file_sha256(self.settings_path)

    @property
    def inbox(self) -> Path:
        """Where source files are dropped."""
        return self.root / "inbox"

    @property
    def landed(self) -> Path:
        """Accepted batches, immutable."""
        return self.root / "landed"

    @property
    def quarantine(self) -> Path:
        """Rejected rows and refused files, with reasons."""
        return self.root / "quarantine"

    @property
    def releases(self) -> Path:
        """Candidate and published releases."""
        return self.root / "releases"

    @property
    def current(self) -> Path:
        """Symlink to the published release."""
        return self.root / "current"

    @property
    def database(self) -> Path:
        """The published database, reached through `current`."""
        return self.root / "outcomes.duckdb"

    @property
    def lock(self) -> Path:
        """The writer lock."""
        return self.root / ".lock"


def template_text(name: str = "") -> str:
    """Return a study file to start from: that of a layout, or without a name the one for files of our own shape."""
    home = files("outcomes.study")
    return (home / "templates" / f"{name}.toml" if name else home / "template.toml").read_text(encoding="utf-8")


def template_names() -> tuple[str, ...]:
    """Return the layouts for which there is a study file to start from."""
    return tuple(sorted(Path(one.name).stem for one in (files("outcomes.study") / "templates").iterdir()))


def create_study(root: Path | str, text: str = "") -> StudyFolder:
    """Make a study folder with a study file and an inbox.

    Parameters
    ----------
    root : Path
    text : str
        The study file; the commented template where empty. With a text of its own the folder must be new or empty.

    Raises
    ------
    StudyError
        If there is a `study.toml` already, or anything beside a given text; nothing is touched then.
    """
    folder = Path(root).expanduser().resolve()
    if (folder / "study.toml").exists():
        raise StudyError(f"{folder} is a study already", "edit its study.toml, or choose another folder")
    if text and folder.is_dir() and any(folder.iterdir()):
        raise StudyError(f"{folder} is not empty", "choose a folder that is not there yet")
    try:
        (folder / "inbox").mkdir(parents=True, exist_ok=True)
        write_text(folder / "study.toml", text or template_text())
    except OSError as refused:
        raise StudyError(
            f"{folder} cannot be made: {refused.strerror}", "check the path and its permissions"
        ) from refused
    return StudyFolder.open(folder)
