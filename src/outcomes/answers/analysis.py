"""What an analysis is: its name, the tables that it writes, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from outcomes.release.codebook.vocabulary import TableText
from outcomes.study import StudyFolder
from outcomes.study.settings import AnalysisName


@dataclass(frozen=True)
class Analysis:
    """One analysis of the answer step.

    Attributes
    ----------
    name : AnalysisName
        What `leave_out` of the study file calls it.
    tables : tuple of TableText
        The tables that it writes, empty where it is refused.
    run : callable
        Called with a connection and the settings, and the path of `memory` where there is one; gives its tables by
        name.
    memory : str
        File of the study folder where it keeps what the next release may need again; empty for none.
    runs_beside : bool
        Its work is done in processes of its own, so that the other analyses are run meanwhile.
    """

    name: AnalysisName
    tables: tuple[TableText, ...]
    run: Callable[..., dict[str, pl.DataFrame]]
    memory: str = ""
    runs_beside: bool = False

    def answer(self, con: duckdb.DuckDBPyConnection, study: StudyFolder) -> dict[str, pl.DataFrame]:
        """Run it for a study."""
        kept: tuple[Path, ...] = (study.root / self.memory,) if self.memory else ()
        return self.run(con, study.settings, *kept)
