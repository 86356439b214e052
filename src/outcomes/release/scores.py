"""From ratings as they were given to scores: `<construct>_score`, turned so that higher means more.

Which ratings there are is what contract and study say, so this SELECT is written here and not in `sql/`; there,
`scored_sessions.* like '%_score'` takes all of them along.
"""

from __future__ import annotations

import duckdb

from outcomes.contract import CONTRACT, KIND_OF_SCALE, MEASURED, OTHER_SCORES, SCORE, Kind, scales_of


def offer_scores(con: duckdb.DuckDBPyConnection) -> None:
    """Create the views `scored_sessions`, `scored_episodes` and `scored_clients`: `raw_*` with scores for ratings.

    A scale that counts downwards is turned about its `turning_point`: score = turning_point - rating. The study's own
    scales come out of the map of landed sessions; a batch that was landed before one was declared has it empty.
    `raw_*` and `study_scales` must be there.
    """
    turning = dict(con.execute("select scale, turning_point from study_scales where is_turned").fetchall())
    own = con.execute("select scale from study_scales order by rowid").fetchall()
    for kind in Kind:
        ratings = {column.name: f'"{column.name}"' for column in scales_of(kind)}
        if kind is Kind.SESSIONS:
            ratings |= {name: f"{OTHER_SCORES}['{name}']" for (name,) in own if name not in KIND_OF_SCALE}
        columns = [f'"{column.name}"' for column in CONTRACT[kind] if not column.is_rating]
        columns += [MEASURED, "source_line", "batch_id", "sequence"]
        columns += [
            f'{f"{turning[name]!r} - " if name in turning else ""}{rating} as "{name}{SCORE}"'
            for name, rating in ratings.items()
        ]
        con.execute(f"create or replace temp view scored_{kind} as select {', '.join(columns)} from raw_{kind}")
