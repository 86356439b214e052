"""Time the linear mixed model against its peers, side by side in one run.

    python benchmarks/engine.py --rows 10000 100000 1000000 --repeats 3
    python benchmarks/engine.py --rows 1000000 --structures nested practice anywhere many insteval-2 insteval-3
    python benchmarks/engine.py --rows 10000000 --engines outcomes --repeats 1
    python benchmarks/engine.py --plot

Model: sessions in clients crossed with therapists, 9 fixed effects, REML,
`y ~ dw + dw2 + db + dth + pref + prefdw + alliance + lsess + (1 + dw | client) + (1 | therapist)`; 10 sessions a
client, 30 clients a therapist, 10 therapists a practice, 5% of clients change therapist within their practice;
`--structures` names others (see `structures`). Engines take turns, each fit in a process of its own. Our time includes
reading from DuckDB; the peers' is the fit alone, on data in memory (statsmodels: clients only, it has no crossed
effects at this size). Peers that are not there are left out (lme4: Rscript with r-cran-lme4; gpboost, mixedlm: extra
`bench`). Writes JSON; `--plot` draws time against rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sys
import time
from functools import partial
from pathlib import Path

import duckdb
import turns
from structures import FIXED, FORMULA, STRUCTURES, Ratings, Sessions

RESULTS = Path(__file__).parent / "results"
LIMITS = {"outcomes": 10**8, "lme4": 10**6, "mixedlm": 10**6, "gpboost": 10**6, "statsmodels": 10**5}
"""Rows above which an engine is not tried: it would take more than ten minutes or the machine's memory."""

R_SCRIPT = """
args <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages(library(lme4))
d <- read.csv(args[1])
for (group in strsplit(args[3], " ")[[1]]) d[[group]] <- factor(d[[group]])
spent <- system.time(fit <- lmer(as.formula(args[2]), d))
peak <- as.numeric(gsub("[^0-9]", "", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
cat(sprintf('{"seconds": %.4f, "cpu_seconds": %.4f, "peak_mb": %.0f, "criterion": %.6f, "slope": %.8f}',
            spent[["elapsed"]], spent[["user.self"]] + spent[["sys.self"]], peak, REMLcrit(fit), fixef(fit)[[2]]))
"""


def simulate(structure: str, rows: int, folder: Path) -> None:
    """One data set as a DuckDB file, and as CSV where R will read it."""
    with duckdb.connect(str(folder / "rows.duckdb")) as con:
        STRUCTURES[structure].write(rows, con)
        if rows <= LIMITS["lme4"]:
            con.execute(f"copy sessions to '{folder / 'rows.csv'}' (header)")
    (folder / "structure").write_text(structure, encoding="utf-8")


class Stopwatch:
    """Wall-clock and processor seconds since the start; the latter holds on a busy machine."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds so far."""
        return {"seconds": time.perf_counter() - self._wall, "cpu_seconds": time.process_time() - self._cpu}


def structure_of(folder: Path) -> Sessions | Ratings:
    """The structure of the data set in a folder."""
    return STRUCTURES[(folder / "structure").read_text(encoding="utf-8")]


def fit_ours(folder: Path, replicates: int) -> dict[str, float]:
    """Our fit from the database; then one more specification, and at 10,000 rows the bootstrap."""
    from outcomes.mixed import bootstrap_linear, fit_linear, prepare_linear

    con = duckdb.connect(str(folder / "rows.duckdb"), read_only=True)
    formula = structure_of(folder).formula
    watch = Stopwatch()
    fit = fit_linear(formula, con.table("sessions"))
    found = watch.read() | {"criterion": fit.criterion, "slope": float(fit.beta[1])}
    found |= {f"s_{stage}": seconds for stage, seconds in fit.timings.items()}
    found["evaluations"] = fit.optimizer.n_evaluations
    if fit.approximation is not None:
        found |= {"criterion_error": fit.approximation.criterion, "n_probes": fit.approximation.n_probes}
        found |= {"theta_share": fit.approximation.theta_share, "beta_share": fit.approximation.beta_share}
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if fit.nobs < 20_000 and formula == FORMULA:
        gram = prepare_linear(FORMULA, con.table("sessions"))
        for name, start in (("one_more", None), ("one_more_from_a_fit", fit_linear(FORMULA, gram))):
            watch = Stopwatch()
            fit_linear(FORMULA.replace("alliance + ", ""), gram, start=start)
            found |= {f"{name}_{key}": value for key, value in watch.read().items()}
        watch = Stopwatch()
        bootstrap_linear(fit, replicates, show_progress=False)
        found |= {f"bootstrap_{replicates}_{name}": value for name, value in watch.read().items()}
    return found


def fit_peer(engine: str, folder: Path) -> dict[str, float]:
    """A Python peer's fit on data in memory."""
    con = duckdb.connect(str(folder / "rows.duckdb"), read_only=True)
    data = con.table("sessions").df()
    if engine == "statsmodels":
        import statsmodels.formula.api as smf

        watch = Stopwatch()
        fit = smf.mixedlm(f"y ~ {FIXED}", data, groups=data["client"], re_formula="~ dw").fit(method="lbfgs")
        spent, criterion, slope = watch.read(), -2 * fit.llf, fit.params["dw"]
    elif engine == "mixedlm":
        import mixedlm

        data = data.astype({"client": str, "therapist": str})
        watch = Stopwatch()
        fit = mixedlm.lmer(FORMULA, data)
        spent, criterion, slope = watch.read(), float(fit.get_deviance()), dict(fit.fixef())["dw"]
    else:
        import gpboost
        import numpy as np

        X = np.column_stack([np.ones(len(data)), data[FIXED.split(" + ")].to_numpy()])
        watch = Stopwatch()
        model = gpboost.GPModel(
            group_data=data[["client", "therapist"]].to_numpy(), group_rand_coef_data=data[["dw"]].to_numpy(),
            ind_effect_group_rand_coef=[1], likelihood="gaussian",
        )  # fmt: skip
        model.fit(y=data["y"].to_numpy(), X=X)
        spent, criterion = watch.read(), 2 * float(model.get_current_neg_log_likelihood())
        slope = np.asarray(model.get_coef())[0, 1]
    return spent | {"criterion": float(criterion), "slope": float(slope)}


