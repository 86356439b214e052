"""Simulated cohorts on which R's results are stored: the same numbers on every machine, without R and without CSVs.

Normal draws are inverse-normal transforms of PCG64 uniforms, rounded to six decimals, so that a last-digit difference
between library versions cannot change the data. `load` compares a SHA-256 of the CSV text with the one that the R run
stored, and raises when they differ: a reference that was computed on other data must not pass or fail silently.

    python tests/reference/designs.py export FOLDER     # CSV files and manifest.json, for make_references.R
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, ndtri

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Fit:
    """One model to fit on a design; `formula` is read alike by lme4 and by outcomes.mixed."""

    id: str
    formula: str
    kind: str  # "linear" or "binomial"
    reml: bool = True
    link: str = "logit"
    nagq: int = 1
    weights: str | None = None
    kenward_roger: bool = False
    reduced: str | None = None  # the formula without the component that is estimated as zero


@dataclass(frozen=True)
class Design:
    """A simulated data set and the models that are fitted to it."""

    name: str
    about: str
    build: Callable[[], pl.DataFrame]
    fits: tuple[Fit, ...]


class Draws:
    """Reproducible uniforms and normals, rounded to six decimals."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, n: int) -> np.ndarray:
        return self._rng.random(n)

    def normal(self, n: int) -> np.ndarray:
        return np.round(ndtri(np.clip(self._rng.random(n), 1e-12, 1 - 1e-12)), 6)

    def integers(self, low: int, high: int, n: int) -> np.ndarray:
        """Integers in [low, high)."""
        return low + np.floor(self._rng.random(n) * (high - low)).astype(np.int64)


def _labels(letter: str, codes: np.ndarray, n: int) -> list[str]:
    width = len(str(n))
    names = [f"{letter}{i + 1:0{width}d}" for i in range(n)]
    return [names[c] for c in codes]


