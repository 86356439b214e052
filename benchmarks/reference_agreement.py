"""Our figures beside published ones, data set by data set; the tables of docs/reference-agreement.md.

    python benchmarks/reference_agreement.py --write docs/reference-agreement.md

Reads ../shared/reference beside the project (its README says where each data set and figure is from).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import statsmodels.api as sm
from statsmodels.duration.survfunc import SurvfuncRight

from outcomes.methods.curvature.response_surface import surface_of_coefficients
from outcomes.methods.curvature.surface_models import SurfaceModel, compare_surfaces, surface_design
from outcomes.methods.dropout.life_table import life_table
from outcomes.mixed import fit_binomial, fit_cluster_robust, fit_linear

REFERENCE = Path(__file__).parents[2] / "shared" / "reference"
START, END = "<!-- measured: begin -->", "<!-- measured: end -->"

RSA = "R package RSA 0.10.6"
GLM = "R glm"
SINGER = "Singer & Willett 2003, table 11.3"
MIXOR = "mixor vignette 5.2"
HSAUR = "Everitt & Hothorn (HSAUR3), figures 13.2 and 13.3"


@dataclass(frozen=True)
class Figure:
    """One figure of ours beside another; `tolerance` is the absolute difference that rounding or stopping explains."""

    data_set: str
    quantity: str
    ours: float
    theirs: float
    tolerance: float
    source: str

    @property
    def is_agreed(self) -> bool:
        """Whether the two differ by no more than the tolerance."""
        return abs(self.ours - self.theirs) <= self.tolerance


SURFACES = {
    "motcon.full": ("motcon", "postVA", "ePow", "iPow"),
    "selfother.distance": ("selfother", "distance", "VI_self", "VI_partner"),
    "selfother.harmony": ("selfother", "liking", "IQ_self", "IQ_friend"),
    "rsatools_nsfit.full": ("rsatools_nsfit", "engagement", "needs", "supplies"),
}
"""Reference fit: data set, outcome, x and y. Predictors of selfother are centred at their pooled mean."""

PARAMETERS = ("a1", "a2", "a3", "a4", "p10", "p11")


def response_surfaces() -> Iterator[Figure]:
    """Parameters of the surface with errors by least squares, maximum likelihood and the sandwich; AICc."""
    for tag, (data, *columns) in SURFACES.items():
        z, x, y = (_data(data)[column].to_numpy() for column in columns)
        centre = np.concatenate([x, y]).mean() if data == "selfother" else 0.0
        x, y = x - centre, y - centre
        classical, robust = _least_squares(z, x, y, "nonrobust"), _least_squares(z, x, y, "HC0")
        covariances = {
            "least squares": (classical.cov_params(), {k: v["se"] for k, v in _fit(tag)["rsa"].items() if "se" in v}),
            "maximum likelihood": (
                classical.cov_params() * classical.df_resid / classical.nobs,
                _labelled(f"{tag}.RSA_standard", "se"),
            ),
            "robust": (robust.cov_params(), _labelled(f"{tag}.RSA_robust", "se")),
        }
        estimates = _labelled(f"{tag}.RSA_standard", "est")
        for kind, (covariance, errors) in covariances.items():
            surface = surface_of_coefficients(classical.params[1:], covariance[1:, 1:])
            for name in PARAMETERS:
                found = getattr(surface, name)
                source = "R lm, delta method" if kind == "least squares" else RSA
                if kind == "maximum likelihood":
                    theirs = estimates[name]
                    yield Figure(tag, name, found.value, theirs, _relative(theirs), RSA)
                words, theirs = f"standard error of {name}, {kind}", errors[name]
                yield Figure(tag, words, found.std_error, theirs, _relative(theirs), source)
        compared = compare_surfaces(z, x, y, (SurfaceModel.NULL, SurfaceModel.SQUARED_DIFFERENCE, SurfaceModel.FULL))
        theirs = {row["Modnames"]: row["AICc"] for row in _fit(f"{tag}.RSA_standard")["aictab"]}
        for name, aicc in zip(("null", "SQD", "full"), compared.aicc, strict=True):
            yield Figure(tag, f"AICc, {name} model", float(aicc), theirs[name], 2e-4, RSA)


def life_tables() -> Iterator[Figure]:
    """Hazard and survival by period, of data without clusters."""
    for data, tag, time in (
        ("alda_first_sex", "alda_first_sex.D", "grade"),
        ("alda_cocaine_relapse_1", "alda_cocaine_relapse_1.needle", "weeks"),
        ("alda_teachers", "alda_teachers.null", "years"),
    ):
        frame, stored = _data(data), _fit(tag)
        table = life_table(frame[time], 1 - frame["censor"])
        yield Figure(data, "events", int(table.n_events.sum()), stored["events"], 0, "R")
        for t, hazard, survival in zip(stored["time"], stored["hazard"], stored["survival"], strict=True):
            yield Figure(data, f"hazard, {time} {t}", float(table.hazards[0, t - 1]), hazard, 1e-9, "R")
            yield Figure(data, f"survival, {time} {t}", float(table.survival[t - 1]), survival, 1e-9, "R")
    frame = _data("alda_alcohol_relapse").with_columns(week=pl.col("weeks").ceil().cast(pl.Int64))
    week, ended = frame["week"].to_numpy(), 1 - frame["censor"].to_numpy()
    table, theirs = life_table(week, ended), SurvfuncRight(week, ended)
    for t in (4, 12, 26, 52, 78):
        place = int(np.searchsorted(theirs.surv_times, t, side="right")) - 1
        words = f"week {t}"
        survival, error = theirs.surv_prob[place], theirs.surv_prob_se[place]
        source = "statsmodels SurvfuncRight (no published table reached)"
        yield Figure("alda_alcohol_relapse", f"survival, {words}", float(table.survival[t - 1]), survival, 1e-9, source)
        ours = float(table.survival_std_error[t - 1])
        yield Figure("alda_alcohol_relapse", f"standard error of survival, {words}", ours, error, 1e-9, source)


FIRST_SEX = {
    "A": ("", 651.96),
    "B": (" + parental_transition", 634.66),
    "C": (" + parental_antisociality", 637.17),
    "D": (" + parental_transition + parental_antisociality", 629.15),
}


def hazard_models() -> Iterator[Figure]:
    """Discrete-time hazards without clusters: one row a person and period at risk."""
    periods = _periods(_data("alda_first_sex").with_columns(t=pl.col("grade")), first=7)
    for model, (terms, printed) in FIRST_SEX.items():
        fit = fit_cluster_robust(f"event ~ 0 + C(t){terms}", periods, "id")
        yield Figure("alda_first_sex", f"deviance, model {model}", fit.criterion, printed, 0.005, SINGER)
        yield from _coefficients("alda_first_sex", f"model {model}", fit, _fit(f"alda_first_sex.{model}"))
    fit = fit_cluster_robust(f"event ~ 0 + C(t){FIRST_SEX['D'][0]}", periods, "id", link="cloglog")
    yield from _coefficients("alda_first_sex", "model D, cloglog", fit, _fit("alda_first_sex.D_cloglog"))
    for data, tag, time, terms in (
        ("alda_cocaine_relapse_1", "alda_cocaine_relapse_1.needle", "weeks", " + needle"),
        ("alda_teachers", "alda_teachers.null", "years", ""),
    ):
        periods = _periods(_data(data).with_columns(t=pl.col(time)), first=1)
        fit = fit_cluster_robust(f"event ~ 0 + C(t){terms}", periods, "id")
        yield from _coefficients(data, "logit", fit, _fit(tag))
    waves = _data("btheb_dropout_pp").with_columns(is_treated=(pl.col("treatment") == "BtheB").cast(pl.Int64))
    for link in ("logit", "cloglog"):
        fit = fit_cluster_robust("event ~ 0 + C(wave) + is_treated + I(prev / 10)", waves, "subject", link=link)
        yield from _coefficients("btheb", f"dropout, {link}", fit, _fit(f"btheb.dropout_{link}"))


SMOKE = {
    "class_cloglog_q20": ("C(t) + SexMale + cc + tv + (1 | class)", -1592.776),
    "school_cloglog_q20": ("C(t) + SexMale + cc + tv + (1 | school)", -1593.694),
    "class_nph_cloglog_q20": ("C(t) + C(t):SexMale + cc + tv + (1 | class)", -1588.8),
}
SMOKE_PRINTED = {"SexMale": 0.060923, "cc": 0.052429, "tv": 0.012725}


def clustered_hazards() -> Iterator[Figure]:
    """Hazards with a random intercept (20 quadrature nodes), and the mixed model of the same clients' severity."""
    rows = _data("smoke_onset_pp")
    for tag, (terms, printed) in SMOKE.items():
        fit, stored = fit_binomial(f"y ~ 0 + {terms}", rows, link="cloglog", nagq=20), _fit(f"smoke_onset.{tag}")
        words = tag.removesuffix("_cloglog_q20")
        digits = 0.05 if printed == round(printed, 1) else 0.0005
        yield Figure("smoke_onset", f"log-likelihood, {words}", fit.llf, printed, digits, MIXOR)
        if words == "class":
            for name, value in SMOKE_PRINTED.items():
                # The vignette's program stops early: lme4 and glmmTMB agree with us to more digits than with it.
                yield Figure("smoke_onset", f"{name}, class", _of(fit, name), value, 2e-5, MIXOR)
            yield Figure("smoke_onset", "variance, class", float(fit.variances[0].cov[0, 0]), 0.035945, 2e-5, MIXOR)
        for name, value, error in zip(
            stored["fixef"], stored["fixef"].values(), stored["se_hessian"].values(), strict=True
        ):
            place = list(stored["fixef"]).index(name)
            ours = float(fit.beta[place]), float(fit.bse.iloc[place])
            yield Figure("smoke_onset", f"{name}, {words}", ours[0], value, 1e-4 * error, "R lme4, 20 nodes")
            yield Figure("smoke_onset", f"standard error of {name}, {words}", ours[1], error, 3e-4 * error, "R lme4")
    fit = fit_linear("bdi ~ bdi_pre + time + treatment + drug + length + (1 | subject)", _severity(), reml=False)
    yield Figure("btheb", "log-likelihood, severity", fit.llf, -935.7, 0.05, HSAUR)
    for name, value in zip(fit.names, (5.59239, 0.63968, -0.70476, -2.32908, -2.82495, 0.19708), strict=True):
        yield Figure("btheb", f"{name}, severity", _of(fit, name), value, 6e-6, HSAUR)
    yield Figure("btheb", "variance of clients, severity", float(fit.variances[0].cov[0, 0]), 48.78, 0.005, HSAUR)
    yield Figure("btheb", "residual variance, severity", fit.sigma**2, 25.14, 0.005, HSAUR)


