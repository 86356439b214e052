"""How well the pipeline recovers the truth of simulated cohorts, from source files to estimates.

    python benchmarks/recovery.py --seeds 100 --write docs/recovery.md

Each seed is a cohort of its own: files, landing, build, mart, model. The table gives bias (with its Monte-Carlo error)
and the coverage of 95% intervals for the within, client and therapist parts of directiveness.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from scipy.stats import binom
from scipy.stats import t as student

from outcomes.landing import land_inbox
from outcomes.methods.therapists.between_effect import corrected_between, mean_reliabilities
from outcomes.mixed import fit_linear
from outcomes.progress import tracked
from outcomes.release import build, candidate_id
from outcomes.simulate import (
    Cohort,
    CohortParameters,
    SlopeTruth,
    attenuated_slopes,
    simulate_cohort,
    slope_truth,
    write_sources,
)
from outcomes.store.warehouse import connect
from outcomes.study import create_study

PARTS = ("within", "client", "therapist")
FIXED = "satisfaction_score ~ directiveness_within + directiveness_client + directiveness_therapist + log_session"
_BY_CLIENT = f"{FIXED} + (1 + directiveness_within | client_id)"
MODELS = {
    "template": f"{_BY_CLIENT} + (1 | therapist_id) + (0 + directiveness_within | therapist_id)",
    "slope by client only": f"{_BY_CLIENT} + (1 | therapist_id)",
    "correlated slope by therapist": f"{_BY_CLIENT} + (1 + directiveness_within | therapist_id)",
}
LEVEL = 0.95
INTRODUCTION = """\
# Does the pipeline find the truth?

