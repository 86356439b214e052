"""Simulated studies that go through the whole pipeline, release after release; the reader gets the documents only.

The judge's side: it holds some clients back to let them join, gives endings to those who were in therapy, and withdraws
others, with the commands that a user has. The truth is read from each release's database.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
from delivered import Delivered, pages, pdf_text
from identities import ALL, DROPPED, OTHER, PLANNED, UNKNOWN, Move, Quantity

from outcomes.report.reading.plain_words import DEFINITIONS
from outcomes.simulate import simulate_study
from outcomes.study import create_study

STATES = {"dropout": DROPPED, "planned": PLANNED, "other": OTHER, "undetermined": UNKNOWN}
KINDS = ("sessions", "episodes", "clients")
KEPT_BACK = 12
OPEN = "open"


class Clinic:
    """One study: who is in it, who may still join, and what each step did.

    Parameters
    ----------
    root : Path
        A folder for the study; made here.
    n_clients : int
        Clients in the first release; others are kept back.
    seed : int
    run : callable
        Runs `outcomes` with these arguments.
    ask_only : callable
        Names the analyses of a study: all others tell no number of people, and cost most of a refresh.
    """

    def __init__(self, root: Path, n_clients: int, seed: int, run: Callable, ask_only: Callable) -> None:
        self._run, self._rng, self._step = run, np.random.default_rng([seed, n_clients]), 0
        self.study = create_study(root)
        simulate_study(root, n_clients + KEPT_BACK, max(12, n_clients // 12), seed)
        ask_only(root, "dropout", "guidance")
        rows = self._take_out()
        ids = list(dict.fromkeys(row["client_id"] for row in rows["sessions"]))
        self._rng.shuffle(ids)
        self._waiting, self._here = ids[:KEPT_BACK], ids[KEPT_BACK:]
        self._rows = rows
        self._deliver(self._here)

    def releases(self, length: int) -> Iterator[tuple[Delivered, dict[Quantity, int], Move | None]]:
        """Publish so many releases, one client apart; yield documents, truth, and the step (None: the first)."""
        move = None
        for number in range(length):
            if number:
                move = self._one_step()
            self._outcomes("refresh", self.study.root)
            yield self._documents(), self._truth(), move

    def _outcomes(self, *arguments: object) -> None:
        done = self._run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def _take_out(self) -> dict[str, list[dict[str, str]]]:
        rows = {}
        for kind in KINDS:
            rows[kind] = []
            for path in sorted(self.study.inbox.glob(f"*{kind}*")):
                with path.open(newline="", encoding="utf-8") as stream:
                    rows[kind] += list(csv.DictReader(stream))
                path.unlink()
        return rows

    def _deliver(self, ids: list[str], kinds: tuple[str, ...] = KINDS) -> None:
        chosen = set(ids)
        self._step += 1
        for kind in kinds:
            rows = [row for row in self._rows[kind] if row["client_id"] in chosen]
            if rows:
                with (self.study.inbox / f"{kind}-{self._step:03}.csv").open("w", newline="", encoding="utf-8") as out:
                    writer = csv.DictWriter(out, list(rows[0]))
                    writer.writeheader()
                    writer.writerows(rows)

    def _one_step(self) -> Move:
        kind = self._rng.choice(["joins", "ends", "withdraws"], p=[0.6, 0.2, 0.2])
        running = [row for row in self._rows["episodes"] if row["ending"] == OPEN and row["client_id"] in self._here]
        if kind == "ends" and running:
            row = running[int(self._rng.integers(len(running)))]
            row["ending"] = str(self._rng.choice(["agreed", "client_ended"]))
            row["end"] = row["end"] or row["data_cut"]
            self._deliver([row["client_id"]], ("episodes",))
            return Move.EITHER
        if kind == "withdraws":
            gone = self._here.pop(int(self._rng.integers(len(self._here))))
            named = self.study.root.with_suffix(".gone")
            named.write_text(f"{gone}\n", encoding="utf-8")
            self._outcomes("withdraw", self.study.root, "--clients", named, "--no-refresh")
            return Move.SHRANK
        self._here.append(self._waiting.pop())
        self._deliver(self._here[-1:])
        return Move.GREW

    def _documents(self) -> Delivered:
        """Read every page and PDF that stakeholders may be sent; the page of checks is for analysts."""
        names = ("brief", "brief-easy", "report", "annex")
        return Delivered(
            pages(*((self.study.current / f"{name}.html").read_text(encoding="utf-8") for name in names)),
            "\n".join(pdf_text(self.study.current / f"{name}.pdf") for name in names),
        )

    def _truth(self) -> dict[Quantity, int]:
        with duckdb.connect(str(self.study.database), read_only=True) as con:
            labels = con.execute("select definition, state, count(*) from core_dropout_labels group by all").fetchall()
            at_risk = con.execute(
                "select n_clients from mart_participant_flow where step = 'at risk of dropout'"
            ).fetchone()
        own = Counter({state: n for name, state, n in labels if name == self.study.settings.dropout.definition})
        known: dict[Quantity, int] = {("ending", words): own[state] for state, words in STATES.items()}
        known["ending", ALL] = own.total()
        for definition, words in DEFINITIONS.items():
            counts = [n for name, state, n in labels if name == definition and state == "dropout"]
            known["definition", words] = sum(counts)
        (known["clients", "For the questions on dropout", "At risk of dropout"],) = at_risk
        return known
