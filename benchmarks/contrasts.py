"""Whether the contrasts of guidance find what is true in simulated cohorts: bias and coverage, for docs/contrasts.md.

    python benchmarks/contrasts.py --cohorts 50 --seed 1 --keep DIR
    python benchmarks/contrasts.py --keep DIR --write docs/contrasts.md

The first command simulates and answers (one file a cohort in DIR, so that runs add up), the second puts
the table into the page, between its two marks. In the world `recorded` every ending is on record, as in the truth,
and practices do not differ, because a mean is told of the practices at hand; in `calibrated` a part of the dropouts
is never recorded, and practices differ: what is left out, and what few practices tell of all, shows in the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import polars as pl

import outcomes.study
from outcomes.answers.common.simulated import built
from outcomes.answers.contrasts.run import run
from outcomes.answers.contrasts.tables import DROPOUT, SATISFACTION, ContrastBy, ContrastQuantity
from outcomes.progress import tracked
from outcomes.simulate import CohortParameters, WorldName, contrasts, simulate_cohort, with_worlds
from outcomes.study import read_settings

SETTINGS = read_settings(Path(outcomes.study.__file__).parent / "template.toml")
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
BY = {"distance": ContrastBy.DISTANCE, "amount": ContrastBy.AMOUNT}
REFERENCE = {ContrastBy.DISTANCE: 0.0, ContrastBy.AMOUNT: 5.0}


def worlds(clients: int, therapists: int) -> dict[str, CohortParameters]:
    """Return the calibrated world, one with all endings on record and practices alike, two with other therapists."""
    p = CohortParameters(clients=clients, therapists=therapists)
    recorded = replace(
        p,
        endings=replace(p.endings, unrecorded_prop=0.0, unknown_prop=0.0),
        satisfaction=replace(p.satisfaction, practice_sd=0.0),
    )
    return {
        "recorded": recorded,
        "calibrated": p,
        "responsive": with_worlds([WorldName.RESPONSIVE], recorded),
        "sorting": with_worlds([WorldName.SORTING], recorded),
    }


def truth(parameters: CohortParameters) -> pl.DataFrame:
    """What is true: one row an outcome, contrast, points, session (0: satisfaction) and quantity."""
    rows = []
    for one in contrasts(parameters):
        values = {0: one.satisfaction} | {int(t): risk for t, risk in one.dropout_risk.items()}
        rows += [(BY[one.by].value, one.points, session, value) for session, value in values.items()]
    found = pl.DataFrame(rows, schema=["contrast", "points", "session", "truth"], orient="row")
    reference = found.filter(pl.col("points") == pl.col("contrast").replace_strict(REFERENCE, return_dtype=pl.Float64))
    apart = found.join(reference, on=["contrast", "session"], suffix="_at").select(
        "contrast", "points", "session", truth=pl.col("truth") - pl.col("truth_at")
    )
    return pl.concat(
        [found.with_columns(is_difference=pl.lit(False)), apart.with_columns(is_difference=pl.lit(True))]
    ).with_columns(pl.col("session").cast(pl.Int64))


def study(
    world: str, parameters: CohortParameters, seeds: Iterable[int], *, satisfaction_only: bool = False
) -> pl.DataFrame:
    """Answer a cohort of each seed; one row a number told, beside the truth.

    Without dropout, whose endings are then taken out, a cohort takes less than half the time.
    """
    true, parts = truth(parameters), []
    for seed in tracked(list(seeds), f"Cohorts: {world}"):
        with built(simulate_cohort(parameters, seed), SETTINGS) as con:
            if satisfaction_only:
                con.execute("delete from core_dropout_labels")
            tables = run(con, SETTINGS)
        told = [
            tables[DROPOUT.name].filter(pl.col("session").is_not_null()),
            tables[SATISFACTION.name].with_columns(session=pl.lit(0, pl.Int64)),
        ]
        columns = ("contrast", "points", "session", "quantity", "estimate", "std_error", "conf_low", "conf_high")
        found = pl.concat(one.select(columns) for one in told).filter(pl.col("estimate").is_not_null())
        parts.append(found.with_columns(world=pl.lit(world), seed=pl.lit(seed)))
    rows = pl.concat(parts).with_columns(is_difference=pl.col("quantity") == ContrastQuantity.DIFFERENCE)
    return rows.join(true, on=["contrast", "points", "session", "is_difference"], how="left", maintain_order="left")


def page(rows: pl.DataFrame) -> str:
    """The table: truth, mean estimate, bias with its Monte-Carlo error, coverage."""
    covered = (pl.col("conf_low") <= pl.col("truth")) & (pl.col("truth") <= pl.col("conf_high"))
    table = rows.group_by("world", "contrast", "is_difference", "session", "points", maintain_order=True).agg(
        truth=pl.col("truth").mean(),
        estimate=pl.col("estimate").mean(),
        error=pl.col("estimate").std() / pl.len().sqrt(),
        spread=pl.col("estimate").std(),
        std_error=pl.col("std_error").mean(),
        coverage=covered.mean(),
        n=pl.len(),
    )
    lines = []
    for (world,), part in table.group_by("world", maintain_order=True):
        lines += [
            "",
            f"### World: {world}",
            "",
            "| what | contrast | points | truth | mean estimate ± error | bias | spread | mean standard error "
            "| coverage | cohorts |",
            "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for row in part.sort("session", "is_difference", "contrast", "points", descending=[False, False, True, False])\
                .iter_rows(named=True):  # fmt: skip
            what = f"dropouts of 100 by session {row['session']}" if row["session"] else "satisfaction, points"
            what += ", difference" if row["is_difference"] else ""
            times, digits = (100, 1) if row["session"] else (1, 2)
            told = [f"{times * (row[name] or 0):.{digits}f}" for name in ("truth", "estimate", "error")]
            bias = f"{times * (row['estimate'] - row['truth']):+.{digits}f}"
            spreads = [f"{times * (row[name] or 0):.{digits}f}" for name in ("spread", "std_error")]
            lines.append(
                f"| {what} | {row['contrast']} | {row['points']:+g} | {told[0]} | {told[1]} ± {told[2]} | {bias} "
                f"| {spreads[0]} | {spreads[1]} | {row['coverage']:.0%} | {row['n']} |"
            )
    return "\n".join(lines) + "\n"


def kept(folder: Path) -> pl.DataFrame:
    """All cohorts that are kept."""
    return pl.concat(pl.read_parquet(path) for path in sorted(folder.glob("*.parquet")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the first cohort")
    parser.add_argument("--clients", type=int, default=1500)
    parser.add_argument("--therapists", type=int, default=60)
    parser.add_argument("--world", choices=list(worlds(2, 2)), default="recorded")
    parser.add_argument("--satisfaction-only", action="store_true", help="leave dropout out, which takes most time")
    parser.add_argument("--keep", type=Path, required=True, help="folder of the results, one file a cohort")
    parser.add_argument("--write", type=Path, help="make no cohorts; put the kept results into this page")
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    if not arguments.write:
        parameters = worlds(arguments.clients, arguments.therapists)[arguments.world]
        for seed in range(arguments.seed, arguments.seed + arguments.cohorts):  # a run that is cut short keeps these
            path = arguments.keep / f"{arguments.world}-{seed:04}.parquet"
            if not path.exists():
                found = study(arguments.world, parameters, [seed], satisfaction_only=arguments.satisfaction_only)
                found.write_parquet(path)
        print(page(kept(arguments.keep)))
        return
    text = page(kept(arguments.keep))
    before, rest = arguments.write.read_text(encoding="utf-8").split(START)
    arguments.write.write_text(f"{before}{START}\n{text}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
