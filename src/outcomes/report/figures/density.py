"""How many sessions a curve or a surface rests on: binned, bins of few clients empty, the others rounded."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import duckdb

from outcomes.disclosure import Shown, Teller, even_bins

N_BINS = 12


@dataclass(frozen=True)
class Bin:
    """Sessions with a value between `low` and `high`."""

    low: float
    high: float
    sessions: Shown


@dataclass(frozen=True)
class Cell:
    """Sessions with guidance and preference in one square, whose middle is (x, y); only where enough clients are."""

    x: float
    y: float
    sessions: int  # rounded


def session_bins(
    con: duckdb.DuckDBPyConnection, column: str, low: float, high: float, teller: Teller
) -> tuple[Bin, ...]:
    """Sessions of the models of satisfaction by one column, in even steps between a curve's ends."""
    edges = even_bins(low, high, N_BINS)
    low, width, n_bins = edges[0], edges[1] - edges[0], len(edges) - 1
    rows = con.execute(
        f"""select least(cast(floor(({column} - ?) / ?) as integer), {n_bins - 1}) as place,
                count(*), count(distinct client_id)
            from mart_session_directiveness where {column} between ? and ? group by place""",
        [low, width, low, edges[-1]],
    ).fetchall()
    found = {place: sessions for place, sessions, clients in rows if teller.are_enough(clients)}
    return tuple(
        Bin(left, right, teller.count(f"sessions with {column} from {left:g} to {right:g}", found.get(place, 0)))
        for place, (left, right) in enumerate(itertools.pairwise(edges))
    )


def preference_cells(
    con: duckdb.DuckDBPyConnection, low: float, high: float, steps: int, teller: Teller
) -> tuple[Cell, ...]:
    """Sessions by guidance (x) and preferred guidance (y), in squares of the scale from `low` to `high`."""
    width = (high - low) / steps
    place = f"least(cast(floor(({{}} - ?) / ?) as integer), {steps - 1})"
    rows = con.execute(
        f"""select {place.format("directiveness_score")} as i, {place.format("directiveness_preferred_score")} as j,
                count(*)
            from mart_session_directiveness
            where directiveness_score is not null and directiveness_preferred_score is not null
                and satisfaction_score is not null
            group by i, j having count(distinct client_id) >= ? order by i, j""",
        [low, width, low, width, teller.rule.minimum_count],
    ).fetchall()
    shown = [(i, j, teller.count(f"guidance square {i} of {steps}, wish square {j}", n).value) for i, j, n in rows]
    return tuple(Cell(low + (i + 0.5) * width, low + (j + 0.5) * width, n) for i, j, n in shown if n is not None)