Simulated cohorts whose truth is known go the whole way: source files, landing, build, `mart_session_directiveness`,
`outcomes.mixed.fit_linear`. Made by `python benchmarks/recovery.py --seeds {seeds} --write docs/recovery.md`
({seeds} cohorts of {clients:,} clients and {therapists} therapists in each world; points of satisfaction per point of
directiveness). [simulation.md](simulation.md) says how the cohorts are made and what their truth is.
"""


@dataclass(frozen=True)
class Recovered:
    """One slope of one fit beside its truth; `low` and `high` are the ends of the interval."""

    world: str
    model: str
    term: str
    truth: float
    estimate: float
    low: float
    high: float


def worlds(clients: int, therapists: int) -> dict[str, CohortParameters]:
    """Return the world as calibrated, and one in which the model holds to the letter but for the ceiling.

    In the second latent satisfaction is linear in guidance and nobody drops out for what also moves satisfaction.
    """
    p = CohortParameters(clients=clients, therapists=therapists)
    linear = replace(
        p,
        satisfaction=replace(p.satisfaction, misfit_cost=0.0, reactance=0.0, overwhelmed=0.0),
        endings=replace(p.endings, misfit=0.0, alliance=0.0, client_satisfaction=0.0, dropout_offset=0.0),
    )
    return {"calibrated": p, "linear": linear}


def marts_of(cohorts: list[Cohort]) -> list[pl.DataFrame]:
    """Send cohorts' files through landing and build, and return the rows that a model of each cohort sees.

    All go together as practices of one study, which saves most of the time: pseudonyms differ, and of what the build
    computes only the grand mean spans cohorts; it moves the intercept and no slope.
    """
    tables = {
        name: pl.concat(getattr(cohort, name) for cohort in cohorts) for name in ("sessions", "episodes", "clients")
    }
    with tempfile.TemporaryDirectory() as place:
        study = create_study(Path(place) / "study")
        write_sources(replace(cohorts[0], **tables), study.inbox, session_files=1)
        land_inbox(study)
        folder = build(study, candidate_id(study))
        with connect(folder / "outcomes.duckdb", read_only=True) as con:
            mart = con.sql("select * from mart_session_directiveness where satisfaction_score is not null").pl()
    return [mart.filter(pl.col("client_id").is_in(cohort.clients["client_id"].implode())) for cohort in cohorts]


def recover(world: str, parameters: CohortParameters, seeds: Iterable[int]) -> list[Recovered]:
    """Fit every model to a cohort of each seed and put the estimates beside what they should be."""
    truth = slope_truth(parameters)
    marts = marts_of([simulate_cohort(parameters, seed) for seed in seeds])
    return [row for mart in tracked(marts, f"cohorts of the {world} world") for row in _fitted(world, truth, mart)]


def _fitted(world: str, truth: SlopeTruth, mart: pl.DataFrame) -> list[Recovered]:
    clients = mart.unique("client_id", maintain_order=True)
    per_therapist = mart.group_by("therapist_id", maintain_order=True).agg(pl.col("client_id").n_unique())["client_id"]
    expected = attenuated_slopes(truth, clients["n_sessions_client"].to_numpy(), per_therapist.to_numpy())
    reliabilities = mean_reliabilities(*_variances(mart, clients), clients["n_sessions_client"].to_numpy())
    rows = []
    for model, formula in MODELS.items():
        fit = fit_linear(formula, mart)
        places = [fit.names.index(f"directiveness_{part}") for part in PARTS]
        beta, vcov, df = fit.beta[places], fit.vcov[np.ix_(places, places)], fit.df_denom.to_numpy()[places]
        reach = student.ppf((1 + LEVEL) / 2, df) * np.sqrt(np.diag(vcov))
        for part, truth_of_part, slope, half in zip(PARTS, astuple(expected), beta, reach, strict=True):
            rows.append(Recovered(world, model, part, truth_of_part, slope, slope - half, slope + half))
        between = corrected_between(beta[:2], vcov[:2, :2], reliabilities, LEVEL, float(df[1])).corrected
        interval = (between.value, between.conf_low, between.conf_high)
        rows.append(Recovered(world, model, "client, corrected", truth.observed.client, *interval))
    return rows


def _variances(mart: pl.DataFrame, clients: pl.DataFrame) -> tuple[float, float]:
    """Estimate the variances of directiveness between and within clients of a therapist, by moments."""
    n = clients["n_sessions_client"]
    within = (mart["directiveness_within"] ** 2).sum() / (mart.height - clients.height)
    observed = clients["directiveness_client"].var()
    return max(observed - within * (1 / n).mean(), 0.0), within


def summary(rows: list[Recovered]) -> pl.DataFrame:
    """Return one row a world, model and term: truth, mean estimate, bias with its error, coverage with its range.

    `coverage_low` and `coverage_high` bound the shares that 95% of experiments of this size would show if the true
    coverage were 95%.
    """
    table = pl.DataFrame([vars(row) for row in rows])
    error = pl.col("estimate") - pl.col("truth")
    covered = (pl.col("low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("high"))
    found = table.group_by("world", "model", "term", maintain_order=True).agg(
        n=pl.len(),
        truth=pl.col("truth").mean(),
        estimate=pl.col("estimate").mean(),
        bias=error.mean(),
        bias_error=error.std() / pl.len().sqrt(),
        coverage=covered.mean(),
    )
    n = found["n"].to_numpy()
    return found.with_columns(
        coverage_low=binom.ppf((1 - LEVEL) / 2, n, LEVEL) / n, coverage_high=binom.ppf((1 + LEVEL) / 2, n, LEVEL) / n
    )


def markdown(table: pl.DataFrame) -> str:
    """Write the summary as a table for people."""
    lines = [
        "| world | model | part | truth | mean estimate | bias ± error | coverage of 95% intervals |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for row in table.iter_rows(named=True):
        mark = "" if row["coverage_low"] <= row["coverage"] <= row["coverage_high"] else " (outside chance)"
        lines.append(
            f"| {row['world']} | {row['model']} | {row['term']} | {row['truth']:.3f} | {row['estimate']:.3f} "
            f"| {row['bias']:+.4f} ± {row['bias_error']:.4f} | {row['coverage']:.0%}{mark} |"
        )
    chance = f"{table['coverage_low'][0]:.0%} to {table['coverage_high'][0]:.0%}"
    return "\n".join([*lines, "", f"With true coverage of 95% and as many cohorts, chance gives {chance}."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--clients", type=int, default=1500)
    parser.add_argument("--therapists", type=int, default=60)
    parser.add_argument("--write", type=Path, help="also put the table into this page, above its line '## Reading'")
    arguments = parser.parse_args()
    rows = []
    for world, parameters in worlds(arguments.clients, arguments.therapists).items():
        rows += recover(world, parameters, range(1, arguments.seeds + 1))
    text = markdown(summary(rows))
    print(text)
    if arguments.write:
        page = arguments.write.read_text(encoding="utf-8") if arguments.write.exists() else ""
        reading = page[page.find("## Reading") :] if "## Reading" in page else ""
        head = INTRODUCTION.format(**vars(arguments))
        arguments.write.write_text("\n".join(filter(None, [head, text, reading])), encoding="utf-8")


if __name__ == "__main__":
    main()