def run(engine: str, folder: Path, options: argparse.Namespace) -> turns.Run:
    """Fit in a process of its own; the reason as text where it did not work."""
    if engine == "lme4":
        data = structure_of(folder)
        command = ["Rscript", "-e", R_SCRIPT, str(folder / "rows.csv"), data.formula, " ".join(data.groups)]
    else:
        python = sys.executable if engine in {"outcomes", "statsmodels"} else options.peers_python
        command = [python, __file__, "--worker", engine, str(folder), "--bootstrap", str(options.bootstrap)]
    return turns.run(command, options.limit)


def present(peers_python: str) -> list[str]:
    """Engines that can be run here."""
    peers = turns.importable(("mixedlm", "gpboost"), peers_python)
    return ["outcomes", "statsmodels", *peers, *(["lme4"] if shutil.which("Rscript") else [])]


def benchmark(options: argparse.Namespace) -> list[dict]:
    """All engines, structures and sizes, taking turns."""

    def fit(engine: str, folder: Path) -> turns.Run:
        return run(engine, folder, options)

    results = []
    for structure in options.structures:
        engines, most = present(options.peers_python), STRUCTURES[structure].most
        sizes = argparse.Namespace(**vars(options) | {"rows": sorted({min(rows, most) for rows in options.rows})})
        if STRUCTURES[structure].formula != FORMULA:  # the Python peers' models are written out
            engines = [engine for engine in engines if engine in {"outcomes", "lme4"}]
        print(structure, file=sys.stderr)
        found = turns.take_turns(sizes, engines, LIMITS, partial(simulate, structure), fit)
        results += [{"structure": structure} | one for one in found]
    return results


def identity(result: dict) -> tuple[str, int, str]:
    """What a stored result is of."""
    return result.get("structure", "practice"), result["rows"], result["engine"]


def table(results: list[dict]) -> str:
    """The results as a Markdown table, medians over the turns; "times ours" by the clock and by processor seconds."""
    ours = {identity(r)[:2]: r for r in results if r["engine"] == "outcomes" and "seconds" in r}
    columns = ["seconds", "times ours", "processor seconds", "times ours", "peak MB", "load", "criterion"]
    lines = [
        f"| structure | rows | engine | turns | {' | '.join(columns)} |",
        "|---|--:|---|--:|" + "--:|" * len(columns),
    ]
    for r in sorted(results, key=lambda r: identity(r)[:2]):
        structure, rows, engine = identity(r)
        turned = sum(isinstance(one, dict) for one in r.get("runs", ()))
        if "seconds" not in r:
            lines.append(f"| {structure} | {rows:,} | {engine} | 0 | {r['runs'][-1]} | | | | | {r['load']:.1f} | |")
            continue
        own = ours.get((structure, rows))
        wall, cpu = (f"{r[key] / own[key]:.1f}" if own else "" for key in ("seconds", "cpu_seconds"))
        lines.append(
            f"| {structure} | {rows:,} | {engine} | {turned} | {r['seconds']:.2f} | {wall} | {r['cpu_seconds']:.2f} "
            f"| {cpu} | {r['peak_mb']:.0f} | {r['load']:.1f} | {r['criterion']:.3f} |"
        )
    return "\n".join(lines)


def plot(path: Path, to: Path) -> None:
    """Time against rows, both axes logarithmic, one line an engine."""
    import altair as alt
    import polars as pl

    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    frame = pl.DataFrame(
        [
            {k: r[k] for k in ("rows", "engine", "seconds")}
            for r in results
            if "seconds" in r and identity(r)[0] == "practice"
        ]
    )
    base = alt.Chart(frame).encode(
        x=alt.X("rows:Q", scale=alt.Scale(type="log"), title="sessions"),
        y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
        color=alt.Color("engine:N", scale=alt.Scale(scheme="viridis")),
        shape="engine:N",
    )
    (base.mark_line() + base.mark_point(size=60, filled=True)).properties(width=420, height=280).save(str(to))


def main() -> None:
    """Parse the command line."""
    parser = turns.parser(__doc__, RESULTS / "engine.json")
    parser.add_argument("--structures", nargs="+", default=["practice"], choices=STRUCTURES)
    parser.add_argument("--bootstrap", type=int, default=1000, help="replicates, at fewer than 20,000 rows")
    parser.add_argument("--plot", action="store_true", help="draw docs/benchmarks-engine.svg from the stored results")
    options = parser.parse_args()
    if options.worker:
        engine, folder = options.worker[0], Path(options.worker[1])
        found = fit_ours(folder, options.bootstrap) if engine == "outcomes" else fit_peer(engine, folder)
        found.setdefault("peak_mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        print(json.dumps(found))
        return
    if options.plot:
        plot(options.out, Path(__file__).parents[1] / "docs" / "benchmarks-engine.svg")
        return
    fresh = benchmark(options)
    stored = json.loads(options.out.read_text(encoding="utf-8"))["results"] if options.out.exists() else []
    replaced = {identity(r) for r in fresh}
    results = [r for r in stored if identity(r) not in replaced] + fresh
    options.out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    options.out.write_text(json.dumps({"machine": machine, "results": results}, indent=1), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
