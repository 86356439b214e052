"""Who shares clients with whom: the data of the linear benchmark, from nested to fully crossed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

FIXED = "dw + dw2 + db + dth + pref + prefdw + alliance + lsess"
FORMULA = f"y ~ {FIXED} + (1 + dw | client) + (1 | therapist)"
INSTEVAL = Path(__file__).parents[2] / "shared" / "reference" / "insteval.csv"
"""73,421 ratings of lecturers (d) by students (s) in departments (lme4's `InstEval`); lies beside the project."""

NORMAL = "sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())"

SIMULATE = """
create table sessions as with
therapists as (
    select t.i as therapist, 0.4 * {normal} as effect, {normal} as dth from range({therapists}) t(i)
),
clients as (
    select
        c.i as client, c.i % {therapists} as first_therapist, 0.8 * {normal} as intercept, 0.3 * {normal} as slope,
        {normal} as db, {normal} as pref, 1 + (random() * 18)::int as sessions, random() < {movers} as moves,
        random() as other
    from range({clients}) c(i)
),
rows as (
    select
        client, intercept, slope, db, pref, unnest(range(1, sessions + 1)) as session, sessions,
        first_therapist, case when moves then least({second}, {therapists} - 1) else first_therapist end as second
    from clients
),
drawn as (
    select
        client, case when session > sessions // 2 then second else first_therapist end as therapist, intercept, slope,
        db, pref, ln(session) as lsess, {normal} as dw, {normal} as alliance, {normal} as e
    from rows
)
select
    client::int as client, drawn.therapist::int as therapist, dw, dw * dw as dw2, db, dth, pref, pref * dw as prefdw,
    alliance, lsess,
    5 + 0.2 * dw - 0.1 * dw * dw + 0.1 * db + 0.05 * dth + 0.1 * pref + 0.1 * pref * dw + 0.3 * alliance + 0.2 * lsess
        + intercept + slope * dw + effect + e as y
from drawn inner join therapists on drawn.therapist = therapists.therapist
"""

IN_PRACTICE = "first_therapist // 10 * 10 + (other * 9)::int"
ANYWHERE = "(other * {therapists})::int"


@dataclass(frozen=True)
class Sessions:
    """Simulated sessions: ten a client on average.

    Parameters
    ----------
    movers : float
        Share of clients who change their therapist.
    second : str
        SQL of the therapist whom they move to.
    clients_each : int
        Clients a therapist.
    """

    movers: float = 0.0
    second: str = IN_PRACTICE
    clients_each: int = 30
    formula: str = FORMULA
    groups: tuple[str, ...] = ("client", "therapist")
    most: int = 10**9

    def write(self, rows: int, con: duckdb.DuckDBPyConnection) -> None:
        """Table `sessions` with about so many rows."""
        clients = rows // 10
        therapists = max(clients // self.clients_each, 10)
        con.execute("select setseed(0.42)")
        second = self.second.format(therapists=therapists)
        con.execute(
            SIMULATE.format(normal=NORMAL, clients=clients, therapists=therapists, movers=self.movers, second=second)
        )


@dataclass(frozen=True)
class Ratings:
    """lme4's InstEval, or as many of its ratings as are wanted."""

    formula: str
    groups: tuple[str, ...]
    most: int = 73_421

    def write(self, rows: int, con: duckdb.DuckDBPyConnection) -> None:
        """Table `sessions`."""
        con.execute("create table sessions as select * from read_csv(?) limit ?", [str(INSTEVAL), rows])


STRUCTURES: dict[str, Sessions | Ratings] = {
    "nested": Sessions(),
    "practice": Sessions(0.05),
    "anywhere-1": Sessions(0.01, ANYWHERE, 50),
    "anywhere-2": Sessions(0.02, ANYWHERE, 50),
    "anywhere": Sessions(0.05, ANYWHERE, 50),
    "many": Sessions(0.05, ANYWHERE, 10),
    "large": Sessions(0.05, ANYWHERE, 125),
    "linked": Sessions(0.2, ANYWHERE, 10),
}
"""5% of clients move inside their practice, or to any of 2,000 therapists (of 1,000,000 sessions; 1, 2 and 5%), or of
10,000, a part of whom hang together; to any of 8,000 (of 10,000,000 sessions, `large`); 20% of clients link nearly all
(of 2,000,000 sessions 20,000 therapists)."""

if INSTEVAL.exists():
    STRUCTURES |= {
        "insteval-2": Ratings("y ~ service + (1 | s) + (1 | d)", ("s", "d")),
        "insteval-3": Ratings("y ~ service + (1 | s) + (1 | d) + (1 | dept)", ("s", "d", "dept")),
    }
