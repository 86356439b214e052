"""How many clients stand behind a level of a grouping factor."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.data import VIEW
from outcomes.mixed.design.levels import Levels, codes_of


def clients_of(design: Design, levels: Levels) -> np.ndarray:
    """Clients of each level of a grouping factor of one column, (levels,): 1 of a client."""
    column = design.source.columns.sql(levels.name)
    table = design.source.query(
        f"select {column} as label, count(distinct client_id) as n from {VIEW} where {design.complete} group by all"
    )
    found = pl.from_arrow(table)
    counts = np.zeros(levels.n_levels)
    counts[codes_of(levels.labels, found["label"])] = found["n"].to_numpy()
    return counts
