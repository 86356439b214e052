"""How often the verdicts on satisfaction are right when something else goes on beside the effect of guidance.

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
from outcomes.answers.common.words import Outcome
from outcomes.answers.recovery.power import OUTCOMES, REFUSED, Size, trials
from outcomes.simulate import Truth, WorldName
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
LEVELS = {"session": "Sessions", "client": "Between clients"}


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
            found = trials(truth, size, seed, Disclosure(), WORLDS[world], outcomes={Outcome.SATISFACTION})
            for trial in found:
                file.write(json.dumps({"world": world, "seed": seed} | asdict(trial)) + "\n")
            file.flush()


def read_counts(counts: Path) -> list[dict]:
    """What has been judged so far."""
    return [json.loads(line) for line in counts.read_text(encoding="utf-8").splitlines()] if counts.exists() else []


def page(rows: list[dict], size: Size) -> str:
    """The tables for people: how often right, wrong and silent, and what came out instead."""
    frame = pl.DataFrame(rows)
    n = frame.group_by("world", "truth", "level").len()["len"]
    worlds = [world for world in WORLDS if world in set(frame["world"])]
    lines = [
        f"Made by `python benchmarks/verdict_worlds.py`: {n.min()} to {n.max()} cohorts for each world and truth, "
        f"{n.sum() // len(LEVELS)} in all, of {size.clients:,} clients",
        f"and {size.therapists} therapists. Cells: cohorts in which the verdict is right / silent (`undecided` or "
        "refused) / **wrong**, and what it then was; empty where",
        "none was made yet. Between clients nothing is true of `relative`, and every verdict but `no_effect` counts as "
        "wrong.",
    ]
    for level, title in LEVELS.items():
        lines += ["", f"### {title}", "", _all_together(frame.filter(pl.col("level") == level)), ""]
        lines += ["| world | " + " | ".join(TRUTHS) + " |", "|---|" + "---|" * len(TRUTHS)]
        for world in worlds:
            own = frame.filter(pl.col("world") == world, pl.col("level") == level)
            lines.append(f"| {world} | " + " | ".join(_cell(own, truth, level) for truth in TRUTHS) + " |")
    return "\n".join(lines) + "\n"


def _all_together(rows: pl.DataFrame) -> str:
    """One sentence on all worlds and truths, with the 95% interval (Clopper-Pearson) of the share of wrong verdicts."""
    n, silent = rows.height, rows["verdict"].is_in(list(SILENT)).sum()
    is_nothing = (pl.col("truth") == Truth.RELATIVE) & (pl.col("level") == "client")
    true = pl.when(is_nothing).then(pl.lit(str(Verdict.NO_EFFECT))).otherwise("truth")
    right = rows.filter(pl.col("verdict") == true).height
    interval = stats.binomtest(n - right - silent, n).proportion_ci()
    return (
        f"All together: {right} of {n} right, {silent} silent, {n - right - silent} wrong "
        f"({interval.low:.0%} to {interval.high:.0%} of such cohorts)."
    )


def _cell(own: pl.DataFrame, truth: Truth, level: str) -> str:
    """Right / silent / wrong; empty where there is no cohort."""
    verdicts = own.filter(pl.col("truth") == truth)["verdict"]
    if verdicts.is_empty():
        return ""
    is_nothing = truth is Truth.RELATIVE and level == "client"
    right = str(Verdict.NO_EFFECT) if is_nothing else str(truth)
    counts = {name: (verdicts == name).sum() for name in OUTCOMES}
    silent = sum(counts[name] for name in SILENT)
    wrong = {name: n for name, n in counts.items() if n and name not in SILENT and name != right}
    words = f"{counts[right]} / {silent} / "
    return words + (f"**{sum(wrong.values())}** ({', '.join(wrong)})" if wrong else "0")


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
