"""What informative dropout does to the slope between clients, and which rung of the ladder gives it back.

    python benchmarks/missing_ratings.py --cohorts 50 --keep DIR [--world NAME]
    python benchmarks/missing_ratings.py --keep DIR --write docs/missing-ratings.md

The first command simulates and fits (one file a world in DIR, so that worlds can run side by side), the second puts the
table into the page, above its line '## Reading'. The same seeds in every world: the same people, who leave for other
reasons.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import polars as pl

import outcomes.study
from outcomes.answers.common.simulated import built
from outcomes.answers.missing.run import ladder
from outcomes.answers.missing.tables import Rung
from outcomes.progress import tracked
from outcomes.simulate import CohortParameters, attenuated_slopes, simulate_cohort, slope_truth
from outcomes.simulate.world.parameters import Slopes
from outcomes.study import read_settings

SETTINGS = read_settings(Path(outcomes.study.__file__).parent / "template.toml")
N_IMPUTATIONS = 10
"""Fewer than in a study; their chance averages out over the cohorts."""

STRENGTH = 2.0
"""Change of the logit of leaving per point of the client's level of satisfaction."""

AT_RANDOM, OWN, CALIBRATED = "leaving at random", "leaving by level", "leaving by level, real scale"
LADDER = (Rung.OBSERVED, Rung.WEIGHTED, Rung.IMPUTED, Rung.SHARED)


def worlds(clients: int, therapists: int) -> dict[str, CohortParameters]:
    """Return three worlds with about 38% dropout and linear effects of guidance on latent satisfaction.

    In the first two the middle of the scale is far from its ends and a client's usual guidance is known from one
    session; in the third ratings have the ceiling of real ones and usual guidance is known from few sessions. Level is
    what satisfaction owes to the client: the client's own effect, usual guidance and alliance.
    """
    p = CohortParameters(clients=clients, therapists=therapists)
    linear = replace(p, satisfaction=replace(p.satisfaction, misfit_cost=0.0, reactance=0.0, overwhelmed=0.0))
    clear = replace(
        linear,
        satisfaction=replace(linear.satisfaction, mean=5.0),
        directiveness=replace(linear.directiveness, session_sd=0.15, asked_pull=0.0),
    )
    s, none = linear.satisfaction, Slopes(within=0.0, client=0.0, therapist=0.0)
    at_random = replace(p.endings, dropout_offset=0.75, misfit=0.0, alliance=0.0, client_satisfaction=0.0, slopes=none)
    by_level = replace(
        at_random,
        dropout_offset=0.15,
        alliance=-STRENGTH * s.alliance,
        client_satisfaction=-STRENGTH,
        slopes=replace(none, client=-STRENGTH * s.slopes.client),
    )
    return {
        AT_RANDOM: replace(clear, endings=at_random),
        OWN: replace(clear, endings=by_level),
        CALIBRATED: replace(linear, endings=by_level),
    }


def study(world: str, parameters: CohortParameters, seeds: range) -> pl.DataFrame:
    """Fit the ladder to a cohort of each seed; one row a cohort and row of the ladder, beside the truth."""
    truth = slope_truth(parameters)
    parts = []
    for seed in tracked(seeds, f"Cohorts: {world}"):
        cohort = simulate_cohort(parameters, seed)
        with built(cohort, SETTINGS) as con:
            found = ladder(con, SETTINGS, N_IMPUTATIONS)
            clients = con.sql(
                "select n_sessions_client, client_id from mart_session_directiveness "
                "where satisfaction_score is not null group by all order by client_id"
            ).fetchnumpy()["n_sessions_client"]
            caseloads = con.sql(
                "select therapist_id, count(distinct client_id)::double as n from mart_session_directiveness "
                "where satisfaction_score is not null group by therapist_id order by therapist_id"
            ).fetchnumpy()["n"]
        expected = attenuated_slopes(truth, clients, caseloads)
        parts.append(
            found.with_columns(
                world=pl.lit(world),
                seed=pl.lit(seed),
                dropout=pl.lit(float((cohort.latent.episodes["cause"] == "dropout").mean())),
                truth=pl.when(pl.col("effect") == "between clients")
                .then(expected.client)
                .when(pl.col("effect") == "within client")
                .then(expected.within),
            )
        )
    return pl.concat(parts)


