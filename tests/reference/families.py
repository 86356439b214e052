"""Simulated data for the families (counts, ordered categories, probit) and residual structures.

As in `designs.py` the seed is fixed, no CSV is stored, and a checksum is kept beside R's answers.

    python tests/reference/families.py export FOLDER       # families.csv, for make_families.R
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parent))
from designs import RESULTS, Draws, _labels

CLIENTS, THERAPISTS, SESSIONS = 90, 12, (4, 11)
THRESHOLDS = np.array([-1.6, -0.4, 0.7, 2.0])
RHO = 0.45
SPREADS = {"cbt": 0.6, "pct": 0.9, "pdt": 1.3}


def build() -> pl.DataFrame:
    """Sessions of clients in therapists with a rating from 1 to 5, missed appointments, a score and a yes or no."""
    draws = Draws(101)
    therapist_of = draws.integers(0, THERAPISTS, CLIENTS)
    therapist_of[:THERAPISTS] = np.arange(THERAPISTS)
    n_sessions = draws.integers(*SESSIONS, CLIENTS)
    client = np.repeat(np.arange(CLIENTS), n_sessions)
    session = np.concatenate([np.arange(1, k + 1) for k in n_sessions])
    session = session + (session > 3) * (client % 4 == 0)  # a quarter of the clients have no fourth session
    therapist = therapist_of[client]
    n = client.size
    x = draws.normal(n)
    preference = draws.normal(CLIENTS)[client]
    modality = np.array(["cbt", "pct", "pdt"])[draws.integers(0, 3, CLIENTS)][client]
    by_client, slope, by_therapist = (draws.normal(k) for k in (CLIENTS, CLIENTS, THERAPISTS))
    eta = 0.5 * x - 0.4 * preference + 0.5 * (modality == "pdt")
    latent = eta + 0.9 * by_client[client] + 0.4 * (slope * x.std())[client] * x + 0.5 * by_therapist[therapist]
    uniform = np.clip(draws.uniform(n), 1e-12, 1 - 1e-12)
    rating = 1 + (latent[:, None] + np.log(uniform / (1 - uniform))[:, None] > THRESHOLDS).sum(axis=1)
    planned = draws.integers(1, 6, n)
    rate = planned * np.exp(-0.8 + 0.6 * eta + 0.5 * by_client[client] + 0.3 * by_therapist[therapist])
    noise = np.exp(0.8 * draws.normal(n) - 0.32)
    quantile = draws.uniform(n)
    missed = np.array([_poisson(m, u) for m, u in zip(rate * noise, quantile, strict=True)])
    innovation = draws.normal(n)
    error = np.zeros(n)
    for i in range(n):
        follows = i > 0 and client[i] == client[i - 1]
        rho = RHO ** (session[i] - session[i - 1]) if follows else 0.0
        error[i] = rho * (error[i - 1] if follows else 0.0) + np.sqrt(1 - rho**2) * innovation[i]
    spread = np.array([SPREADS[m] for m in modality])
    score = 6 + eta + 0.7 * by_client[client] + 0.4 * by_therapist[therapist] + spread * error
    yes = (latent - 0.2 + 1.2 * draws.normal(n) > 0).astype(int)
    return pl.DataFrame(
        {
            "therapist_id": _labels("t", therapist, THERAPISTS),
            "client_id": _labels("c", client, CLIENTS),
            "session_number": session,
            "x": x,
            "preference": preference,
            "modality": modality,
            "rating": rating,
            "n_planned": planned,
            "n_missed": missed,
            "score": np.round(score, 6),
            "yes": yes,
        }
    )


def _poisson(mean: float, u: float) -> int:
    """The Poisson count whose cumulative probability first exceeds u."""
    k, p = 0, np.exp(-mean)
    total = p
    while total < u and k < 200:
        k += 1
        p *= mean / k
        total += p
    return k


def load() -> tuple[pl.DataFrame, dict]:
    """The data, and R's answers to them by id.

    Raises
    ------
    ValueError
        When the data are not those that R was given.
    """
    stored = json.loads((RESULTS / "families.json").read_text(encoding="utf-8"))
    data = build()
    if checksum(data) != stored["checksum"]:
        raise ValueError("the simulated data differ from those that R was given")
    return data, {fit["id"]: fit for fit in stored["fits"]}


def checksum(data: pl.DataFrame) -> str:
    """SHA-256 of the CSV text."""
    return hashlib.sha256(data.write_csv().encode()).hexdigest()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    frame = build()
    frame.write_csv(folder / "families.csv")
    (folder / "families.sha256").write_text(checksum(frame), encoding="utf-8")
