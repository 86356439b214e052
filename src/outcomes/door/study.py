"""A study as a researcher meets it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, overload

from outcomes.door.release import Release
from outcomes.release.places import LATEST, KeptRelease, find_release, find_study, kept_releases
from outcomes.store.html_tables import as_html_table
from outcomes.study import StudyFolder

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from outcomes.door.fits import OwnFit
    from outcomes.door.plots import ReleasePlots
    from outcomes.operate.comparing.comparison import Comparison


class Releases(Sequence[KeptRelease]):
    """The releases of a study that are kept, oldest first; shows itself as a table."""

    def __init__(self, kept: Sequence[KeptRelease]) -> None:
        self._kept = tuple(kept)

    @overload
    def __getitem__(self, place: int) -> KeptRelease: ...
    @overload
    def __getitem__(self, place: slice) -> Releases: ...
    def __getitem__(self, place: int | slice) -> KeptRelease | Releases:
        return Releases(self._kept[place]) if isinstance(place, slice) else self._kept[place]

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[KeptRelease]:
        return iter(self._kept)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        return [
            (one.release_id, one.published_at, one.code_version, "published" if one.is_current else "")
            for one in self._kept
        ]

    def __repr__(self) -> str:
        lines = [f"{n} release{'s' if n != 1 else ''}, oldest first" for n in (len(self),)]
        return "\n".join([*lines, *(f"  {'  '.join(row)}".rstrip() for row in self._rows())])

    def _repr_html_(self) -> str:
        return as_html_table(("release", "published (UTC)", "code", ""), self._rows())


class Study:
    """A study with its releases; what is asked of the study itself is asked of its latest release.

    Made by `outcomes.open`. Reads only: a refresh that runs meanwhile is neither held up nor seen, until the study is
    opened again. Close it, or use it in a `with` block, where many are opened.

    Attributes
    ----------
    folder : StudyFolder
        Paths and settings of the study.
    """

    def __init__(self, folder: StudyFolder, which: str = LATEST) -> None:
        self.folder = folder
        self._which = which
        self._opened: dict[str, Release] = {}

    @property
    def name(self) -> str:
        """The study's name, from `study.toml`."""
        return self.folder.settings.study.name

    @property
    def root(self) -> Path:
        """The study's folder."""
        return self.folder.root

    @property
    def releases(self) -> Releases:
        """All releases that are kept, oldest first."""
        return Releases(kept_releases(self.folder))

    def release(self, which: str = LATEST) -> Release:
        """Return one release.

        Parameters
        ----------
        which : str
            `"latest"` (the published one), an id, or the first four or more letters of an id.

        Raises
        ------
        UsageError
            If nothing is published, or no kept release has such an id.
        """
        kept = find_release(self.folder, which)
        if kept.release_id not in self._opened:
            self._opened[kept.release_id] = Release(kept, self.name)
        return self._opened[kept.release_id]

    @cached_property
    def latest(self) -> Release:
        """The release that was published when the study was opened (or the one whose path was given)."""
        return self.release(self._which)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """Ask the latest release in SQL; see `Release.sql`."""
        return self.latest.sql(query)

    def table(self, name: str) -> duckdb.DuckDBPyRelation:
        """Return a table of the latest release; see `Release.table`."""
        return self.latest.table(name)

    @property
    def tables(self) -> pl.DataFrame:
        """All tables of the latest release: what one row is, and how many there are."""
        return self.latest.tables

    def codebook(self, name: str = "") -> pl.DataFrame:
        """Say what a column or table means; see `Release.codebook`."""
        return self.latest.codebook(name)

    @property
    def verdicts(self) -> pl.DataFrame:
        """What guidance does to each outcome, with the way to it; see `Release.verdicts`."""
        return self.latest.verdicts

    @property
    def estimates(self) -> pl.DataFrame:
        """Fixed effects of the declared models; see `Release.estimates`."""
        return self.latest.estimates

    @property
    def contrasts(self) -> pl.DataFrame:
        """Differences in absolute terms; see `Release.contrasts`."""
        return self.latest.contrasts

    @property
    def checks(self) -> pl.DataFrame:
        """Data-quality checks; see `Release.checks`."""
        return self.latest.checks

    def fit(self, formula: str, *, table: str = "", link: str = "logit", engine: str = "outcomes") -> OwnFit:
        """Fit a model of your own to the latest release; see `Release.fit`."""
        return self.latest.fit(formula, table=table, link=link, engine=engine)

    @property
    def plot(self) -> ReleasePlots:
        """Pictures of the latest release; see `outcomes.door.plots.ReleasePlots`."""
        return self.latest.plot

    def compare(self, other: str | Release, which: str | Release = LATEST) -> Comparison:
        """Compare an earlier release with another (by default the latest); see `Release.compare`."""
        now = which if isinstance(which, Release) else self.latest if which == LATEST else self.release(which)
        return now.compare(other if isinstance(other, Release) else self.release(other))

    def close(self) -> None:
        """Let go of all databases; a release that is asked for again is opened anew."""
        for release in self._opened.values():
            release.close()

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        kept = self.releases
        current = next((one for one in kept if one.is_current), None)
        said = f"release {current.release_id} of {current.published_at}" if current else "nothing published yet"
        return (
            f"Study {self.name!r} in {self.root}\n"
            f"  {said}; {len(kept)} kept\n"
            "  .verdicts .estimates .checks .tables .codebook(...) .sql(...) .fit(...) .plot. .compare(...)"
        )

    def _repr_html_(self) -> str:
        return (
            f"<p><b>{escape(self.name)}</b><br><code>{escape(str(self.root))}</code></p>{self.releases._repr_html_()}"
        )


def open_study(path: Path | str) -> Study:
    """Open a study to read it.

    Parameters
    ----------
    path : Path or str
        The study's folder; or a path inside `releases/`, whose release is then the one that is asked.

    Returns
    -------
    Study
        Use it in a `with` block, or call `close()`, to let go of its files.

    Raises
    ------
    StudyError
        If the path belongs to no study.
    UsageError
        Later, when something is asked and nothing is published yet.
    """
    folder, release_id = find_study(path)
    return Study(folder, release_id or LATEST)
