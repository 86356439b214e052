"""A study with an inbox, and a way to drop a file and land it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from outcomes.landing import Landed, Refused, Skipped, land_file
from outcomes.study import StudyFolder

STUDY = """
[study]
name = "test"
[landing]
max_bad_share = {max_bad_share}
max_bytes = {max_bytes}
[sources.sessions]
pattern = "*sessions*"
{sessions}
[sources.episodes]
pattern = "*episodes*"
{episodes}
[sources.clients]
pattern = "*clients*"
[scales.directiveness]
minimum = 0
maximum = 10
rater = "client"
[scales.satisfaction]
minimum = 0
maximum = 10
rater = "client"
[scales.reactance]
minimum = 0
maximum = 10
rater = "client"
{scales}
"""


class Door:
    """A study folder whose files are landed one at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.declare()

    def declare(
        self, sessions: str = "", episodes: str = "", scales: str = "", max_bad_share: float = 1, max_bytes: int = 10**9
    ) -> None:
        """Write `study.toml`; the parts are added to their tables."""
        (self.root / "inbox").mkdir(parents=True, exist_ok=True)
        text = STUDY.format(
            sessions=sessions, episodes=episodes, scales=scales, max_bad_share=max_bad_share, max_bytes=max_bytes
        )
        (self.root / "study.toml").write_text(text, encoding="utf-8")

    @property
    def study(self) -> StudyFolder:
        """The study as it is declared now."""
        return StudyFolder.open(self.root)

    def land(self, content: str | bytes, name: str = "sessions.csv") -> Landed | Skipped | Refused:
        """Drop a file and land it."""
        path = self.root / "inbox" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return land_file(self.study, path)

    def rows(self, landed: Landed, *columns: str) -> list[tuple]:
        """Return columns of a batch in file order."""
        batch = self.root / "landed" / landed.batch_id / "batch.parquet"
        with duckdb.connect() as con:
            return con.execute(f"select {', '.join(columns)} from read_parquet('{batch}')").fetchall()

    def quarantined(self, outcome: Landed | Refused) -> list[dict[str, str]]:
        """Return the rows of a file's quarantine CSV."""
        path = self.root / "quarantine" / f"{outcome.sha256[:12]}.csv"
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def broken(self, content: str | bytes, name: str = "sessions.csv") -> list[tuple[int, str]]:
        """Land a file and return line and rule of each quarantined row."""
        return [(int(row["line"]), row["rule"]) for row in self.quarantined(self.land(content, name))]

    def everything_kept(self) -> str:
        """Return the text of all that landing wrote, names included."""
        kept = [path for folder in ("landed", "quarantine") for path in (self.root / folder).rglob("*")]
        return "\n".join(
            [path.name for path in kept]
            + [path.read_bytes().decode("utf-8", "replace") for path in kept if path.is_file()]
        )

    def manifest(self, landed: Landed) -> dict:
        """Return a batch's manifest."""
        return json.loads((self.root / "landed" / landed.batch_id / "manifest.json").read_text())


@pytest.fixture
def door(tmp_path):
    """A study with permissive limits."""
    return Door(tmp_path / "study")