def _cohort(
    draws: Draws, *, practices: int, therapists: int, clients: int, sessions: tuple[int, int], movers: float = 0.0
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Sessions in clients in therapists in practices; returns (columns, codes). A mover changes therapist half-way."""
    therapist_practice = np.sort(np.arange(therapists) % practices)
    client_therapist = np.sort(draws.integers(0, therapists, clients))
    client_therapist[:therapists] = np.arange(therapists)  # every therapist has a client
    second = draws.integers(0, therapists, clients)
    moves = draws.uniform(clients) < movers
    n_sessions = draws.integers(sessions[0], sessions[1] + 1, clients)
    client = np.repeat(np.arange(clients), n_sessions)
    session = np.concatenate([np.arange(1, n + 1) for n in n_sessions])
    moved = moves[client] & (session > (n_sessions[client] + 1) // 2)
    therapist = np.where(moved, second[client], client_therapist[client])
    n = client.size
    preference = draws.normal(clients)[client]
    client_level = np.round(0.5 * draws.normal(clients), 6)[client]
    columns = {
        "practice_id": np.array(_labels("p", therapist_practice[therapist], practices)),
        "therapist_id": np.array(_labels("t", therapist, therapists)),
        "client_id": np.array(_labels("c", client, clients)),
        "session_number": session,
        "directiveness_within": draws.normal(n),
        "directiveness_client": client_level,
        "preference": preference,
        "modality": np.array(["cbt", "pct", "pdt"])[draws.integers(0, 3, clients)][client],
    }
    codes = {"practice": therapist_practice[therapist], "therapist": therapist, "client": client}
    return columns, codes


def _effect(draws: Draws, codes: np.ndarray, sd: float) -> np.ndarray:
    """A random effect on rows; `sd` is its standard deviation."""
    return sd * draws.normal(int(codes.max()) + 1)[codes]


def _fixed(columns: dict[str, np.ndarray]) -> np.ndarray:
    """The fixed part that all designs share, apart from the intercept."""
    within = columns["directiveness_within"]
    return (
        0.15 * within
        - 0.10 * within**2
        + 0.20 * columns["directiveness_client"]
        - 0.12 * columns["preference"]
        + 0.25 * (columns["modality"] == "pdt")
        + 0.02 * columns["session_number"]
    )


def _linear(
    seed: int,
    *,
    sd_client: float = 0.6,
    sd_therapist: float = 0.3,
    sd_practice: float = 0.0,
    sd_slope: float = 0.0,
    sd_trend: float = 0.0,
    slope_on_level: float = 0.0,
    weighted: bool = False,
    **size,
) -> pl.DataFrame:
    """Satisfaction after a session, on a cohort of the given size."""
    draws = Draws(seed)
    columns, codes = _cohort(draws, **size)
    level = _effect(draws, codes["client"], sd_client)
    slope = _effect(draws, codes["client"], sd_slope) + slope_on_level * level
    trend = _effect(draws, codes["client"], sd_trend)
    n = level.size
    precision = draws.integers(1, 5, n) if weighted else np.ones(n)
    satisfaction = (
        6.0
        + _fixed(columns)
        + level
        + slope * columns["directiveness_within"]
        + trend * columns["session_number"] / 10
        + _effect(draws, codes["therapist"], sd_therapist)
        + _effect(draws, codes["practice"], sd_practice)
        + 0.9 * draws.normal(n) / np.sqrt(precision)
    )
    columns["satisfaction"] = np.round(satisfaction, 6)
    if weighted:
        columns["n_raters"] = precision
    return pl.DataFrame(columns)


def _binomial(
    seed: int,
    *,
    intercept: float = -1.0,
    sd_client: float = 0.0,
    sd_therapist: float = 0.6,
    sd_practice: float = 0.0,
    sd_slope: float = 0.0,
    slope_on_level: float = 0.0,
    link: str = "logit",
    trials: int = 1,
    rare: bool = False,
    **size,
) -> pl.DataFrame:
    """Dropout after a session (or the share of `n_items` that were endorsed), on a cohort of the given size."""
    draws = Draws(seed)
    columns, codes = _cohort(draws, **size)
    level = _effect(draws, codes["therapist"], sd_therapist)
    slope = _effect(draws, codes["therapist"], sd_slope) + slope_on_level * level
    n = level.size
    eta = (
        intercept
        + _fixed(columns)
        + level
        + slope * columns["directiveness_within"]
        + _effect(draws, codes["client"], sd_client)
        + _effect(draws, codes["practice"], sd_practice)
    )
    if rare:
        columns["is_group"] = (draws.uniform(n) < 0.15).astype(np.int64)
        eta = eta - 3.5 * columns["is_group"]
    probability = expit(eta) if link == "logit" else -np.expm1(-np.exp(eta))
    if trials == 1:
        columns["dropout"] = (draws.uniform(n) < probability).astype(np.int64)
    else:
        n_items = draws.integers(1, trials + 1, n)
        events = np.zeros(n, dtype=np.int64)
        for item in range(trials):
            events += (draws.uniform(n) < probability) & (item < n_items)
        columns["n_items"] = n_items
        columns["endorsed_prop"] = np.round(events / n_items, 12)
    return pl.DataFrame(columns)


FIXED = "directiveness_within + I(directiveness_within**2) + directiveness_client + preference + modality"
SATISFACTION = f"satisfaction ~ {FIXED}"
DROPOUT = f"dropout ~ {FIXED}"


def _both(formula: str, **options) -> tuple[Fit, Fit]:
    return (
        Fit("reml", formula, "linear", reml=True, **options),
        Fit("ml", formula, "linear", reml=False),
    )


DESIGNS: tuple[Design, ...] = (
    Design(
        "linear_ten_rows",
        "ten ratings of four clients",
        lambda: _linear(1, practices=1, therapists=1, clients=4, sessions=(1, 4))[:10],
        _both("satisfaction ~ directiveness_within + (1 | client_id)", kenward_roger=True),
    ),
    Design(
        "linear_nested",
        "clients nested in therapists",
        lambda: _linear(2, practices=1, therapists=12, clients=60, sessions=(3, 8)),
        _both(f"{SATISFACTION} + (1 | therapist_id/client_id)", kenward_roger=True),
    ),
    Design(
        "linear_movers",
        "clients who change therapist: crossed intercepts and a correlated random slope",
        lambda: _linear(
            3, practices=1, therapists=15, clients=150, sessions=(2, 10), movers=0.3, sd_slope=0.25, slope_on_level=0.3
        ),
        _both(f"{SATISFACTION} + (1 + directiveness_within | client_id) + (1 | therapist_id)"),
    ),
    Design(
        "linear_slope_uncorrelated",
        "intercept and slope without correlation",
        lambda: _linear(4, practices=1, therapists=8, clients=80, sessions=(3, 9), sd_slope=0.3, sd_therapist=0.0),
        _both(f"{SATISFACTION} + (1 + directiveness_within || client_id)", kenward_roger=True),
    ),
    Design(
        "linear_two_slopes",
        "three random columns a client",
        lambda: _linear(
            5, practices=1, therapists=10, clients=200, sessions=(4, 12), sd_slope=0.3, sd_trend=0.8, slope_on_level=0.2
        ),
        _both(f"{SATISFACTION} + session_number + (1 + directiveness_within + session_number | client_id)"),
    ),
    Design(
        "linear_unbalanced",
        "from one to twelve sessions a client, many clients with one",
        lambda: (
            _linear(6, practices=1, therapists=20, clients=250, sessions=(1, 12), movers=0.1)
            .with_columns(pl.col("client_id").str.slice(1).cast(pl.Int64).alias("n"))
            .filter((pl.col("n") % 3 > 0) | (pl.col("session_number") == 1))
            .drop("n")
        ),
        _both(f"{SATISFACTION} + (1 | client_id) + (1 | therapist_id)"),
    ),
    Design(
        "linear_three_levels_and_practice",
        "sessions in clients in therapists in practices",
        lambda: _linear(7, practices=8, therapists=40, clients=240, sessions=(2, 6), sd_practice=0.3),
        _both(f"{SATISFACTION} + (1 | practice_id/therapist_id/client_id)"),
    ),
    Design(
        "linear_crossed",
        "clients fully crossed with therapists",
        lambda: _linear(8, practices=1, therapists=6, clients=30, sessions=(6, 6), movers=0.0).with_columns(
            ("t" + pl.col("session_number").cast(pl.String)).alias("therapist_id"),
            # one therapist an occasion, with effects of spread 0.4
            (pl.col("satisfaction") + 0.4 * ((pl.col("session_number") * 2) % 7 - 3.5)).round(6),
        ),
        _both(f"{SATISFACTION} + (1 | client_id) + (1 | therapist_id)", kenward_roger=True),
    ),
    Design(
        "linear_singular",
        "a therapist variance that is estimated as zero",
        lambda: _linear(9, practices=1, therapists=10, clients=80, sessions=(2, 6), sd_therapist=0.0),
        _both(f"{SATISFACTION} + (1 | client_id) + (1 | therapist_id)"),
    ),
    Design(
        "linear_weights",
        "ratings that are means of one to four raters",
        lambda: _linear(10, practices=1, therapists=12, clients=90, sessions=(2, 8), weighted=True),
        (
            Fit("reml", f"{SATISFACTION} + (1 | client_id) + (1 | therapist_id)", "linear", weights="n_raters"),
            Fit(
                "ml", f"{SATISFACTION} + (1 | client_id) + (1 | therapist_id)", "linear", reml=False, weights="n_raters"
            ),
        ),
    ),
    Design(
        "linear_large",
        "100,000 sessions, clients with slopes crossed with therapists",
        lambda: _linear(
            11,
            practices=20,
            therapists=200,
            clients=14_000,
            sessions=(2, 12),
            movers=0.05,
            sd_slope=0.2,
            slope_on_level=0.2,
        ),
        (
            Fit(
                "reml",
                f"{SATISFACTION} + (1 + directiveness_within | client_id) + (1 | therapist_id)",
                "linear",
            ),
        ),
    ),
    Design(
        "binomial_therapist",
        "dropout with therapist effects",
        lambda: _binomial(21, practices=1, therapists=40, clients=300, sessions=(2, 6), sd_therapist=0.8),
        tuple(Fit(f"nagq{q}", f"{DROPOUT} + (1 | therapist_id)", "binomial", nagq=q) for q in (1, 9, 25)),
    ),
    Design(
        "binomial_client",
        "few rows a client and a large variance: Laplace and quadrature differ",
        lambda: _binomial(22, practices=1, therapists=5, clients=150, sessions=(1, 6), sd_client=2.0, sd_therapist=0.0),
        tuple(Fit(f"nagq{q}", f"{DROPOUT} + (1 | client_id)", "binomial", nagq=q) for q in (1, 9)),
    ),
    Design(
        "binomial_nested",
        "therapists nested in practices",
        lambda: _binomial(23, practices=12, therapists=72, clients=400, sessions=(2, 6), sd_practice=0.5),
        (Fit("nagq1", f"{DROPOUT} + (1 | practice_id/therapist_id)", "binomial"),),
    ),
    Design(
        "binomial_three_levels",
        "sessions in clients in therapists",
        lambda: _binomial(24, practices=1, therapists=30, clients=240, sessions=(3, 9), sd_client=1.0),
        (Fit("nagq1", f"{DROPOUT} + (1 | therapist_id/client_id)", "binomial"),),
    ),
    Design(
        "binomial_movers",
        "clients who change therapist: crossed intercepts",
        lambda: _binomial(25, practices=1, therapists=20, clients=250, sessions=(3, 9), sd_client=0.9, movers=0.4),
        (Fit("nagq1", f"{DROPOUT} + (1 | client_id) + (1 | therapist_id)", "binomial"),),
    ),
    Design(
        "binomial_slope",
        "therapists differ in the effect of directiveness, correlated with their level",
        lambda: _binomial(
            26, practices=1, therapists=50, clients=300, sessions=(3, 8), sd_slope=0.5, slope_on_level=0.4
        ),
        (Fit("nagq1", f"{DROPOUT} + (1 + directiveness_within | therapist_id)", "binomial"),),
    ),
    Design(
        "binomial_slope_uncorrelated",
        "level and slope of therapists without correlation",
        lambda: _binomial(27, practices=1, therapists=50, clients=300, sessions=(3, 8), sd_slope=0.5),
        (Fit("nagq1", f"{DROPOUT} + (1 + directiveness_within || therapist_id)", "binomial"),),
    ),
    Design(
        "binomial_cloglog",
        "discrete-time hazard",
        lambda: _binomial(28, practices=1, therapists=40, clients=300, sessions=(2, 6), link="cloglog", intercept=-1.5),
        tuple(Fit(f"nagq{q}", f"{DROPOUT} + (1 | therapist_id)", "binomial", link="cloglog", nagq=q) for q in (1, 9)),
    ),
    Design(
        "binomial_cloglog_nested",
        "discrete-time hazard with clients in therapists",
        lambda: _binomial(
            29, practices=1, therapists=25, clients=200, sessions=(3, 8), link="cloglog", intercept=-1.2, sd_client=0.7
        ),
        (Fit("nagq1", f"{DROPOUT} + (1 | therapist_id/client_id)", "binomial", link="cloglog"),),
    ),
    Design(
        "binomial_weights",
        "shares of one to eight items",
        lambda: _binomial(30, practices=1, therapists=15, clients=60, sessions=(1, 3), trials=8),
        tuple(
            Fit(
                f"nagq{q}",
                f"endorsed_prop ~ {FIXED} + (1 | therapist_id)",
                "binomial",
                nagq=q,
                weights="n_items",
            )
            for q in (1, 9)
        ),
    ),
    Design(
        "binomial_singular",
        "a therapist variance that is estimated as zero",
        lambda: _binomial(
            133, practices=1, therapists=10, clients=120, sessions=(3, 6), sd_client=1.0, sd_therapist=0.0
        ),
        (
            Fit(
                "nagq1",
                f"{DROPOUT} + (1 | client_id) + (1 | therapist_id)",
                "binomial",
                reduced=f"{DROPOUT} + (1 | client_id)",
            ),
        ),
    ),
    Design(
        "binomial_near_separation",
        "a small group in which hardly anybody drops out",
        lambda: _binomial(32, practices=1, therapists=30, clients=250, sessions=(2, 5), rare=True, intercept=-0.5),
        (Fit("nagq1", f"{DROPOUT} + is_group + (1 | therapist_id)", "binomial"),),
    ),
    Design(
        "binomial_large",
        "100,000 person-sessions",
        lambda: _binomial(33, practices=20, therapists=500, clients=14_000, sessions=(2, 12), intercept=-2.0),
        (Fit("nagq1", f"{DROPOUT} + session_number + (1 | therapist_id)", "binomial"),),
    ),
)


def csv_text(data: pl.DataFrame) -> str:
    """The CSV that R reads; the checksum is taken over these bytes."""
    return data.write_csv(float_precision=12)


def checksum(data: pl.DataFrame) -> str:
    """SHA-256 of the CSV text."""
    return hashlib.sha256(csv_text(data).encode()).hexdigest()


def design(name: str) -> Design:
    """The design of this name."""
    return next(d for d in DESIGNS if d.name == name)


def load(name: str) -> tuple[pl.DataFrame, dict]:
    """Simulated data and the stored R results of a design.

    Raises
    ------
    ValueError
        If the simulated data are not those that R was given: run make_references.R again.
    """
    data = design(name).build()
    stored = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    if checksum(data) != stored["checksum"]:
        raise ValueError(
            f"the simulated data of {name} differ from those that R was given; see tests/reference/README.md"
        )
    return data, stored


def export(folder: Path) -> None:
    """Write the CSV files and the manifest for make_references.R."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = []
    for entry in DESIGNS:
        data = entry.build()
        (folder / f"{entry.name}.csv").write_text(csv_text(data), encoding="utf-8")
        manifest.append(
            {
                "name": entry.name,
                "about": entry.about,
                "rows": data.height,
                "checksum": checksum(data),
                "fits": [vars(fit) for fit in entry.fits],
            }
        )
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "export":
        sys.exit(__doc__)
    export(Path(sys.argv[2]))
