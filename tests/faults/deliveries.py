"""Source files of a growing study whose every row is known: what must be in the release is computed beside it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

HEADER = "therapist_id,client_id,session_number,directiveness,satisfaction"
OUT_OF_RANGE = 99


@dataclass
class Deliveries:
    """Writes files into an inbox and keeps the account.

    Attributes
    ----------
    rows : dict of (str, int) to int
        Satisfaction by client and session, as the last accepted file has it.
    n_delivered, n_bad : int
        Rows of accepted files, and those of them that break a rule.
    n_refused : int
        Files that must be refused.
    """

    inbox: Path
    generator: random.Random
    rows: dict[tuple[str, int], int] = field(default_factory=dict)
    n_delivered: int = 0
    n_bad: int = 0
    n_files: int = 0
    n_refused: int = 0

    def drop(self) -> None:
        """Deliver new clients, corrections of earlier rows, or a file that must be refused."""
        kind = self.generator.choices(("new", "corrected", "refused"), (6, 3, 1))[0]
        if kind == "refused":
            self.n_refused += 1
            self._write([f"t1,r{self.n_refused}x7,1,5,5,surely"], f"{HEADER},unknown_column")
            return
        if kind == "corrected" and self.rows:
            some = self.generator.sample(sorted(self.rows), min(len(self.rows), 10))
        else:
            some = [(f"c{self.n_files}x{client}", number) for client in range(4) for number in (1, 2, 3)]
        lines = []
        for client, number in some:
            satisfaction = self.generator.randrange(11)
            is_bad = self.generator.random() < 0.05
            self.n_bad += is_bad
            if not is_bad:
                self.rows[client, number] = satisfaction
            lines.append(f"t{len(client)},{client},{number},5,{OUT_OF_RANGE if is_bad else satisfaction}")
        self.n_delivered += len(lines)
        self._write(lines, HEADER)

    def _write(self, lines: list[str], header: str) -> None:
        """Put a file into the inbox as a good sender does, by one rename; names give the order of delivery."""
        self.n_files += 1
        path = self.inbox / f"sessions-{self.n_files:06d}.csv"
        aside = path.with_suffix(".part")
        aside.write_text("\n".join([header, *lines, f"t9,only{self.n_files}x,1,5,5" + ",x" * (header != HEADER), ""]))
        if header == HEADER:
            self.rows[f"only{self.n_files}x", 1] = 5
            self.n_delivered += 1
        aside.rename(path)
