"""How often each verdict comes out when the truth is known; the tables of docs/verdicts.md.

python benchmarks/verdicts.py --cohorts 100 --write docs/verdicts.md
"""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter

import polars as pl

from outcomes.answers.recovery.power import Size, confusion, error_rates, true_verdict
from outcomes.simulate import Truth

START, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TITLES = {
    ("satisfaction", "session"): "Satisfaction: verdicts on sessions",
    ("satisfaction", "client"): "Satisfaction: verdicts between clients",
    ("dropout", "session"): "Dropout: verdicts on sessions",
}


def page(rates: pl.DataFrame, size: Size, cohorts: int, seed: int) -> str:
    """Write the confusion tables for people."""
    lines = [
        f"Made by `python benchmarks/verdicts.py --cohorts {cohorts} --clients {size.clients} --therapists "
        f"{size.therapists} --seed {seed}`: {cohorts} cohorts of {size.clients:,} clients and {size.therapists} "
        f"therapists under each truth, seeds {seed} to {seed + cohorts - 1}. Percent of the cohorts; the last column: "
        "how often the Lind-Mehlum test alone would have found one best level. Bold: what is true of the outcome.",
    ]
    for (outcome, level), title in TITLES.items():
        own = rates.filter(pl.col("outcome") == outcome, pl.col("level") == level)
        turns = dict(own.group_by("truth").agg(pl.col("parabola_turns_rate").first()).iter_rows())
        table = confusion(rates, outcome, level)
        verdicts = [name for name in table.columns if name not in ("truth", "refused")]
        lines += ["", f"### {title}", "", "| truth | " + " | ".join(verdicts) + " | Lind-Mehlum alone |"]
        lines.append("|---|" + "---:|" * (len(verdicts) + 1))
        for row in table.iter_rows(named=True):
            right = true_verdict(Truth(row["truth"]), outcome)
            cells = [f"**{row[name]}**" if name == right else str(row[name] or "") for name in verdicts]
            lines.append(f"| {row['truth']} | " + " | ".join(cells) + f" | {turns[row['truth']]:.0%} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--clients", type=int, default=1500)
    parser.add_argument("--therapists", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first cohort; rules were set on seeds from 9000")
    parser.add_argument("--write", type=Path, help="put the tables into this page, between its two marks")
    arguments = parser.parse_args()
    size, started = Size(arguments.clients, arguments.therapists), perf_counter()
    text = page(error_rates(size, arguments.cohorts, arguments.seed), size, arguments.cohorts, arguments.seed)
    print(text)
    print(f"{perf_counter() - started:.0f} s")
    if arguments.write:
        before, rest = arguments.write.read_text(encoding="utf-8").split(START)
        after = rest.split(END)[1]
        arguments.write.write_text(f"{before}{START}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