SECTIONS = {
    "Response surfaces": (response_surfaces, "`surface_of_coefficients`, `compare_surfaces`"),
    "Life tables": (life_tables, "`life_table`"),
    "Discrete-time hazards": (hazard_models, "`fit_cluster_robust`"),
    "Clustered discrete-time hazards, and severity with dropout": (clustered_hazards, "`fit_binomial`, `fit_linear`"),
}


def page(sections: dict[str, list[Figure]]) -> str:
    """Write the figures as tables for people."""
    figures = [figure for rows in sections.values() for figure in rows]
    agreed = sum(figure.is_agreed for figure in figures)
    lines = [f"{agreed} of {len(figures)} figures agree within their tolerance.", ""]
    lines += ["| data set | figures | of them agree |", "|---|---:|---:|"]
    for name in dict.fromkeys(figure.data_set for figure in figures):
        own = [figure.is_agreed for figure in figures if figure.data_set == name]
        lines.append(f"| {name} | {len(own)} | {sum(own)} |")
    lines.append("")
    for title, rows in sections.items():
        lines += [f"### {title}", "", f"With {SECTIONS[title][1]}.", ""]
        lines += ["| data set | quantity | ours | theirs | agree to | from |", "|---|---|---:|---:|---:|---|"]
        for row in rows:
            mark = "" if row.is_agreed else " **no**"
            lines.append(
                f"| {row.data_set} | {row.quantity} | {row.ours:.7g} | {row.theirs:.7g} | {row.tolerance:.0e}{mark} "
                f"| {row.source} |"
            )
        lines.append("")
    return "\n".join(lines)


