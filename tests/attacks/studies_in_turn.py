"""Studies of made-up clients whose releases follow one another: one client joins, ends therapy or withdraws at a time.

The judge's side: it knows every client. Releases hold the tables that decide what a report prints of people, and the
report is rendered and entered in the ledger as the pipeline does, without fits and pictures.
"""

from __future__ import annotations

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from agreements import cohen, gwet
from delivered import Delivered, pages
from identities import ALL, DROPPED, JUDGED, NESTED, OTHER, PLANNED, UNKNOWN, Move, Quantity

DEFINITIONS = {
    "unilateral": "the client ended therapy without agreement",
    "therapist_judged": JUDGED,
    **dict(zip(("count_2", "count_3", "count_4"), NESTED, strict=True)),
    "missed_last": "the last appointment was missed and none came after it",
}
_SHARES = {
    "agreed": 0.62,
    "client_ended": 0.16,
    "judged_premature": 0.03,
    "moved_away": 0.05,
    "open": 0.1,
    "unknown": 0.04,
}
ENDED = ("agreed", "client_ended", "judged_premature", "moved_away")
SATISFACTION = "For the questions on satisfaction", "For the questions on dropout"
LAST_DAY = datetime.date(2026, 6, 30)


@dataclass(frozen=True)
class Client:
    """One client with one episode; `n_unrated` sessions lack the rating of satisfaction, `n_unguided` of guidance."""

    number: int
    n_attended: int
    ending: str
    is_last_missed: bool
    n_unrated: int
    n_unguided: int
    days_before_cut: int

    @property
    def states(self) -> dict[str, str]:
        """How the episode ended under each definition."""
        if self.ending not in ENDED:
            return dict.fromkeys(DEFINITIONS, "undetermined")
        if self.ending == "moved_away":
            return dict.fromkeys(DEFINITIONS, "other")
        is_dropout = {
            "unilateral": self.ending != "agreed",
            "therapist_judged": self.ending == "judged_premature",
            **{f"count_{n}": self.n_attended < n for n in (2, 3, 4)},
            "missed_last": self.is_last_missed,
        }
        return {name: "dropout" if is_dropout[name] else "planned" for name in DEFINITIONS}


def client(number: int, rng: np.random.Generator) -> Client:
    """Draw one client; who drops out comes to fewer sessions and misses more often."""
    ending = str(rng.choice(list(_SHARES), p=list(_SHARES.values())))
    has_left = ending in ("client_ended", "judged_premature")
    n = 1 + int(rng.poisson(3 if has_left else 9)) if rng.random() > 0.02 else 1
    lacks = int(rng.binomial(n, 0.08)), int(rng.binomial(n, 0.03))
    return Client(
        number, n, ending, bool(rng.random() < (0.5 if has_left else 0.05)), *lacks, int(rng.integers(0, 400))
    )


def cohort(n: int, rng: np.random.Generator) -> list[Client]:
    """Draw so many clients."""
    return [client(number, rng) for number in range(n)]


def in_turn(clients: list[Client], length: int, rng: np.random.Generator) -> Iterator[tuple[list[Client], Move | None]]:
    """Yield the clients of each release and what a reader may know of the step that led to it (None: the first)."""
    yield clients, None
    number = max(one.number for one in clients) + 1
    for _ in range(length - 1):
        kind = rng.choice(["joins", "ends", "withdraws"], p=[0.6, 0.2, 0.2])
        running = [one for one in clients if one.ending == "open"]
        if kind == "ends" and running:
            one = running[int(rng.integers(len(running)))]
            ending = str(rng.choice(["agreed", "client_ended", "judged_premature"]))
            clients, move = [replace(c, ending=ending) if c is one else c for c in clients], Move.EITHER
        elif kind == "withdraws":
            gone = clients[int(rng.integers(len(clients)))]
            clients, move = [one for one in clients if one is not gone], Move.SHRANK
        else:
            clients, move = [*clients, client(number, rng)], Move.GREW
            number += 1
        yield clients, move


def truth(clients: Sequence[Client]) -> dict[Quantity, int]:
    """Every number that a reader may want to know."""
    own = Counter(one.states["unilateral"] for one in clients)
    told: dict[Quantity, int] = {
        ("ending", DROPPED): own["dropout"], ("ending", PLANNED): own["planned"], ("ending", OTHER): own["other"],
        ("ending", UNKNOWN): own["undetermined"], ("ending", ALL): len(clients),
    }  # fmt: skip
    for name, words in DEFINITIONS.items():
        told["definition", words] = sum(one.states[name] == "dropout" for one in clients)
    for branch, rows in zip(SATISFACTION, _branches(clients), strict=True):
        for place, what in ((2, "sessions"), (3, "clients")):
            counted = [row for row in rows if row[place] is not None]
            if counted:
                told[what, branch, counted[0][0]] = counted[0][place]
            for before, after in itertools.pairwise(counted):
                told[what, branch, _reason(after[1])] = before[place] - after[place]
            told[what, branch, counted[-1][0].capitalize()] = counted[-1][place]
            told[what, branch, rows[0][0].capitalize()] = rows[0][place] or 0
    for row in _checks(clients):
        told["check", row["sentence"].split(" Found")[0]] = row["n_violated"]
    return told