def slopes(rows: pl.DataFrame) -> list[str]:
    """Table of the slopes: truth, rungs, what is left of the shrinkage, coverage."""
    lines = [
        "| world | dropout | slope | rung | truth | mean estimate ± error | of the truth | coverage | cohorts |",
        "|---|---:|---|---|---:|---:|---:|---:|---:|",
    ]
    covered = (pl.col("conf_low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("conf_high"))
    told = rows.filter(pl.col("rung").is_in(LADDER) & pl.col("truth").is_not_null() & pl.col("estimate").is_not_null())
    table = told.group_by("world", "effect", "rung", maintain_order=True).agg(
        dropout=pl.col("dropout").mean(),
        truth=pl.col("truth").mean(),
        estimate=pl.col("estimate").mean(),
        error=(pl.col("estimate") - pl.col("truth")).std() / pl.len().sqrt(),
        covered=covered.mean(),
        n=pl.len(),
    )
    order = {effect: i for i, effect in enumerate(("between clients", "within client"))}
    for row in sorted(table.iter_rows(named=True), key=lambda row: order[row["effect"]]):
        lines.append(
            f"| {row['world']} | {row['dropout']:.0%} | {row['effect']} | {row['rung']} | {row['truth']:.3f} "
            f"| {row['estimate']:.3f} ± {row['error']:.3f} | {row['estimate'] / row['truth']:.1%} "
            f"| {row['covered']:.0%} | {row['n']} |"
        )
    return lines


def given_back(rows: pl.DataFrame) -> list[str]:
    """Table of the shrinkage between clients and what each rung gives back, cohort by cohort on the same data."""
    lines = [
        "| world | rung | rung less as observed ± error | of the shrinkage |",
        "|---|---|---:|---:|",
    ]
    between = rows.filter((pl.col("effect") == "between clients") & pl.col("rung").is_in(LADDER))
    wide = between.pivot("rung", index=["world", "seed", "truth"], values="estimate", maintain_order=True)
    for (world,), part in wide.group_by("world", maintain_order=True):
        if world == AT_RANDOM:
            continue
        shrinkage = (part["truth"] - part[Rung.OBSERVED]).mean()
        for rung in LADDER[1:]:
            gain = (part[rung] - part[Rung.OBSERVED]).drop_nulls()
            lines.append(
                f"| {world} | {rung} | {gain.mean():+.4f} ± {gain.std() / len(gain) ** 0.5:.4f} "
                f"| {gain.mean() / shrinkage:.0%} |"
            )
    return lines


def association(rows: pl.DataFrame) -> list[str]:
    """Table of the associations that the shared-parameter model finds."""
    lines = ["| world | association | mean estimate ± error | cohorts |", "|---|---|---:|---:|"]
    told = rows.filter(pl.col("effect").str.starts_with("dropout on") & pl.col("estimate").is_not_null())
    table = told.group_by("world", "effect", maintain_order=True).agg(
        estimate=pl.col("estimate").mean(), error=pl.col("estimate").std() / pl.len().sqrt(), n=pl.len()
    )
    for row in table.iter_rows(named=True):
        lines.append(f"| {row['world']} | {row['effect']} | {row['estimate']:+.2f} ± {row['error']:.2f} | {row['n']} |")
    return lines


def tipping(rows: pl.DataFrame) -> list[str]:
    """Table of how often a shift of the missing ratings, within the range tried, changes the conclusion."""
    lines = ["| world | slope | flips | cohorts in which a shift does it | median shift |", "|---|---|---|---:|---:|"]
    told = rows.filter(pl.col("rung").is_in((Rung.SIGN, Rung.SIGNIFICANCE)))
    table = told.group_by("world", "effect", "rung", maintain_order=True).agg(
        share=pl.col("delta").is_not_null().mean(), median=pl.col("delta").median(), n=pl.len()
    )
    for row in table.iter_rows(named=True):
        shift = "" if row["median"] is None else f"{row['median']:+.1f}"
        what = "sign" if row["rung"] == Rung.SIGN else "significance"
        lines.append(f"| {row['world']} | {row['effect']} | {what} | {row['share']:.0%} of {row['n']} | {shift} |")
    return lines


def page(rows: pl.DataFrame) -> str:
    """All tables."""
    tables = {
        "Slopes of satisfaction on guidance": slopes(rows),
        "What each rung gives back of the slope between clients": given_back(rows),
        "How leaving depends on the level, as the shared-parameter model finds it": association(rows),
        "Tipping": tipping(rows),
    }
    return "\n\n".join(f"### {title}\n\n" + "\n".join(lines) for title, lines in tables.items()) + "\n"


def kept_file(folder: Path, world: str) -> Path:
    """Where the cohorts of one world are kept."""
    return folder / f"{world.replace(',', '').replace(' ', '_')}.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=50)
    parser.add_argument("--clients", type=int, default=1500)
    parser.add_argument("--therapists", type=int, default=60)
    parser.add_argument("--world", choices=[AT_RANDOM, OWN, CALIBRATED], help="only this world")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the results, one file a world")
    parser.add_argument("--write", type=Path, help="make no cohorts; put the kept results into this page")
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    if not arguments.write:
        for world, parameters in worlds(arguments.clients, arguments.therapists).items():
            if arguments.world in (None, world):
                found = study(world, parameters, range(1, arguments.cohorts + 1))
                found.write_parquet(kept_file(arguments.keep, world))
        return
    kept = [kept_file(arguments.keep, world) for world in (AT_RANDOM, OWN, CALIBRATED)]
    text = page(pl.concat(pl.read_parquet(path) for path in kept if path.is_file()))
    print(text)
    before, rest = arguments.write.read_text(encoding="utf-8").split("## Figures\n", 1)
    after = rest[rest.index("## Reading") :]
    arguments.write.write_text(f"{before}## Figures\n\n{text}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
