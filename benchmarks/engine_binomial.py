"""Time the binomial mixed model against its peers, side by side in one run.

    python benchmarks/engine_binomial.py --rows 10000 100000 1000000 --repeats 3
    python benchmarks/engine_binomial.py --crossed --repeats 3

Model: `dropout ~ dw + dw2 + db + dth + pref + alliance + lsess + (1 | therapist)`, logit, Laplace. Engines take
turns, each fit in a process of its own. Our time includes reading from DuckDB; the peers' is the fit alone, on data
in memory. Peers that are not there are left out (gpboost and mixedlm: extra `bench`; lme4 and glmmTMB: Rscript with
r-cran-lme4 and r-cran-glmmtmb); `--peers-python` names another interpreter that has them. `--crossed` takes lme4's
InstEval in their place, `good ~ service + (1 | s) + (1 | d)` with good ratings above 3. Writes a JSON file and prints a
table.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import shutil
import sys
import time
from math import nan
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import turns
from structures import INSTEVAL

PREDICTORS = ["dw", "dw2", "db", "dth", "pref", "alliance", "lsess"]
FORMULA = f"dropout ~ {' + '.join(PREDICTORS)} + (1 | therapist)"
CROSSED = "good ~ service + (1 | s) + (1 | d)"
GROUPS = {FORMULA: "therapist", CROSSED: "s d"}
BETA = np.array([-3.0, 0.1, -0.1, 0.2, 0.1, -0.1, -0.2, 0.1])
SD_THERAPIST = 0.7

# Rows above which an engine is not tried: the notes' timings say it would take more than ten minutes or the
# machine's memory.
LIMITS = {"outcomes": 10**8, "gpboost": 10**7, "mixedlm": 10**6, "glmmTMB": 10**5, "lme4": 10**5, "statsmodels": 10**4}

R_SCRIPT = """
args <- commandArgs(trailingOnly = TRUE)
suppressPackageStartupMessages({library(lme4); library(glmmTMB)})
d <- read.csv(args[2]); for (group in strsplit(args[4], " ")[[1]]) d[[group]] <- factor(d[[group]])
f <- as.formula(args[3])
spent <- system.time(
  fit <- if (args[1] == "lme4") glmer(f, d, family = binomial) else glmmTMB(f, d, family = binomial)
)
beta <- if (args[1] == "lme4") fixef(fit) else fixef(fit)$cond
status <- readLines("/proc/self/status")
peak <- as.numeric(gsub("[^0-9]", "", grep("VmHWM", status, value = TRUE))) / 1024
cpu <- spent[["user.self"]] + spent[["sys.self"]]
found <- if (args[1] == "lme4") VarCorr(fit) else VarCorr(fit)$cond
sds <- sapply(found, function(v) attr(v, "stddev")[[1]])
cat(sprintf('{"seconds": %.4f, "cpu_seconds": %.4f, "peak_mb": %.0f, "criterion": %.6f, "intercept": %.8f, %s}',
            spent[["elapsed"]], cpu, peak, -2 * as.numeric(logLik(fit)), beta[[1]],
            paste(sprintf('"sd_%s": %.8f', names(sds), sds), collapse = ", ")))
