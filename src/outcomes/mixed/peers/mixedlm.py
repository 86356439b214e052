"""statsmodels' MixedLM as a second engine behind the same results.

It needs the rows in memory and fits a part of the models only; what it cannot fit it refuses in words. Its
convergence flags become a state; its warnings do not reach the caller.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from outcomes.errors import FitRefused
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design, RandomBlock
from outcomes.mixed.design.columns import fixed_columns
from outcomes.mixed.design.materialise import ModelRows, materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.results.modes import Modes, StoredModes, VarianceBlock
from outcomes.mixed.results.status import FitStatus

if TYPE_CHECKING:
    import statsmodels.api as sm
    from statsmodels.regression.mixed_linear_model import VCSpec

SINGULAR_VARIANCE = 1e-6
"""A variance below this share of the residual variance counts as zero: statsmodels stops near the boundary, not on
it."""

MAX_LEVELS = 1_000
"""Most levels in one connected component: MixedLM is dense in them."""

METHODS = ("bfgs", "lbfgs", "cg")
"""Optimisers to try: MixedLM may call itself converged well above the optimum, so the best of them is kept."""


def fit_linear_statsmodels(formula: str, data: Any, *, reml: bool = True, weights: str | None = None) -> LinearFit:
    """Fit a linear mixed model by statsmodels' MixedLM.

    One bracket with slopes on the outermost grouping factor, and random intercepts of factors within it (or crossed,
    as long as all of it stays small). `df_denom` is infinite: MixedLM has normal theory only; its standard errors
    come from another information matrix and differ from lme4's by up to some percent in small samples.

    Raises
    ------
    FitRefused
        Weights, uncorrelated slopes, slopes of an inner factor, or too many connected levels.
    """
    if weights is not None:
        raise FitRefused("statsmodels' MixedLM takes no weights.", "use engine='outcomes'")
    began = time.perf_counter()
    design = build_design(formula, data)
    rows = materialise(design)
    X, fixed = fixed_columns(design, rows.X)
    names, back = fixed.names, fixed.back
    component, outer, inner = _arrange(design, rows)
    read = time.perf_counter()
    Z, scale = None, np.empty(0)
    if outer is not None:
        Z = rows.Z[design.random.index(outer)]
        scale = np.sqrt((Z**2).mean(axis=0))
        Z = Z / scale
    spec = _variance_components(inner, rows, component) if inner else None
    import statsmodels.api as sm  # half a second, for those who ask

    found = _best(sm.MixedLM(rows.y, X, component, exog_re=Z, exog_vc=spec), reml)
    sigma2, p = float(found.scale), len(names)
    variances = []
    if outer is not None:
        cov = np.asarray(found.cov_re) / np.outer(scale, scale)
        variances.append(VarianceBlock(outer.group_name, outer.columns, cov))
    for block, value in zip(inner, np.atleast_1d(found.vcomp), strict=True):
        variances.append(VarianceBlock(block.group_name, block.columns, np.array([[float(value)]])))
    # MixedLM saw standardised columns: their scale is in log|X'V^-1 X|
    llf = float(found.llf) + (np.linalg.slogdet(back)[1] if reml else 0.0)
    status, messages = _state(bool(found.converged), variances, sigma2)
    order = [block.group_name for block in design.random]
    return LinearFit(
        formula=design.formula.source,
        names=names,
        beta=back @ found.fe_params,
        vcov=back @ np.asarray(found.cov_params())[:p, :p] @ back.T,
        variances=tuple(sorted(variances, key=lambda v: order.index(v.group))),
        theta=np.concatenate([_relative_factor(v.cov, sigma2) for v in variances]),
        criterion=-2 * llf,
        llf=llf,
        n_parameters=p + sum(len(v.cov) * (len(v.cov) + 1) // 2 for v in variances) + 1,
        nobs=len(rows.y),
        n_missing=rows.survey.n_missing,
        n_groups={":".join(group): levels.n_levels for group, levels in rows.groups.items()},
        dropped_columns=fixed.dropped,
        status=status,
        messages=messages,
        optimizer=None,
        timings={"read": read - began, "fit": time.perf_counter() - read},
        engine="statsmodels",
        conditional=_linear_modes(found, outer, scale, inner, rows, component),
        sigma=float(np.sqrt(sigma2)),
        reml=reml,
    )


def _best(model: sm.MixedLM, reml: bool) -> Any:
    """The best of several optimisers, converged ones first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is in `.converged`
        tried = [model.fit(reml=reml, method=[method]) for method in METHODS]
    return max(tried, key=lambda result: (result.converged, result.llf))


