"""The table of formulas that are held against R: its data, and what is asked of each formula.

python tests/reference/formulas.py tests/reference     # writes formulas_data.csv and formulas.json
Rscript tests/reference/make_formulas.R tests/reference
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np

SEED = 20261126
N = 360


def rows() -> dict[str, list]:
    """Columns of every kind, with effects large enough that no variance is zero."""
    rng = np.random.default_rng(SEED)
    g = np.arange(N) % 20
    h = (np.arange(N) * 7) % 9
    x, z = rng.normal(size=(2, N)).round(4)
    p = np.exp(rng.normal(1.0, 0.5, N)).round(4)
    f, k = rng.integers(0, 3, N), rng.integers(1, 5, N)
    b = rng.random(N) < 0.45
    o = rng.integers(0, 3, N)
    intercept, slope = rng.multivariate_normal([0, 0], [[1.0, 0.25], [0.25, 0.5]], 20).T
    wide = rng.normal(size=(20, 3)) * 0.8
    crossed = rng.normal(0, 0.7, 9)
    eta = 0.6 * x + 0.3 * x * (f == 1) - 0.4 * b + 0.2 * k + 0.5 * np.log(p) + 0.3 * z**2
    y = (10 + eta + intercept[g] + slope[g] * x + wide[g, f] + crossed[h] + rng.normal(0, 1, N)).round(4)
    n = rng.integers(3, 9, N)
    chance = 1 / (1 + np.exp(-(-0.4 + 0.5 * x - 0.4 * b + 0.7 * intercept[g] + 0.5 * slope[g] * x + crossed[h])))
    s = rng.binomial(n, chance)
    return {
        "y": y.tolist(),
        "x": x.tolist(),
        "z": z.tolist(),
        "p": p.tolist(),
        "k": k.tolist(),
        "f": [("ant", "bee", "cow")[i] for i in f],
        "o": [("high", "low", "mid")[i] for i in o],
        "b": ["TRUE" if one else "FALSE" for one in b],
        "g": [f"g{i:02d}" for i in g],
        "h": (h + 1).tolist(),
        "s": s.tolist(),
        "n": n.tolist(),
        "d": rng.binomial(1, chance).tolist(),
        "w": rng.uniform(0.5, 2, N).round(3).tolist(),
        "const": [1] * N,
        "one": ["same"] * N,
        "m": ["" if rng.random() < 0.08 else round(float(v), 4) for v in x + rng.normal(size=N)],
    }


LINEAR = """
y ~ 1 + (1 | g)
y ~ x + (1 | g)
y ~ x + z + (1 | g)
y ~ 0 + x + (1 | g)
y ~ x - 1 + (1 | g)
y ~ -1 + f + (1 | g)
y ~ f + (1 | g)
y ~ 0 + f + x + (1 | g)
y ~ f * x + (1 | g)
y ~ f + x:f + (1 | g)
y ~ x + x:f + (1 | g)
y ~ x:f + (1 | g)
y ~ f:x + z + (1 | g)
y ~ f * o + (1 | g)
y ~ f:o + (1 | g)
y ~ f + f:o + (1 | g)
y ~ f / x + (1 | g)
y ~ f / o + (1 | g)
y ~ (x + z + f)^2 + (1 | g)
y ~ x * z * f + (1 | g)
y ~ x * z - x:z + (1 | g)
y ~ f * x - x + (1 | g)
y ~ b + (1 | g)
y ~ 0 + b + (1 | g)
y ~ b:x + (1 | g)
y ~ x + b:x + (1 | g)
y ~ b * x + (1 | g)
y ~ b * f + (1 | g)
y ~ b:f + (1 | g)
y ~ x:b + z + (1 | g)
y ~ I(x > 0) + (1 | g)
y ~ 0 + I(x > 0) + (1 | g)
y ~ z:I(x > 0) + (1 | g)
y ~ I(f == "bee") + x + (1 | g)
y ~ I(b * x) + (1 | g)
y ~ as.numeric(b) + (1 | g)
y ~ as.numeric(b):x + (1 | g)
y ~ as.factor(k) + (1 | g)
y ~ factor(k) + x + (1 | g)
y ~ factor(k) * x + (1 | g)
y ~ 0 + factor(k) + (1 | g)
y ~ factor(k):b + (1 | g)
y ~ k + (1 | g)
y ~ C(f, sum) + (1 | g)
y ~ C(f, contr.sum) + x + (1 | g)
y ~ C(f, contr.sum) * C(o, contr.sum) + (1 | g)
y ~ C(f, contr.helmert) + (1 | g)
y ~ C(f, contr.helmert) * x + (1 | g)
y ~ C(f, contr.poly) + (1 | g)
y ~ x:C(f, contr.sum) + (1 | g)
y ~ C(factor(k), contr.poly) + (1 | g)
y ~ C(factor(k), contr.sum) + z + (1 | g)
y ~ relevel(factor(f), ref = "cow") + (1 | g)
y ~ relevel(factor(f), ref = "bee") * x + (1 | g)
y ~ relevel(factor(k), ref = "3") + (1 | g)
y ~ scale(x) + (1 | g)
y ~ scale(x) * f + (1 | g)
y ~ scale(x, scale = FALSE) + (1 | g)
y ~ scale(p, center = FALSE, scale = FALSE) + (1 | g)
y ~ scale(log(p)) + scale(z) + (1 | g)
y ~ scale(m) + (1 | g)
y ~ I(x - mean(x)) + (1 | g)
y ~ I((p - mean(p)) / sd(p)) + (1 | g)
y ~ I(p - median(p)) + (1 | g)
y ~ I(p - min(p)) + (1 | g)
y ~ poly(x, 2) + (1 | g)
y ~ poly(x, 3) + f + (1 | g)
y ~ poly(x, 2, raw = TRUE) + (1 | g)
y ~ poly(z, 2) * b + (1 | g)
y ~ poly(p, 4) + (1 | g)
y ~ splines::bs(x, df = 4) + (1 | g)
y ~ splines::bs(x, df = 5) + z + (1 | g)
y ~ splines::bs(p, knots = c(2, 4)) + (1 | g)
y ~ splines::bs(x, df = 4, degree = 2) + (1 | g)
y ~ splines::bs(x) + (1 | g)
y ~ splines::ns(x, df = 3) + (1 | g)
y ~ splines::ns(p, df = 4) + f + (1 | g)
y ~ splines::ns(x, knots = c(-0.5, 0.5)) + (1 | g)
y ~ splines::ns(x, df = 2):b + (1 | g)
y ~ log(p) + (1 | g)
y ~ log2(p) + log10(p) + (1 | g)
y ~ log1p(p) + (1 | g)
y ~ sqrt(p) + (1 | g)
y ~ exp(x) + (1 | g)
y ~ abs(x) + (1 | g)
y ~ sin(x) + cos(x) + (1 | g)
y ~ I(x^2) + (1 | g)
y ~ x + I(x^2) + (1 | g)
y ~ I(x^2) * z + (1 | g)
y ~ I(x * z) + (1 | g)
y ~ I(x / p) + (1 | g)
y ~ I(2 * x + 1) + (1 | g)
y ~ pmin(x, 0) + pmax(x, 0) + (1 | g)
y ~ ifelse(x > 0, x, 0) + (1 | g)
log(p) ~ x + (1 | g)
sqrt(p) ~ x + f + (1 | g)
I(y / 2) ~ x + (1 | g)
y ~ x + offset(log(p)) + (1 | g)
y ~ x + offset(0.5 * z) + (1 | g)
y ~ offset(x) + f + (1 | g)
y ~ offset(x) + offset(z) + b + (1 | g)
y ~ x + (x | g)
y ~ x + (1 + x | g)
y ~ x + (0 + x | g)
y ~ x + (x - 1 | g)
y ~ x + (1 | g) + (0 + x | g)
y ~ x + (1 + x || g)
y ~ x + (x || g)
y ~ f + (f | g)
y ~ f + (0 + f | g)
y ~ f + (f || g) @@ singular
y ~ b + (b | g)
y ~ b + (0 + b | g)
y ~ b * x + (b | g)
y ~ x + (I(x^2) | g)
y ~ x + (scale(x) | g)
y ~ x + (poly(x, 2) | g)
y ~ x + (I(x > 0) | g)
y ~ x + (1 | g) + (1 | h)
y ~ x + (x | g) + (1 | h)
y ~ x + (1 | h/g)
y ~ x + (1 | g:h) + (1 | h)
y ~ f + (1 | g) + (1 | f:g)
y ~ x + (1 | f:g)
y ~ x + (x | h)
y ~ x * b + (x | g) + (1 | h)
y ~ m + (1 | g)
y ~ m * f + (1 | g)
y ~ x + m + (m | g)
"""

MAXIMUM_LIKELIHOOD = """
y ~ x + (1 | g)
y ~ f * x + (x | g)
y ~ b + (b | g)
y ~ poly(x, 2) + (1 | g) + (1 | h)
y ~ x + offset(z) + (1 | g)
"""

WEIGHTED = """
y ~ x + (1 | g)
y ~ f * b + (1 | g)
y ~ scale(x) + (x | g)
"""

BINOMIAL = """
d ~ 1 + (1 | g)
d ~ x + (1 | g)
d ~ f + x + (1 | g)
d ~ b + (1 | g)
d ~ b:x + (1 | g)
d ~ scale(x) + (1 | g)
d ~ poly(x, 2) + (1 | g)
d ~ factor(k) + (1 | g)
d ~ x + (1 | g) + (1 | h)
cbind(s, n - s) ~ x + (1 | g)
cbind(s, n - s) ~ b * x + (1 | g)
cbind(s, n - s) ~ x + (x | g)
cbind(s, n - s) ~ 0 + f + (1 | h)
cbind(s, n - s) ~ splines::ns(x, df = 2) + (1 | g)
I(s / n > 0.5) ~ x + (1 | g)
"""

REFUSED = {
    "y ~ x": "no random term",
    "y ~ one + (1 | g)": "one level",
    "y ~ x + (1 | one)": "has 1 level",
    "y ~ x + (const | g)": "does not vary",
    "f ~ x + (1 | g)": "is text",
    "y ~ nothing + (1 | g)": "no column 'nothing'",
    "y ~ x + (1 | nothing)": "no column 'nothing'",
    "y ~ X + (1 | g)": "no column 'X'",
    "y ~ . + (1 | g)": "all other columns",
    "const ~ x + (1 | g)": "is constant",
    "I(2 * x + 1) ~ x + (1 | g)": "exactly",
    "y ~ log(x) + (1 | g)": "non-finite",
    "y ~ cut(x, 3) + (1 | g)": "add the classes to the data",
    "y ~ s(x) + (1 | g)": "ns\\(x",
    "y ~ ordered(f) + (1 | g)": "C\\(x, Poly\\)",
    "y ~ x + (1 | g": "not closed",
    "y ~ x + (x | g | h)": "More than one bar",
    "y ~ x + 1 | g": "brackets of their own",
    "y ~ x + ar1(0 + x | g)": "not a structure",
    "y ~ x + (1 | g) + (1 + x | g)": "named twice",
    "y ~ C(f, Weird) + (1 | g)": "not known",
    "y ~ poly(x, 0) + (1 | g)": "whole number",
    "y ~ poly(k, 6) + (1 | g)": "distinct values",
    "y ~ bs(x, knots = c(99)) + (1 | g)": "inside the range",
    "y ~ x:offset(z) + (1 | g)": "part of an interaction",
    "y ~ f + x + (1 | g + h)": "cannot be read",
    "y + x + (1 | g)": "no outcome",
}


def cases() -> list[dict]:
    """What is fitted: id, model, formula, and how."""
    found = []
    kinds = [
        ("linear", LINEAR, {}),
        ("linear", MAXIMUM_LIKELIHOOD, {"reml": False}),
        ("linear", WEIGHTED, {"weights": "w"}),
    ]
    for model, text, how in [*kinds, ("binomial", BINOMIAL, {})]:
        for line in filter(None, text.splitlines()):
            formula, _, expect = line.partition("@@")
            found.append({"model": model, "formula": formula.strip(), "expect": expect.strip(), **how})
    return [{"id": i, **case} for i, case in enumerate(found)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    columns = rows()
    with (folder / "formulas_data.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    (folder / "formulas.json").write_text(json.dumps(cases(), indent=0) + "\n")
    print(len(cases()), "fits and", len(REFUSED), "refusals")