def compared() -> dict[str, list[Figure]]:
    """All figures by section."""
    return {title: list(make()) for title, (make, _) in SECTIONS.items()}


def _least_squares(z: np.ndarray, x: np.ndarray, y: np.ndarray, kind: str):
    return sm.OLS(z, surface_design(SurfaceModel.FULL, x, y)).fit(cov_type=kind)


def _coefficients(data: str, model: str, fit, stored: dict) -> Iterator[Figure]:
    """Estimates within a ten-thousandth of a standard error; R's glm stops at a change of 1e-8 of the deviance."""
    deviance = stored.get("minus2logLik", -2 * stored.get("logLik", np.nan))
    yield Figure(data, f"-2 log-likelihood, {model}", fit.criterion, deviance, 1e-5, GLM)
    for ours, (name, value), error in zip(fit.beta, stored["coef"].items(), stored["se"].values(), strict=True):
        yield Figure(data, f"{name}, {model}", float(ours), value, 1e-4 * error, GLM)


def _periods(people: pl.DataFrame, first: int) -> pl.DataFrame:
    """One row a person and period from the first to the last one seen; the event is in the last, if at all."""
    return (
        people.with_columns(period=pl.int_ranges(first, pl.col("t") + 1))
        .explode("period", empty_as_null=False)
        .with_columns(event=((pl.col("period") == pl.col("t")) & (pl.col("censor") == 0)).cast(pl.Int64))
        .drop("t")
        .rename({"period": "t"})
    )


def _severity() -> pl.DataFrame:
    levels = {"treatment": ["TAU", "BtheB"], "drug": ["No", "Yes"], "length": ["<6m", ">6m"]}
    return _data("btheb").with_columns(pl.col(name).cast(pl.Enum(order)) for name, order in levels.items())


def _of(fit, name: str) -> float:
    return float(fit.beta[fit.names.index(name)])


def _relative(value: float) -> float:
    return 2e-5 * abs(value)  # lavaan stops at about 1e-7; the axes magnify that


def _labelled(tag: str, what: str) -> dict[str, float]:
    return {row["label"]: row[what] for row in _fit(tag)["par"]}


def _data(name: str) -> pl.DataFrame:
    return pl.read_csv(REFERENCE / f"{name}.csv", null_values=["NA", ""], infer_schema_length=None)


def _fit(tag: str) -> dict:
    return json.loads((REFERENCE / f"{tag}.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="put the tables into this page, between its two marks")
    arguments = parser.parse_args()
    text = page(compared())
    print(text)
    if arguments.write:
        before, rest = arguments.write.read_text(encoding="utf-8").split(START)
        after = rest.split(END)[1]
        arguments.write.write_text(f"{before}{START}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
