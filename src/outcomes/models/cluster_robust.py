"""The second look at a hazard: an ordinary GLM whose standard errors allow for any likeness within therapists."""

from __future__ import annotations

import duckdb
import numpy as np
import statsmodels.api as sm

from outcomes.mixed.design import build_design
from outcomes.mixed.materialise import materialise
from outcomes.models.specs import grouping_columns
from outcomes.models.state import Estimates, ModelStatus
from outcomes.study.settings import ModelSpec

_LINKS = {"logit": sm.families.links.Logit, "cloglog": sm.families.links.CLogLog}


def fit_cluster_robust(con: duckdb.DuckDBPyConnection, spec: ModelSpec) -> Estimates:
    """Fit the fixed part of a hazard by maximum likelihood, with sandwich errors by cluster.

    Clusters are therapists where the model groups by them, else its last grouping factor (Liang & Zeger 1986, doi
    10.1093/biomet/73.1.13). Therapist effects are averaged over, so effects are slightly nearer to zero than those of
    the mixed model.
    """
    design = build_design(spec.formula, con.table(spec.population))
    rows = materialise(design)
    groups = grouping_columns(spec)
    cluster = "therapist_id" if "therapist_id" in groups else groups[-1]
    codes = next(levels.codes for group, levels in rows.groups.items() if cluster in group)
    model = sm.GLM(rows.y, rows.X, family=sm.families.Binomial(_LINKS[spec.link]()))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": codes})
    interval = fitted.conf_int()
    return Estimates(
        "cluster_robust",
        design.fixed,
        fitted.params,
        fitted.bse,
        np.full(len(fitted.params), np.inf),
        fitted.pvalues,
        interval[:, 0],
        interval[:, 1],
        ModelStatus.CONVERGED if fitted.converged else ModelStatus.NOT_CONVERGED,
    )