"""


def simulate(rows: int, path: Path) -> None:
    """Person-sessions of clients with therapists, as Parquet, CSV (for R) and a DuckDB file."""
    rng = np.random.default_rng(20261122)
    therapists = max(rows // 1000, 20)
    therapist = rng.integers(0, therapists, rows)
    frame = pl.DataFrame({name: rng.standard_normal(rows) for name in PREDICTORS})
    frame = frame.with_columns((pl.col("dw") ** 2).alias("dw2"), pl.Series("lsess", np.log(rng.integers(1, 21, rows))))
    eta = BETA[0] + frame.select(PREDICTORS).to_numpy() @ BETA[1:]
    eta += SD_THERAPIST * rng.standard_normal(therapists)[therapist]
    dropout = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(np.int64)
    frame = frame.with_columns(pl.Series("therapist", therapist), pl.Series("dropout", dropout))
    frame.write_parquet(path / "rows.parquet")
    if rows <= max(LIMITS["lme4"], LIMITS["glmmTMB"]):
        frame.write_csv(path / "rows.csv")
    with duckdb.connect(str(path / "rows.duckdb")) as con:
        con.execute("create table person_sessions as select * from frame")
    (path / "formula").write_text(FORMULA, encoding="utf-8")


def rate(rows: int, path: Path) -> None:
    """Good and other ratings of InstEval, as a DuckDB file and CSV."""
    with duckdb.connect(str(path / "rows.duckdb")) as con:
        con.execute(
            "create table person_sessions as select s, d, service::double as service, (y > 3)::int as good "
            "from read_csv(?) limit ?",
            [str(INSTEVAL), rows],
        )
        con.execute(f"copy person_sessions to '{path / 'rows.csv'}' (header)")
    (path / "formula").write_text(CROSSED, encoding="utf-8")


def worker(engine: str, path: Path) -> dict[str, float]:
    """Fit once in this process."""
    if engine == "outcomes":
        from outcomes.mixed import fit_binomial

        con = duckdb.connect(str(path / "rows.duckdb"), read_only=True)
        began, worked = time.perf_counter(), time.process_time()
        fit = fit_binomial((path / "formula").read_text(encoding="utf-8"), con.table("person_sessions"))
        found = {
            "seconds": time.perf_counter() - began,
            "cpu_seconds": time.process_time() - worked,
            "criterion": fit.criterion,
            "intercept": float(fit.beta[0]),
        }
        found |= {f"sd_{block.group}": float(block.sd[0]) for block in fit.variances}
        return found | {"evaluations": fit.optimizer.n_evaluations} | {f"s_{k}": v for k, v in fit.timings.items()}
    frame = pl.read_parquet(path / "rows.parquet")
    if engine == "statsmodels":
        from outcomes.mixed import fit_binomial

        began = time.perf_counter()
        fit = fit_binomial(FORMULA, frame, engine="statsmodels")
        return {"seconds": time.perf_counter() - began, "criterion": float("nan"), "intercept": float(fit.beta[0])}
    y = frame["dropout"].to_numpy().astype(float)
    if engine == "gpboost":
        import gpboost

        X = np.column_stack([np.ones(len(y)), frame.select(PREDICTORS).to_numpy()])
        groups = frame["therapist"].to_numpy()
        began = time.perf_counter()
        model = gpboost.GPModel(group_data=groups, likelihood="bernoulli_logit")
        model.fit(y=y, X=X)
        seconds = time.perf_counter() - began
        value = 2 * float(model.get_current_neg_log_likelihood())
        return {"seconds": seconds, "criterion": value, "intercept": float(np.asarray(model.get_coef())[0, 0])}
    import mixedlm

    data = frame.to_pandas()
    data["therapist"] = data["therapist"].astype(str)
    began = time.perf_counter()
    fit = mixedlm.glmer(FORMULA, data, family=mixedlm.families.Binomial())
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "criterion": -2 * float(fit.logLik().value),
        "intercept": float(next(iter(dict(fit.fixef()).values()))),
    }


def run(engine: str, path: Path, peers_python: str, limit: int) -> turns.Run:
    """Fit in a process of its own; the reason as text where it did not work."""
    if engine in {"lme4", "glmmTMB"}:
        formula = (path / "formula").read_text(encoding="utf-8")
        command = ["Rscript", "-e", R_SCRIPT, engine, str(path / "rows.csv"), formula, GROUPS[formula]]
    else:
        python = sys.executable if engine in {"outcomes", "statsmodels"} else peers_python
        command = [python, __file__, "--worker", engine, str(path)]
    return turns.run(command, limit)


def present(peers_python: str) -> list[str]:
    """Engines that can be run here."""
    peers = turns.importable(("gpboost", "mixedlm"), peers_python)
    return ["outcomes", "statsmodels", *peers, *(["lme4", "glmmTMB"] if shutil.which("Rscript") else [])]


def benchmark(options: argparse.Namespace) -> list[dict]:
    """All engines and sizes, taking turns."""

    def fit(engine: str, folder: Path) -> turns.Run:
        return run(engine, folder, options.peers_python, options.limit)

    engines = present(options.peers_python)
    if not options.crossed:
        return turns.take_turns(options, engines, LIMITS, simulate, fit)
    sizes = argparse.Namespace(**vars(options) | {"rows": sorted({min(rows, 73_421) for rows in options.rows})})
    engines = [engine for engine in engines if engine in {"outcomes", "lme4", "glmmTMB"}]
    return turns.take_turns(sizes, engines, LIMITS, rate, fit)


def table(results: list[dict]) -> str:
    """The results as a Markdown table, medians over the turns, with the times relative to ours."""
    ours = {r["rows"]: r for r in results if r["engine"] == "outcomes" and "seconds" in r}
    columns = [
        "seconds",
        "times ours",
        "processor seconds",
        "times ours",
        "peak MB",
        "load",
        "-2 log L",
        "intercept",
        "sd",
    ]
    lines = [f"| rows | engine | turns | {' | '.join(columns)} |", "|--:|---|--:|" + "--:|" * len(columns)]
    for r in results:
        turned = sum(isinstance(one, dict) for one in r["runs"])
        if "seconds" not in r:
            lines.append(f"| {r['rows']:,} | {r['engine']} | {turned} | {r['runs'][-1]}" + " |" * len(columns))
            continue
        own = ours.get(r["rows"], {})
        wall, cpu = (f"{r.get(key, nan) / own.get(key, nan):.1f}" for key in ("seconds", "cpu_seconds"))
        sds = ", ".join(f"{value:.5f}" for key, value in sorted(r.items()) if key.startswith("sd_"))
        cells = [f"{r['rows']:,}", r["engine"], turned, f"{r['seconds']:.2f}", wall, f"{r.get('cpu_seconds', nan):.2f}"]
        cells += [cpu, f"{r['peak_mb']:.0f}", f"{r['load']:.1f}", f"{r['criterion']:.3f}", f"{r['intercept']:.5f}", sds]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> None:
    """Parse the command line."""
    parser = turns.parser(__doc__, Path(__file__).parent / "results" / "engine_binomial.json")
    parser.add_argument("--crossed", action="store_true", help="InstEval's ratings, students crossed with lecturers")
    options = parser.parse_args()
    if options.worker:
        found = worker(options.worker[0], Path(options.worker[1]))
        found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found))
        return
    results = benchmark(options)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    machine = {"processor": platform.processor() or platform.machine(), "python": platform.python_version()}
    options.out.write_text(json.dumps({"machine": machine, "results": results}, indent=1), encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
