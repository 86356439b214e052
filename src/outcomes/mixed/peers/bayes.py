"""statsmodels' BinomialBayesMixedGLM behind the binomial result class: an approximate posterior, labelled as such."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
from scipy import sparse

from outcomes.errors import FitRefused
from outcomes.links import Link, link_named
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.columns import fixed_columns
from outcomes.mixed.design.materialise import ModelRows, materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.peers.cluster_robust import refuse_separated
from outcomes.mixed.results.modes import Modes, StoredModes, VarianceBlock
from outcomes.mixed.results.status import FitStatus

ONLY_LINK = link_named("logit")

PRIOR_LOG_SD, PRIOR_BETA = 2.0, 10.0
"""Prior standard deviations of log SDs and of the effects of standardised columns: weak."""


def fit_binomial_bayes(formula: str, data: Any, *, link: Link, weights: str | None = None) -> BinomialFit:
    """Fit BinomialBayesMixedGLM by variational Bayes: posterior means, not maximum likelihood.

    `bse` are posterior standard deviations (mean-field, too small where effects are correlated); there is no
    likelihood, so `llf`, `criterion`, `aic` and `bic` are NaN. Independent random effects and the logit link only.

    Raises
    ------
    FitRefused
        Another link, trials, or correlated random effects.
    """
    if link is not ONLY_LINK:
        raise FitRefused(f"statsmodels' BinomialBayesMixedGLM has the {ONLY_LINK} link only.", "use engine='outcomes'")
    if weights is not None:
        raise FitRefused("statsmodels' BinomialBayesMixedGLM takes single trials only.", "use engine='outcomes'")
    began = time.perf_counter()
    design = build_design(formula, data)
    if design.offset:
        raise FitRefused("statsmodels' BinomialBayesMixedGLM takes no offset.", "use engine='outcomes'")
    rows = materialise(design)
    events, trials, _ = link.events(rows.y, rows.weights)
    if any(len(block.columns) > 1 for block in design.random) or trials is not None:
        raise FitRefused(
            "statsmodels' BinomialBayesMixedGLM has uncorrelated random effects of single trials only.",
            "write `||`, or use engine='outcomes'",
        )
    X, fixed = fixed_columns(design, rows.X)
    names, back = fixed.names, fixed.back
    refuse_separated(events, None, X, names, link)
    read = time.perf_counter()
    pieces, ident = [], []
    for i, (block, Z) in enumerate(zip(design.random, rows.Z, strict=True)):
        levels = rows.groups[block.group]
        n = len(events)
        pieces.append(sparse.csr_matrix((Z[:, 0], (np.arange(n), levels.codes)), shape=(n, levels.n_levels)))
        ident += [i] * levels.n_levels
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM  # half a second, for those who ask

    model = BinomialBayesMixedGLM(
        events, X, sparse.hstack(pieces).tocsr(), np.array(ident), vcp_p=PRIOR_LOG_SD, fe_p=PRIOR_BETA
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model.fit_vb(mean=_vb_start(model), minim_opts={"maxiter": 2000})
    converged = not any("converge" in str(w.message).lower() for w in caught)
    p = len(names)
    variances = [
        VarianceBlock(block.group_name, block.columns, np.array([[float(np.exp(2 * m))]]))
        for block, m in zip(design.random, found.vcp_mean, strict=True)
    ]
    label = "Posterior means by variational Bayes (statsmodels), not maximum likelihood; standard errors are too small."
    failed = () if converged else ("statsmodels did not converge: do not interpret the estimates.",)
    return BinomialFit(
        formula=design.formula.source,
        names=names,
        beta=back @ found.fe_mean,
        vcov=back @ np.diag(found.fe_sd**2) @ back.T,
        variances=tuple(variances),
        theta=np.exp(found.vcp_mean),
        criterion=np.nan,
        llf=np.nan,
        n_parameters=p + len(design.random),
        nobs=len(events),
        n_missing=rows.survey.n_missing,
        n_groups={":".join(group): levels.n_levels for group, levels in rows.groups.items()},
        dropped_columns=fixed.dropped,
        status=FitStatus.CONVERGED if converged else FitStatus.NOT_CONVERGED,
        messages=(label, *failed),
        optimizer=None,
        timings={"read": read - began, "fit": time.perf_counter() - read},
        engine="statsmodels",
        conditional=_bayes_modes(design, rows, found),
        link=link,
        nagq=1,
        trials=None,
        state=None,
    )


def _vb_start(model: Any) -> np.ndarray:
    """Posterior means to start from: zero effects and log standard deviations of log(1/2)."""
    return np.concatenate([np.zeros(model.k_fep), np.full(model.k_vcp, np.log(0.5)), np.zeros(model.k_vc)])


def _bayes_modes(design: Design, rows: ModelRows, found: Any) -> StoredModes:
    """Posterior means of the random effects by group."""
    out: dict[str, Modes] = {}
    at = 0
    for block in design.random:
        levels = rows.groups[block.group]
        part = slice(at, at + levels.n_levels)
        mode, cov = found.vc_mean[part, None], (found.vc_sd[part] ** 2)[:, None, None]
        at += levels.n_levels
        name = block.group_name
        if name in out:  # uncorrelated effects of one group, side by side
            before = out[name]
            k = len(before.names)
            joint = np.zeros((levels.n_levels, k + 1, k + 1))
            joint[:, :k, :k], joint[:, k, k] = before.cond_cov, cov[:, 0, 0]
            out[name] = Modes(before.labels, (*before.names, *block.columns), np.hstack([before.mode, mode]), joint)
        else:
            out[name] = Modes(levels.labels.alias(name), block.columns, mode, cov)
    return StoredModes(out)
