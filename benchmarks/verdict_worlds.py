"""How often each verdict comes out when the truth is known, in the plain world and where something else goes on.

What guidance does to satisfaction and what it does to dropout is the same truth in each cohort.

python benchmarks/verdict_worlds.py --counts counts.jsonl --cohorts 20 --others 8 --seconds 480
python benchmarks/verdict_worlds.py --counts counts.jsonl --write docs/verdicts.md

Each call adds the cohorts that are still missing to the file of counts, until the time is over, and prints the tables.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from time import monotonic

import polars as pl
from scipy import stats

from outcomes.answers.balance.tables import Verdict
from outcomes.answers.common.words import Grain, Outcome
from outcomes.answers.recovery.power import OUTCOMES, REFUSED, Size, trials
from outcomes.simulate import DropoutTruth, Truth, WorldName
from outcomes.study.settings import Disclosure

START, END = "<!-- worlds: begin -->", "<!-- worlds: end -->"
MAIN: dict[str, tuple[WorldName, ...]] = {
    "plain": (WorldName.PLAIN,),
    "responsive, good weeks last": (WorldName.RESPONSIVE, WorldName.CARRY_OVER),
}
"""Worlds with the most cohorts: nothing goes on, and the hole that a same-session slope has."""
OTHERS = {
    "responsive": (WorldName.RESPONSIVE,),
    "less guidance after good sessions, good weeks last": (WorldName.RESPONSIVE_LESS, WorldName.CARRY_OVER),
    "responsive to the session alone, good weeks last": (WorldName.RESPONSIVE_WITHIN, WorldName.CARRY_OVER),
    "good weeks last": (WorldName.CARRY_OVER,),
    "trends": (WorldName.TRENDS,),
    "sorting": (WorldName.SORTING,),
    "misreported preference": (WorldName.MISREPORTED_PREFERENCE,),
    "coarse": (WorldName.COARSE,),
    "dissatisfied missing": (WorldName.DISSATISFIED_MISSING,),
}
WORLDS = MAIN | OTHERS
TRUTHS = tuple(truth for truth in Truth if truth is not Truth.LOG)
SILENT = {str(Verdict.UNDECIDED), REFUSED}
HAZARDS = {truth.verdict: truth for truth in DropoutTruth}
TITLES = {
    (Outcome.SATISFACTION, Grain.SESSION): "Satisfaction, sessions",
    (Outcome.SATISFACTION, Grain.CLIENT): "Satisfaction, between clients",
    (Outcome.DROPOUT, Grain.SESSION): "Dropout, sessions",
}


def jobs(cohorts: int, others: int, seed: int, truths: Sequence[Truth]) -> list[tuple[str, Truth, int]]:
    """World, truth and seed of each cohort; the first of all worlds before the second of any."""
    wanted = []
    for number in range(max(cohorts, others)):
        for world, truth in product(WORLDS, truths):
            if number < (cohorts if world in MAIN else others):
                wanted.append((world, truth, seed + number))
    return wanted


def add_cohorts(counts: Path, wanted: list[tuple[str, Truth, int]], size: Size, seconds: float) -> None:
    """Judge the cohorts that are not in the file yet."""
    end = monotonic() + seconds
    done = {(row["world"], row["truth"], row["seed"]) for row in read_counts(counts)}
    with counts.open("a", encoding="utf-8") as file:
        for world, truth, seed in wanted:
            if (world, str(truth), seed) in done:
                continue
            if monotonic() > end:
                return
            found = trials(truth, size, seed, Disclosure(), WORLDS[world], HAZARDS[truth])
            for trial in found:
                file.write(json.dumps({"world": world, "seed": seed} | asdict(trial)) + "\n")
            file.flush()


def read_counts(counts: Path) -> list[dict]:
    """What has been judged so far."""
    return [json.loads(line) for line in counts.read_text(encoding="utf-8").splitlines()] if counts.exists() else []


def page(rows: list[dict], size: Size) -> str:
    """The tables for people: how often right, wrong and silent, and what came out instead."""
    frame = pl.DataFrame(rows).with_columns(right=_right())
    n = frame.unique(["world", "truth", "seed"]).group_by("world", "truth").len()["len"]
    lines = [
        f"Made by `python benchmarks/verdict_worlds.py`: {n.min()} to {n.max()} cohorts for each world and truth, "
        f"{n.sum():,} in all, of {size.clients:,} clients",
        f"and {size.therapists} therapists. Cells: cohorts in which the verdict is right / silent (`undecided` or "
        "refused) / **wrong**, and what it then was; empty where",
        "none was made yet. Between clients nothing is true of `relative`, and every verdict but `no_effect` counts as "
        "wrong.",
    ]
    for judged, title in TITLES.items():
        own = frame.filter(pl.col("outcome") == judged[0], pl.col("level") == judged[1])
        lines += ["", f"### {title}", "", f"All together: {_rates(own)}.", ""]
        lines += [f"- {truth}: {_rates(own.filter(pl.col('truth') == truth))}" for truth in TRUTHS]
        lines += ["", "| world | " + " | ".join(TRUTHS) + " |", "|---|" + "---|" * len(TRUTHS)]
        for world in WORLDS:
            cells = (_cell(own.filter(pl.col("world") == world, pl.col("truth") == truth)) for truth in TRUTHS)
            lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _right() -> pl.Expr:
    """The verdict that is right; between clients nothing is true of what is relative to a client's usual level."""
    is_nothing = (pl.col("truth") == Truth.RELATIVE) & (pl.col("level") == Grain.CLIENT)
    return pl.when(is_nothing).then(pl.lit(str(Verdict.NO_EFFECT))).otherwise("truth")


