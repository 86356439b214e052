"""What a database lacks while a study that requires a seal is not sealed.

Outcomes and what lies on the way to them (`StudySettings.withheld`) are left out where landed files are read, so that
they never enter the database; what would be made of their absence (a count of no dropouts) is emptied afterwards.
"""

from __future__ import annotations

import duckdb

from outcomes.study.sealing import Sealing

TABLE = "seal"

REASON = "Outcomes are withheld until the specification is sealed with `outcomes seal`."

_REASONS = {8: "satisfaction is withheld", 10: "endings are withheld", 11: "endings are withheld"}
"""Steps of the participant flow whose exclusions are the withholding's."""


def empty_consequences(con: duckdb.DuckDBPyConnection) -> None:
    """Empty what the tables would make of the absence of outcomes; endings are undetermined as they stand."""
    con.execute("update mart_therapists set n_dropouts = null")
    for step, reason in _REASONS.items():
        con.execute(
            "update mart_participant_flow set reason = ? where step_number = ?",
            [f"{reason} until the specification is sealed", step],
        )
    con.execute(
        """update mart_participant_flow as flow set n_sessions = 0, n_episodes = 0, n_clients = 0, n_therapists = 0,
            n_sessions_excluded = before.n_sessions, n_clients_excluded = before.n_clients
        from mart_participant_flow as before where flow.step_number = 11 and before.step_number = 10"""
    )


def write_seal_table(con: duckdb.DuckDBPyConnection, sealing: Sealing) -> None:
    """Make table `seal`: one row."""
    con.execute(
        f"create table {TABLE} as select ? as status, ? as spec_sha256, ?::timestamp as sealed_at, ? as sentence",
        [
            sealing.state.value,
            sealing.spec_sha256,
            sealing.seal.sealed_at[:19] if sealing.seal else None,
            sealing.sentence,
        ],
    )


def reason_withheld(con: duckdb.DuckDBPyConnection) -> str:
    """Why nothing can be estimated on this database; empty where outcomes are there."""
    known = con.execute("select count(*) from duckdb_tables() where table_name = ?", [TABLE]).fetchall()[0][0]
    withheld = known and con.execute(f"select count(*) from {TABLE} where status = 'withheld'").fetchall()[0][0]
    return REASON if withheld else ""
