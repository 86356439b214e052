"""Run ACRO's checks on small tables, and keep its verdicts beside the tables.

    python -m venv /some/where; /some/where/bin/pip install acro==1.0.2
    /some/where/bin/python benchmarks/disclosure_acro.py tests/reference/results/disclosure_acro.json

ACRO asks for pandas 2.3 or older, which our other dependencies do not work with: it has an environment of its own, and
the tests read its verdicts from the file (docs/decisions/0035).
"""

from __future__ import annotations

import json
import logging
import sys
from importlib.metadata import version
from pathlib import Path

import acro
import numpy as np
import pandas as pd

N_TABLES, SEED = 24, 20261123
ROWS, COLUMNS = ("r1", "r2", "r3"), ("c1", "c2")


def main(target: Path) -> None:
    """Write the tables with ACRO's verdicts."""
    logging.disable(logging.CRITICAL)
    rng = np.random.default_rng(SEED)
    tables = [_table(rng, spread=float(rng.choice([0.5, 1.5, 3.0]))) for _ in range(N_TABLES)]
    content = {"acro": version("acro"), "pandas": pd.__version__, "seed": SEED, "tables": tables}
    target.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _table(rng: np.random.Generator, spread: float) -> dict:
    sizes = rng.integers(4, 26, (len(ROWS), len(COLUMNS)))
    people = pd.DataFrame(
        [
            {"row": row, "column": column, "amount": round(float(rng.lognormal(0, spread)), 3)}
            for i, row in enumerate(ROWS)
            for j, column in enumerate(COLUMNS)
            for _ in range(sizes[i, j])
        ]
    )
    session = acro.ACRO(suppress=False)
    session.crosstab(people["row"], people["column"])
    (counts,) = (record.outcome for record in session.results.results.values())
    return {
        "cells": [
            {
                "row": row,
                "column": column,
                "amounts": people.query("row == @row and column == @column")["amount"].tolist(),
                "count_outcome": str(counts.loc[row, column]).strip(),
            }
            for row in ROWS
            for column in COLUMNS
        ]
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
