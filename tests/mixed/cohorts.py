"""Small simulated cohorts for the engine's tests."""

from __future__ import annotations

import numpy as np
import polars as pl

FORMULA = "satisfaction ~ directiveness * modality + (1 + directiveness | client_id) + (1 | therapist_id)"


def cohort(seed: int = 1, clients: int = 60, therapists: int = 8, sessions: int = 8) -> pl.DataFrame:
    """Sessions in clients, some of whom change therapist half-way."""
    rng = np.random.default_rng(seed)
    client = np.repeat(np.arange(clients), sessions)
    session = np.tile(np.arange(1, sessions + 1), clients)
    first, second = rng.integers(0, therapists, (2, clients))
    moves = rng.random(clients) < 0.2
    therapist = np.where(moves[client] & (session > sessions // 2), second[client], first[client])
    directiveness = rng.normal(size=len(client))
    modality = np.array(["cbt", "pct", "pdt"])[rng.integers(0, 3, clients)][client]
    outcome = (
        6
        + 0.3 * directiveness
        + 0.4 * (modality == "pct")
        + rng.normal(0, 0.8, clients)[client]
        + rng.normal(0, 0.3, clients)[client] * directiveness
        + rng.normal(0, 0.5, therapists)[therapist]
        + rng.normal(0, 1.0, len(client))
    )
    return pl.DataFrame(
        {
            "client_id": [f"c{i:03d}" for i in client],
            "therapist_id": [f"t{i:02d}" for i in therapist],
            "practice_id": [f"p{i // 3}" for i in therapist],
            "session_number": session,
            "directiveness": directiveness,
            "modality": modality,
            "satisfaction": outcome,
        }
    ).sample(fraction=1.0, shuffle=True, seed=seed)