def _reason(reason: str) -> str:
    return {"quarantined: see core_quarantine for the rules": "rows with mistakes in them",
            "superseded by a later file": "rows that a later file replaced",
            "directiveness not rated": "guidance not rated"}.get(reason, reason)  # fmt: skip


def _branches(clients: Sequence[Client]) -> tuple[list[tuple], list[tuple]]:
    """Steps, reasons, sessions and clients as in mart_participant_flow.sql."""
    attended, n = sum(one.n_attended for one in clients), len(clients)
    missed = sum(one.is_last_missed for one in clients) + n // 3
    guided = sum(one.n_attended - one.n_unguided for one in clients)
    rated = sum(max(one.n_attended - one.n_unguided - one.n_unrated, 0) for one in clients)
    with_guided = sum(one.n_attended > one.n_unguided for one in clients)
    with_rated = sum(one.n_attended > one.n_unguided + one.n_unrated for one in clients)
    silent, running = (sum(one.ending == name for one in clients) for name in ("unknown", "open"))
    single = {name: sum(one.ending == name and one.n_attended == 1 for one in clients) for name in ("unknown", "open")}
    first = [
        ("rows of the session files", "all rows that were read", attended + missed + 31, None),
        ("accepted rows", "quarantined: see core_quarantine for the rules", attended + missed + 24, None),
        ("appointments", "superseded by a later file", attended + missed, n),
        ("within the study's dates", "before the first day, after the last, or undated", attended + missed, n),
        ("attended sessions", "missed appointments", attended, n),
        ("sessions of the cohort", "clients with fewer than 1 attended session(s)", attended, n),
        ("with a directiveness rating", "directiveness not rated", guided, with_guided),
        ("in models of satisfaction", "satisfaction not rated", rated, with_rated),
    ]
    second = [
        ("at risk of dropout", "starts again from step 6; a rating is not needed", attended, n),
        ("not silent", "last session of an episode without a recorded ending", attended - silent,
         n - single["unknown"]),
        ("in models of dropout", "last session of an episode that is open", attended - silent - running,
         n - single["unknown"] - single["open"]),
    ]  # fmt: skip
    return first, second


def _checks(clients: Sequence[Client]) -> list[dict]:
    """Checks of which some are broken by few rows and some by none."""
    attended = sum(one.n_attended for one in clients)
    n = {
        "core_sessions.satisfaction_present": (sum(one.n_unrated for one in clients), attended),
        "core_sessions.directiveness_present": (sum(one.n_unguided for one in clients), attended),
        "core_episodes.ending_known": (sum(one.ending == "unknown" for one in clients), len(clients)),
        "core_episodes.judged_premature_early": (
            sum(one.ending == "judged_premature" and one.n_attended > 4 for one in clients), len(clients)),
        "core_episodes.one_session_only": (sum(one.n_attended == 1 for one in clients), len(clients)),
        "core_sessions.in_range": (0, attended),
    }  # fmt: skip
    return [
        {
            "check_id": name, "table_name": name.split(".")[0], "column_name": name.split(".")[1],
            "check_type": "made up",
            "category": "completeness", "severity": "warning", "status": "failed" if broken else "passed",
            "n_violated": broken, "n_denominator": of, "percent_violated": 100 * broken / of,
            "sentence": f"What {name} asks for holds. Found {broken} of {of}.",
        }
        for name, (broken, of) in n.items()
    ]  # fmt: skip


