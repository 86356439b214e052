"""A messy inbox: the cohort's files with planted faults, each with its truth, and harmless oddities beside them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from outcomes.contract import Kind, Refusal
from outcomes.errors import UsageError
from outcomes.simulate.faults.file_faults import file_faults
from outcomes.simulate.faults.row_faults import PlantedRows, SourceText, plant_row_faults
from outcomes.simulate.faults.variations import VARIATIONS
from outcomes.simulate.sources import source_tables, write_aside
from outcomes.simulate.world.cohort import Cohort

MINIMUM_CLIENTS = 400  # fewer, and the planted rows would be more than the template's `max_bad_share` of a file
_EPISODES_OF_A_VARIATION = 6
_EPISODES_OF_A_BROKEN_FILE = 30
_EPISODES_OF_THE_CORRECTION = 10
CORRECTION = "sessions_corrected.csv"
REPETITION = "sessions_sent_again.csv"


@dataclass(frozen=True)
class Mess:
    """What was planted.

    Attributes
    ----------
    rows : tuple of PlantedRows
        Faulty rows of files that are to be landed without them.
    files : tuple of (name, file, refusal)
        Files that are to be refused whole.
    variations : tuple of (name, file, rows)
        Files that are to be landed to the last row.
    correction : (file, rows)
        A sound file that repeats sessions of earlier files with other ratings: it supersedes them.
    repetition : (file, original)
        A copy of another file, to be recognised and skipped.
    """

    rows: tuple[PlantedRows, ...]
    files: tuple[tuple[str, str, Refusal], ...]
    variations: tuple[tuple[str, str, int], ...]
    correction: tuple[str, int]
    repetition: tuple[str, str]

    def record(self) -> dict[str, Any]:
        """Return the part of `truth.json` that says what was planted."""
        return {
            "quarantined_rows": [asdict(planted) for planted in self.rows],
            "refused_files": [{"name": name, "file": file, "refusal": refusal} for name, file, refusal in self.files],
            "accepted_oddities": [{"name": name, "file": file, "rows": rows} for name, file, rows in self.variations],
            "superseding_file": {"file": self.correction[0], "rows": self.correction[1]},
            "repeated_file": {"file": self.repetition[0], "original": self.repetition[1]},
        }


def write_messy_sources(cohort: Cohort, inbox: Path, *, session_files: int = 4) -> tuple[tuple[Path, ...], Mess]:
    """Write the cohort's files with planted faults.

    Every good row of the cohort still arrives, in an ordinary file or in an odd one; broken files repeat records that
    arrive elsewhere. Files that must come after others have names that sort after them (`_` sorts after `-` and `.`).

    Raises
    ------
    UsageError
        If the cohort has fewer than `MINIMUM_CLIENTS` clients.
    """
    if cohort.clients.height < MINIMUM_CLIENTS:
        raise UsageError(
            f"A messy inbox needs at least {MINIMUM_CLIENTS} clients, this cohort has {cohort.clients.height}",
            "raise --clients: with fewer, whole files are refused for too many bad rows",
        )
    rng = np.random.default_rng([cohort.seed, 1])
    episodes = cohort.episodes["episode_id"].to_list()
    odd = _take(episodes, len(VARIATIONS) * _EPISODES_OF_A_VARIATION, rng)
    tables = source_tables(cohort, session_files)
    session_names = [name for name in tables if name not in ("clients.csv", "episodes.csv")]
    ordinary = {name: tables[name].filter(~pl.col("episode_id").is_in(odd)) for name in session_names}
    content: dict[str, bytes] = {}

    texts, rows, touched = plant_row_faults(Kind.SESSIONS, tuple(_source(*item) for item in ordinary.items()), rng)
    for kind in (Kind.EPISODES, Kind.CLIENTS):
        name = f"{kind}.csv"
        more_texts, more_rows, _ = plant_row_faults(kind, (_source(name, tables[name]),), rng)
        texts, rows = texts | more_texts, rows + more_rows
    content |= {name: text.encode() for name, text in texts.items()}

    variations = []
    for place, variation in enumerate(VARIATIONS):
        part = _of(cohort.sessions, odd[place * _EPISODES_OF_A_VARIATION : (place + 1) * _EPISODES_OF_A_VARIATION])
        content[variation.file] = variation.write(part)
        variations.append((variation.name, variation.file, part.height))

    untouched = [episode for episode in episodes if episode not in touched and episode not in set(odd)]
    repeated = _take(untouched, _EPISODES_OF_A_BROKEN_FILE, rng)
    sessions = _of(cohort.sessions, repeated)
    broken = file_faults(sessions, cohort.episodes.head(40), cohort.clients.head(40))
    content |= {fault.file: fault.content for fault in broken}

    corrected = _correction(_of(cohort.sessions, repeated[:_EPISODES_OF_THE_CORRECTION]))
    content[CORRECTION] = corrected.write_csv().encode()
    content[REPETITION] = content[session_names[0]]

    inbox.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        write_aside(inbox / name, lambda path, data=data: path.write_bytes(data))
    mess = Mess(
        rows=rows,
        files=tuple((fault.name, fault.file, fault.refusal) for fault in broken),
        variations=tuple(variations),
        correction=(CORRECTION, corrected.height),
        repetition=(REPETITION, session_names[0]),
    )
    return tuple(inbox / name for name in content), mess


def _take(items: list[str], count: int, rng: np.random.Generator) -> list[str]:
    return [items[place] for place in rng.permutation(len(items))[:count]]


def _of(sessions: pl.DataFrame, episodes: list[str]) -> pl.DataFrame:
    return sessions.filter(pl.col("episode_id").is_in(episodes))


def _correction(sessions: pl.DataFrame) -> pl.DataFrame:
    """Enter satisfaction anew, a tenth of a point nearer to the middle of the scale."""
    entered = pl.col("satisfaction")
    return sessions.with_columns((entered - 0.1 * (entered - 5).sign()).round(1))


def _source(name: str, table: pl.DataFrame) -> SourceText:
    header, *rows = table.write_csv().splitlines()
    return SourceText(name, tuple(header.split(",")), tuple(rows))
