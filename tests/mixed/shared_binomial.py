"""The classic binomial data sets of `../shared/reference`, recoded as their reference fits were.

Each case names the stored fit, the formula in our syntax and how the outcome and the coded columns come from the CSV.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from references import classic_data, classic_fit


@dataclass(frozen=True)
class Case:
    """One stored fit of a classic data set."""

    file: str
    formula: str
    columns: tuple[pl.Expr, ...] = ()
    where: pl.Expr | None = None
    csv: str | None = None
    weights: str | None = None

    def load(self) -> tuple[pl.DataFrame, dict]:
        """The data, recoded, and the reference; skips where the folder is absent."""
        stored = classic_fit(self.file)
        data = classic_data(self.csv or self.file.split(".")[0])
        data = data.with_columns(*self.columns) if self.columns else data
        return (data if self.where is None else data.filter(self.where)), stored


def _is(column: str, value: str, name: str) -> pl.Expr:
    return (pl.col(column) == value).cast(pl.Int64).alias(name)


TOENAIL = ("y ~ treatment * time + (1 | patientID)", (_is("outcome", "moderate or severe", "y"),))
CONTRACEPTION = (
    _is("use", "Y", "y"),
    pl.concat_str("urban", "district", separator=":").alias("ud"),
)
CBPP = ("cbind(incidence, size - incidence) ~ C(period) + (1 | herd)",)
BACTERIA = (
    "yy ~ trt + late + (1 | ID)",
    (
        _is("y", "y", "yy"),
        (pl.col("week") > 2).cast(pl.Int64).alias("late"),
        pl.col("trt").cast(pl.Enum(["placebo", "drug", "drug+"])),
    ),
)
RESPIRATORY = (
    "y ~ base1 + treatment + gender + age + C(centre) + (1 | subject)",
    (
        _is("status", "good", "y"),
        (pl.col("status") == "good").filter(pl.col("month") == 0).first().over("subject").cast(pl.Int64).alias("base1"),
        pl.col("treatment").cast(pl.Enum(["placebo", "treatment"])),
    ),
    pl.col("month") > 0,
)
VERBAGG = (_is("r2", "Y", "r"),)
SMOKE = "C(t) + SexMale + cc + tv"
SMOKING = "thksbin ~ thkspre + cc * tv"
GOLDMAN = "~ chldcov + famcov + commcov + (1 | family) + (1 | community)"

CASES: tuple[Case, ...] = (
    *(Case(f"toenail.logit_q{q:02d}", *TOENAIL) for q in (1, 5, 10, 20)),
    *(
        Case(f"contraception.district_q{q}", "y ~ age + I(age**2) + urban + livch + (1 | district)", CONTRACEPTION)
        for q in (1, 7)
    ),
    *(
        Case(f"contraception.urbandist_q{q}", "y ~ age + I(age**2) + urban + livch + (1 | ud)", CONTRACEPTION)
        for q in (1, 7)
    ),
    Case(
        "contraception.urbanslope_laplace",
        "y ~ age + I(age**2) + urban + livch + (1 + is_urban | district)",
        (*CONTRACEPTION, _is("urban", "Y", "is_urban")),
    ),
    *(Case(f"cbpp.binom_q{q:02d}", *CBPP) for q in (1, 5, 9, 25)),
    *(Case(f"bacteria.logit_q{q:02d}", *BACTERIA) for q in (1, 20)),
    *(Case(f"respiratory.logit_q{q:02d}", *RESPIRATORY) for q in (1, 10)),
    Case("verbagg.crossed_laplace", "r ~ Anger + Gender + btype + situ + (1 | id) + (1 | item)", VERBAGG),
    Case("verbagg.docs_laplace", "r ~ (Anger + Gender + btype + situ)**2 + (1 | id) + (1 | item)", VERBAGG),
    Case(
        "insteval.logit_two_depts",
        "good ~ 1 + C(service) + (1 | s) + (1 | d)",
        ((pl.col("y") >= 4).cast(pl.Int64).alias("good"),),
        pl.col("dept").is_in([1, 5]),
    ),
    *(
        Case(f"smoke_onset.{level}_cloglog_q{q:02d}", f"y ~ 0 + {SMOKE} + (1 | {level})", csv="smoke_onset_pp")
        for level in ("class", "school")
        for q in (1, 20)
    ),
    Case(
        "smoke_onset.class_nph_cloglog_q20",
        "y ~ 0 + C(t) + C(t):SexMale + cc + tv + (1 | class)",
        csv="smoke_onset_pp",
    ),
    Case("smoke_onset.three_level_logit", f"y ~ 0 + {SMOKE} + (1 | class) + (1 | school)", csv="smoke_onset_pp"),
    *(Case(f"smoking_prevention.class_logit_q{q:02d}", f"{SMOKING} + (1 | class)") for q in (1, 20)),
    Case("smoking_prevention.three_level_logit", f"{SMOKING} + (1 | class) + (1 | school)"),
    *(Case(f"rodriguez_goldman_sim.y{i}_laplace", f"y{i} {GOLDMAN}") for i in (1, 2, 3)),
)