def _counts(own: pl.DataFrame) -> tuple[int, int, int]:
    """Right, silent and wrong."""
    right, silent = (own["verdict"] == own["right"]).sum(), own["verdict"].is_in(list(SILENT)).sum()
    return right, silent, own.height - right - silent


def _rates(own: pl.DataFrame) -> str:
    """Right, silent and wrong, with the 95% interval (Clopper-Pearson) of the share of wrong verdicts."""
    if own.is_empty():
        return "no cohort yet"
    right, silent, wrong = _counts(own)
    interval = stats.binomtest(wrong, own.height).proportion_ci()
    return (
        f"{right} of {own.height:,} right ({right / own.height:.0%}), {silent} silent, {wrong} wrong "
        f"({interval.low:.1%} to {interval.high:.1%} of such cohorts)"
    )


def _cell(own: pl.DataFrame) -> str:
    """Right / silent / wrong; empty where there is no cohort."""
    if own.is_empty():
        return ""
    right, silent, wrong = _counts(own)
    others = set(own.filter(pl.col("verdict") != pl.col("right"))["verdict"])
    seen = [name for name in OUTCOMES if name in others and name not in SILENT]
    return f"{right} / {silent} / " + (f"**{wrong}** ({', '.join(seen)})" if wrong else "0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--counts", type=Path, nargs="+", required=True, help="files of verdicts; new ones go to the first"
    )
    parser.add_argument("--cohorts", type=int, default=20, help="for each truth, in the plain and the responsive world")
    parser.add_argument("--others", type=int, default=8, help="for each truth, in each other world")
    parser.add_argument("--clients", type=int, default=1500)
    parser.add_argument("--therapists", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first cohort")
    parser.add_argument("--truths", nargs="+", default=[str(truth) for truth in TRUTHS])
    parser.add_argument("--seconds", type=float, default=480, help="no new cohort is begun after so long")
    parser.add_argument("--write", type=Path, help="put the tables into this page, between its two marks")
    arguments = parser.parse_args()
    size = Size(arguments.clients, arguments.therapists)
    truths = [Truth(name) for name in arguments.truths]
    wanted = jobs(arguments.cohorts, arguments.others, arguments.seed, truths)
    add_cohorts(arguments.counts[0], wanted, size, arguments.seconds)
    text = page([row for counts in arguments.counts for row in read_counts(counts)], size)
    print(text)
    if arguments.write:
        before, rest = arguments.write.read_text(encoding="utf-8").split(START)
        arguments.write.write_text(f"{before}{START}\n{text}{END}{rest.split(END)[1]}", encoding="utf-8")


if __name__ == "__main__":
    main()