def _arrange(design: Design, rows: ModelRows) -> tuple[np.ndarray, RandomBlock | None, list[RandomBlock]]:
    """Independent components of the rows, the bracket that varies over them, and the intercepts within them."""
    n = len(rows.y)
    offset, edges = 0, []
    for levels in rows.groups.values():
        edges.append(offset + levels.codes)
        offset += levels.n_levels
    graph = sparse.coo_array(
        (np.ones(n * len(edges)), (np.tile(np.arange(n), len(edges)), n + np.concatenate(edges))),
        shape=(n + offset, n + offset),
    )
    component = np.unique(connected_components(graph.tocsr(), directed=False)[1][:n], return_inverse=True)[1]
    outer: RandomBlock | None = None
    inner: list[RandomBlock] = []
    for block in design.random:
        if rows.groups[block.group].n_levels == component.max() + 1 and outer is None:
            outer = block
        elif block.columns == (INTERCEPT_NAME,) and (outer is None or block.group != outer.group):
            inner.append(block)
        else:
            raise FitRefused(
                f"statsmodels' MixedLM cannot fit ({', '.join(block.columns)} | {block.group_name}) in this model.",
                "use engine='outcomes'",
            )
    connected = np.zeros(component.max() + 1, dtype=int)
    for block in inner:
        pairs = np.unique(np.stack([component, rows.groups[block.group].codes]), axis=1)
        connected += np.bincount(pairs[0], minlength=connected.size)
    if connected.max() > MAX_LEVELS:
        raise FitRefused(
            f"The grouping factors connect {connected.max()} levels: statsmodels' dense MixedLM takes {MAX_LEVELS}.",
            "use engine='outcomes'",
        )
    return component, outer, inner


def _relative_factor(cov: np.ndarray, sigma2: float) -> np.ndarray:
    """Theta of one bracket: lower triangle of the relative covariance factor, by column."""
    k = len(cov)
    factor = np.linalg.cholesky(cov / sigma2 + 1e-14 * np.eye(k))
    return factor.T[np.triu_indices(k)]


def _variance_components(inner: list[RandomBlock], rows: ModelRows, component: np.ndarray) -> VCSpec:
    """Indicator columns of the inner factors' levels in each component."""
    from statsmodels.regression.mixed_linear_model import VCSpec

    members = [np.flatnonzero(component == c) for c in range(component.max() + 1)]
    names, columns, matrices = [], [], []
    for block in inner:
        codes = rows.groups[block.group].codes
        present = [np.unique(codes[at]) for at in members]
        names.append(block.group_name)
        columns.append([[str(level) for level in levels] for levels in present])
        matrices.append(
            [(codes[at][:, None] == levels).astype(float) for at, levels in zip(members, present, strict=True)]
        )
    return VCSpec(names, columns, matrices)


def _linear_modes(
    found: Any,
    outer: RandomBlock | None,
    scale: np.ndarray,
    inner: list[RandomBlock],
    rows: ModelRows,
    component: np.ndarray,
) -> StoredModes:
    """Modes from MixedLM's dictionaries, by component; the outer effects come first in each."""
    k = 0 if outer is None else len(outer.columns)
    effects, covariance = found.random_effects, found.random_effects_cov
    out: dict[str, Modes] = {}
    if outer is not None:
        levels = rows.groups[outer.group]
        of_level = np.empty(levels.n_levels, dtype=int)
        of_level[levels.codes] = component
        mode = np.stack([np.asarray(effects[c])[:k] for c in of_level]) / scale
        cond = np.stack([np.asarray(covariance[c])[:k, :k] for c in of_level]) / np.outer(scale, scale)
        out[outer.group_name] = Modes(levels.labels.alias(outer.group_name), outer.columns, mode, cond)
    at = dict.fromkeys(range(component.max() + 1), k)
    for block in inner:
        levels = rows.groups[block.group]
        mode, cond = np.zeros((levels.n_levels, 1)), np.zeros((levels.n_levels, 1, 1))
        for c in at:
            present = np.unique(levels.codes[component == c])
            places = at[c] + np.arange(len(present))
            mode[present, 0] = np.asarray(effects[c])[places]
            cond[present, 0, 0] = np.diag(np.asarray(covariance[c]))[places]
            at[c] += len(present)
        out[block.group_name] = Modes(levels.labels.alias(block.group_name), block.columns, mode, cond)
    return StoredModes(out)


def _state(converged: bool, variances: list[VarianceBlock], residual: float) -> tuple[FitStatus, tuple[str, ...]]:
    """State and sentences from statsmodels' flag and the variances relative to the residual's."""
    if not converged:
        return FitStatus.NOT_CONVERGED, ("statsmodels did not converge: do not interpret the estimates.",)
    zero = [v for v in variances if np.linalg.eigvalsh(v.cov)[0] < SINGULAR_VARIANCE * residual]
    sentences = tuple(f"Singular: a variance of {', '.join(v.names)} by {v.group} is estimated as zero." for v in zero)
    return (FitStatus.SINGULAR if zero else FitStatus.CONVERGED), sentences
