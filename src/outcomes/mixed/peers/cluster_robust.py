"""GLM without random effects, with cluster-robust standard errors (statsmodels)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from outcomes.errors import FitRefused
from outcomes.links import Link, link_named
from outcomes.mixed.design.columns import fixed_columns
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.laplace import Model
from outcomes.mixed.generalised.rows import find_cells, sorted_rows
from outcomes.mixed.generalised.starts import fit_glm
from outcomes.mixed.results.fit import MixedFit
from outcomes.mixed.results.modes import NO_MODES
from outcomes.mixed.results.status import FitStatus


@dataclass(frozen=True, repr=False)
class ClusterRobustFit(MixedFit):
    """A population-averaged fit: no random effects, errors that allow for dependence within clusters.

    Parameters
    ----------
    link : Link
    cluster : str
        The column whose levels are the clusters.
    """

    link: Link
    cluster: str

    statistic_name = "t"
    model_name = "Generalised linear model with cluster-robust standard errors"

    @cached_property
    def df_denom(self) -> pd.Series:
        """Clusters less one (Cameron & Miller 2015, doi 10.3368/jhr.50.2.317), for each fixed effect."""
        return pd.Series(self.n_groups[self.cluster] - 1.0, index=list(self.names), name="df_denom")


def fit_cluster_robust(
    formula: str, data: Any, cluster: str, link: str = "logit", weights: str | None = None
) -> ClusterRobustFit:
    """Fit a binomial GLM with statsmodels and cluster-robust standard errors.

    Parameters
    ----------
    formula : str
        As for `fit_binomial`; random terms are left out (their columns still decide which rows are complete).
    data : relation, frame or table
    cluster : str
        Column of the clusters, e.g. the therapists.
    link : str
        A name of `outcomes.links.LINKS`.
    weights : str, optional
        Column with the number of trials.

    Returns
    -------
    ClusterRobustFit
        With t quantiles on clusters less one degrees of freedom; the sandwich has statsmodels' small-sample factor.

    Raises
    ------
    FitRefused
        Fewer than two clusters, complete separation, or an outcome without variation.
    """
    chosen = link_named(link)
    parsed = parse_formula(formula)
    design = build_design(f"{formula} + (1 | {cluster})", data, weights)
    if design.offset:
        raise FitRefused("fit_cluster_robust takes no offset.", "use fit_binomial, which does")
    rows = materialise(design)
    clusters = rows.groups[(cluster,)]
    if clusters.n_levels < 2:
        raise FitRefused(f"The column {cluster} has fewer than two levels among the complete rows.")
    events, trials, _ = chosen.events(rows.y, rows.weights)
    X, fixed = fixed_columns(design, rows.X)
    names, back = fixed.names, fixed.back
    start = refuse_separated(events, trials, X, names, chosen)
    found, is_converged = _fitted(events, trials, X, start, clusters.codes, chosen)
    return ClusterRobustFit(
        formula=parsed.source,
        names=names,
        beta=back @ found.params,
        vcov=back @ found.cov_params() @ back.T,
        variances=(),
        theta=np.empty(0),
        criterion=-2 * float(found.llf),
        llf=float(found.llf),
        n_parameters=len(names),
        nobs=len(events),
        n_missing=rows.survey.n_missing,
        n_groups={cluster: clusters.n_levels},
        dropped_columns=fixed.dropped,
        status=FitStatus.CONVERGED if is_converged else FitStatus.NOT_CONVERGED,
        messages=(f"No random effects; errors allow for dependence within levels of {cluster}.",),
        optimizer=None,
        timings={},
        engine="statsmodels",
        conditional=NO_MODES,
        link=chosen,
        cluster=cluster,
    )


def _fitted(
    events: np.ndarray, trials: np.ndarray | None, X: np.ndarray, start: np.ndarray, groups: np.ndarray, link: Link
) -> tuple[Any, bool]:
    """statsmodels' fit, and whether it converged with errors that exist."""
    # half a second, for those who ask
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM

    sandwich: dict[str, Any] = {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    if link.name == "logit" and trials is None:
        # Newton's steps: the same as reweighted least squares without five copies of the columns, and without a
        # division by variances, which vanish where a probability is 1.
        with np.errstate(over="ignore"):  # of exp(-x) far out, where 1 / (1 + exp(-x)) is 0 as it should be
            found = Logit(events, X).fit(start, method="newton", disp=False, **sandwich)
        is_converged = found.mle_retvals["converged"]
    else:
        total = np.ones_like(events) if trials is None else trials
        model = GLM(np.column_stack([events, total - events]), X, family=Binomial(link.statsmodels))
        found = model.fit(start, maxiter=100, tol=1e-12, **sandwich)
        is_converged = found.converged
    return found, bool(is_converged and np.isfinite(found.cov_params()).all())


def refuse_separated(
    events: np.ndarray, trials: np.ndarray | None, X: np.ndarray, names: tuple[str, ...], link: Link
) -> np.ndarray:
    """Raise FitRefused when a column separates the outcome, by the engine's own search; return where that ends."""
    cells = find_cells([np.zeros(len(events), dtype=np.int32)])
    rows = sorted_rows(X, events, trials, None, cells)
    model = Model(rows, Blocks((LevelFactor((1,), "", 1, np.array([0])),), cells.levels, 1), link)
    return fit_glm(model, names)[0]