def _tables(clients: Sequence[Client], release_id: str) -> dict[str, pl.DataFrame]:
    states = [one.states for one in clients]
    sessions = [(f"e{one.number}", f"c{one.number}", k, k == one.n_attended, one.states["unilateral"],
                 LAST_DAY - datetime.timedelta(days=one.days_before_cut + 7 * (one.n_attended - k)))
                for one in clients for k in range(1, one.n_attended + 1)]  # fmt: skip
    person = pl.DataFrame(
        sessions, orient="row",
        schema=["episode_id", "client_id", "attended_number", "is_last", "ending_state", "session_date"],
    ).with_columns(
        is_dropout=pl.when(pl.col("is_last") & (pl.col("ending_state") == "undetermined")).then(None).otherwise(
            (pl.col("is_last") & (pl.col("ending_state") == "dropout")).cast(pl.Int32)),
        is_attended=pl.lit(True),
    )  # fmt: skip
    flow = [
        {
            "step_number": number,
            "step": step,
            "reason": reason,
            "n_sessions": n,
            "n_clients": people,
            "n_therapists": 30,
        }
        for number, (step, reason, n, people) in enumerate(itertools.chain(*_branches(clients)), 1)
    ]
    branch = pl.col("step_number") >= 9
    labels = [
        {"episode_id": f"e{one.number}", "definition": name, "state": one.states[name]}
        for one in clients for name in DEFINITIONS
    ]  # fmt: skip
    return {
        "release": pl.DataFrame({"release_id": [release_id], "study_name": ["A study"], "code_version": ["0.1.0"],
                                 "n_batches": [3], "data_cut": [person["session_date"].max()]}),
        "mart_participant_flow": pl.DataFrame(flow).with_columns(
            n_sessions_excluded=pl.col("n_sessions").shift().over(branch) - pl.col("n_sessions")),
        "mart_person_session": person,
        "core_sessions": person,
        "core_dropout_labels": pl.DataFrame(labels),
        "dq_results": pl.DataFrame(_checks(clients)),
        "dropout_rates": _rates(states, clients),
        "dropout_agreement": _agreement(states),
    }  # fmt: skip


def _rates(states: list[dict[str, str]], clients: Sequence[Client]) -> pl.DataFrame:
    rows = []
    for name in DEFINITIONS:
        ended = Counter(one[name] for one in states)
        n = ended["dropout"] + ended["planned"] + ended["other"]
        silent = sum(one.ending == "unknown" for one in clients)
        rows.append({"definition": name, "is_declared": name == "unilateral", "n_episodes": n,
                     "n_undetermined": silent, "estimate": ended["dropout"] / n, "conf_low": 0.0, "conf_high": 1.0,
                     "status": "converged", "reason": ""})  # fmt: skip
    return pl.DataFrame(rows)


def _agreement(states: list[dict[str, str]]) -> pl.DataFrame:
    rows = []
    for first, second in itertools.combinations(sorted(DEFINITIONS), 2):
        pairs = Counter((one[first], one[second]) for one in states)
        cells = [pairs[a, b] for a in ("dropout", "planned") for b in ("dropout", "planned")]
        table = np.array([cells], dtype=float)
        for measure, how in (("Cohen's kappa", cohen), ("Gwet's AC1", gwet)):
            value, half = (float(found[0]) for found in how(table))
            rows.append({"definition": first, "definition_2": second, "measure": measure, "n_episodes": sum(cells),
                         "estimate": value, "conf_low": value - half, "conf_high": min(value + half, 1.0),
                         "status": "converged", "reason": ""})  # fmt: skip
    return pl.DataFrame(rows)


def write_release(path: Path, clients: Sequence[Client], release_id: str, analyses: Sequence[str]) -> None:
    """Write a release's database as far as the numbers of people need it; every analysis but dropout is refused."""
    states = [(name, "answered" if name == "dropout" else "refused", "" if name == "dropout" else "Not asked.")
              for name in analyses]  # fmt: skip
    tables = _tables(clients, release_id)
    tables["answer_states"] = pl.DataFrame(states, schema=["analysis", "status", "reason"], orient="row")
    with duckdb.connect(str(path)) as con:
        for name, frame in tables.items():
            con.register("frame", frame.to_arrow())
            con.execute(f"create table {name} as select * from frame")
            con.unregister("frame")


class Publisher:
    """Renders reports of releases one after another, with the ledger, as the report and the publish step do."""

    def __init__(self, folder: Path, study) -> None:
        self.folder, self.study, self._number = folder, study, 0

    def publish(self, clients: Sequence[Client]) -> Delivered:
        """Return what a reader gets of a release with these clients."""
        from outcomes.answers.run import ANALYSES
        from outcomes.disclosure.ledger import enter, teller, write_told
        from outcomes.report.page.html import html
        from outcomes.report.sections.report_section import Source
        from outcomes.report.write import documents

        self._number += 1
        release_id = f"{self._number:012x}"
        candidate = self.folder / release_id
        candidate.mkdir()
        write_release(candidate / "outcomes.duckdb", clients, release_id, [one.name for one in ANALYSES])
        statements = {row["check_id"]: row["sentence"].split(" Found")[0] for row in _checks(clients)}
        telling = teller(self.study, release_id)
        with duckdb.connect(str(candidate / "outcomes.duckdb"), read_only=True) as con:
            source = Source(con, self.study.settings, telling, statements, self.study.settings_sha256)
            written = [html(one) for one in documents(source)]
        (candidate / "report.html").write_text(written[1], encoding="utf-8")
        write_told(candidate, telling)
        enter(self.study, candidate, release_id)
        return Delivered(pages(*written))
