"""Ratings and dropout in one model that share the effects of clients and therapists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from outcomes.errors import FitRefused, UsageError
from outcomes.links import link_named
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design
from outcomes.mixed.joint.laplace import LOADINGS, JointDeviance
from outcomes.mixed.joint.rows import JointRows, join_rows
from outcomes.mixed.layout import JointLayout
from outcomes.mixed.optimise import OptSummary, informed_inverse, minimise
from outcomes.mixed.results.status import FitStatus

ZERO_SD = 1e-3
"""Standard deviation relative to the residual's below which a shared effect counts as zero: nothing is left to be
associated with dropout then."""

_START = {"s_u": 0.5, "s_w": 0.1, "lambda_u": 0.0, "s_v": 0.2, "s_s": 0.05, "lambda_v": 0.0, "tau": 0.3}
"""Start of the loadings; the outcome is standardised."""

_HESSIAN_STEP = 1e-4

MAX_THERAPISTS = 1_500
"""Their effects are one dense system of three unknowns each: above this it takes gigabytes."""


@dataclass(frozen=True)
class SharedParameterFit:
    """A fitted shared-parameter model; look at `status` before the estimates.

    Attributes
    ----------
    names, beta, vcov : tuple of str (p,), ndarray (p,), ndarray (p, p)
        Fixed effects of the ratings, in the outcome's units.
    hazard_names, gamma, hazard_vcov : tuple of str (g,), ndarray (g,), ndarray (g, g)
        Fixed effects of the hazard, on the link's scale.
    association : pl.DataFrame
        One row a shared effect: group, estimate (change of the hazard's linear predictor per unit of the effect on the
        rating), std_error; both missing where the effect's variance is zero.
    standard_deviations : dict of str to float
        By group: intercepts and slopes of the ratings, and the hazard's own effects.
    sigma : float
        Residual standard deviation.
    log_likelihood : float
        Laplace's approximation, all constants included.
    nobs, n_events : int
        Ratings; rows of the risk set that end in the event.
    n_groups : dict of str to int
    status : FitStatus
    messages : tuple of str
    optimizer : OptSummary
    """

    names: tuple[str, ...]
    beta: np.ndarray
    vcov: np.ndarray
    hazard_names: tuple[str, ...]
    gamma: np.ndarray
    hazard_vcov: np.ndarray
    association: pl.DataFrame
    standard_deviations: dict[str, float]
    sigma: float
    log_likelihood: float
    nobs: int
    n_events: int
    n_groups: dict[str, int]
    status: FitStatus
    messages: tuple[str, ...]
    optimizer: OptSummary

    def conf_int(self, level: float = 0.95) -> np.ndarray:
        """Wald intervals of `beta`, shape (p, 2), by the normal distribution."""
        half = stats.norm.ppf((1 + level) / 2) * np.sqrt(np.diag(self.vcov))
        return np.column_stack([self.beta - half, self.beta + half])


def fit_shared_parameter(
    ratings_formula: str,
    hazard_formula: str,
    ratings: Any,
    risk_set: Any,
    *,
    link: str = "logit",
    associated: tuple[str, ...] | None = None,
) -> SharedParameterFit:
    """Fit ratings y and time of dropout T given shared effects b: f(y | b) f(T | b) f(b), by Laplace's approximation.

    Given the effects, a rating that is missing because the client left is missing at random, so the model corrects what
    follows from leaving being a matter of the client's (or therapist's) level of the rating. That the effects carry
    all of the dependence cannot be tested with the data: it is one reading of the missing ratings among several.

    Parameters
    ----------
    ratings_formula : str
        Linear part in lme4's syntax with ``(1 | client)`` first and optionally ``(0 + x | client)``,
        ``(1 | therapist)``, ``(0 + x | therapist)``; effects are independent, slopes are of one column.
    hazard_formula : str
        Fixed part of the hazard, e.g. ``is_dropout ~ session_1 + log_session``; with ``+ (1 | therapist)`` therapists
        also have an effect on dropout that has nothing to do with the ratings.
    ratings : relation, frame or table
        One row a rating; incomplete rows are left out.
    risk_set : relation, frame or table
        One row a session after which the client could leave, with 0 or 1 and the same grouping columns.
    link : str
        A name of `outcomes.links.LINKS`.
    associated : tuple of str, optional
        Groups whose effects are shared; all where not given. With none, the model is the product of two unrelated ones.

    Raises
    ------
    FormulaError, UsageError
        Formulas that cannot be read or are not of this form.
    FitRefused
        Data that cannot inform the model, or more than `MAX_THERAPISTS` therapists.

    Notes
    -----
    Wu & Carroll 1988, doi 10.2307/2531905; Follmann & Wu 1995, doi 10.2307/2533322. Maximum likelihood; standard errors
    by the observed information in all parameters (differences of the exact gradient).
    """
    chosen = link_named(link)
    ratings_design = build_design(ratings_formula, ratings)
    groups = _groups(ratings_design)
    own = {":".join(term.group) for term in parse_formula(hazard_formula).random}
    if own - set(groups[1:]):
        raise UsageError("Only therapists can have an effect of their own on the hazard.", "leave other brackets out")
    complete = hazard_formula + "".join(f" + (1 | {group})" for group in groups if group not in own)
    hazard_design = build_design(complete, risk_set)
    associated = groups if associated is None else associated
    if set(associated) - set(groups):
        raise UsageError(f"The ratings have no effects of {', '.join(set(associated) - set(groups))}.")
    rows = join_rows(
        ratings_design, materialise(ratings_design), hazard_design, materialise(hazard_design), groups, chosen
    )
    if rows.cells.n_therapists > MAX_THERAPISTS:
        raise FitRefused(
            f"The joint model takes at most {MAX_THERAPISTS:,} therapists; there are {rows.cells.n_therapists:,}.",
            "fit practices apart",
        )
    free = _free(ratings_design, groups, bool(own), associated)
    deviance = JointDeviance(rows, chosen, free)
    start, curvature = _start(rows, chosen.start, free)
    story = minimise(deviance, start, curvature=curvature, hessian_step=_HESSIAN_STEP)
    if not np.isfinite(story.value):
        raise FitRefused("The joint likelihood could not be evaluated.", "look for extreme values in the columns")
    return _wrap(rows, groups, deviance.layout, story)


def _groups(design: Design) -> tuple[str, ...]:
    """Client's and therapist's columns: the first grouping factor and the second."""
    if any(len(block.columns) > 1 for block in design.random):
        raise UsageError("The joint model takes intercepts and slopes as independent.", "write (1 | g) + (0 + x | g)")
    intercepts = {block.group for block in design.random if block.columns == (INTERCEPT_NAME,)}
    if any(len(group) > 1 for group in design.groups) or len(design.groups) > 2 or intercepts != set(design.groups):
        raise UsageError(
            "The joint model needs an intercept by client and takes one more grouping factor.",
            "write ... + (1 | client_id) + (1 | therapist_id)",
        )
    return tuple(group[0] for group in design.groups)


def _free(design: Design, groups: tuple[str, ...], has_own: bool, associated: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the loadings that are estimated."""
    sloped = {block.group[0] for block in design.random if block.columns != (INTERCEPT_NAME,)}
    wanted = {"tau"} if has_own else set()
    for group, (intercept, slope, shared) in zip(
        groups, (("s_u", "s_w", "lambda_u"), ("s_v", "s_s", "lambda_v")), strict=False
    ):
        wanted |= {intercept} | ({slope} if group in sloped else set()) | ({shared} if group in associated else set())
    return tuple(name for name in LOADINGS if name in wanted)


def _start(rows: JointRows, to_predictor: Any, free: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Start and rough curvature of the deviance: regressions without effects, loadings of ordinary size."""
    sums, hazard, cells = rows.ratings, rows.hazard, rows.cells
    beta = np.linalg.solve(sums.gram, sums.cross)
    rss = sums.square - beta @ sums.cross
    share = hazard.events.mean()
    gamma = np.linalg.lstsq(hazard.W, np.full(len(share_rows := hazard.events), to_predictor(share)), rcond=None)[0]
    sigma = np.sqrt(max(rss, 1e-12) / sums.n_rows) * 0.8
    levels = {name: cells.n_clients if name in LOADINGS[:3] else cells.n_therapists for name in free}
    information = share * (1 - share)
    sizes = {"lambda_u": information * len(share_rows), "lambda_v": information * len(share_rows)}
    curvature = np.concatenate(
        [
            np.diag(sums.gram) / sigma**2,
            2 * information * np.einsum("ij,ij->j", hazard.W, hazard.W),
            [4.0 * sums.n_rows],
            [sizes.get(name, 4.0 * levels[name]) for name in free],
        ]
    )
    return np.concatenate([beta, gamma, [np.log(sigma)], [_START[name] for name in free]]), np.maximum(curvature, 1.0)


def _wrap(rows: JointRows, groups: tuple[str, ...], layout: JointLayout, story: OptSummary) -> SharedParameterFit:
    """Estimates on the formulas' columns."""
    free, (of_beta, of_gamma, of_sigma, of_loadings) = layout.free, layout.parts
    psi, covariance = story.final, informed_inverse(story.hessian / 2)
    sigma = float(np.exp(psi[of_sigma].item()))
    loading = dict(zip(free, psi[of_loadings], strict=True))
    scale = {"s_u": rows.y_scale, "s_v": rows.y_scale, "tau": 1.0}
    scale |= dict.fromkeys(("s_w", "s_s"), rows.y_scale / rows.x_scale)
    words = {"s_u": "{0}", "s_w": "{0} slope", "s_v": "{1}", "s_s": "{1} slope", "tau": "{1} on the hazard"}
    names = (*groups, "")
    messages, associations = [], []
    for group, intercept, shared in zip(groups, ("s_u", "s_v"), ("lambda_u", "lambda_v"), strict=False):
        if shared not in free:
            continue
        if abs(loading[intercept]) < ZERO_SD * sigma:
            messages.append(f"The variance of {group} in the ratings is zero: nothing that dropout could depend on.")
            associations.append((group, None, None))
            continue
        ratio = loading[shared] / loading[intercept]
        slope = np.zeros(len(psi))
        slope[layout.at(shared)], slope[layout.at(intercept)] = 1 / loading[intercept], -ratio / loading[intercept]
        error = float(np.sqrt(slope @ covariance @ slope))
        associations.append((group, float(ratio) / rows.y_scale, error / rows.y_scale))
    back, hazard_back = rows.ratings_part.back * rows.y_scale, rows.hazard_part.back
    beta = back @ psi[of_beta]
    if rows.y_center:
        beta[rows.ratings_part.names.index(INTERCEPT_NAME)] += rows.y_center
    dropped = rows.ratings_part.dropped + rows.hazard_part.dropped
    if dropped:
        messages.append(f"Left out as combinations of the other columns: {', '.join(dropped)}.")
    status = FitStatus.SINGULAR if any(row[1] is None for row in associations) else FitStatus.CONVERGED
    if not story.is_converged:
        status = FitStatus.NOT_CONVERGED
        messages.append(f"The optimiser did not settle ({story.message}): do not interpret the estimates.")
    return SharedParameterFit(
        names=rows.ratings_part.names,
        beta=beta,
        vcov=back @ covariance[of_beta, of_beta] @ back.T,
        hazard_names=rows.hazard_part.names,
        gamma=hazard_back @ psi[of_gamma],
        hazard_vcov=hazard_back @ covariance[of_gamma, of_gamma] @ hazard_back.T,
        association=pl.DataFrame(
            associations, schema={"group": pl.String, "estimate": pl.Float64, "std_error": pl.Float64}, orient="row"
        ),
        standard_deviations={
            words[name].format(*names): abs(float(loading[name])) * scale[name] for name in free if name in words
        },
        sigma=sigma * rows.y_scale,
        log_likelihood=-story.value / 2 - rows.ratings.n_rows * float(np.log(rows.y_scale)),
        nobs=rows.ratings.n_rows,
        n_events=int(rows.hazard.events.sum()),
        n_groups=dict(zip(groups, (rows.cells.n_clients, rows.cells.n_therapists), strict=False)),
        status=status,
        messages=tuple(messages),
        optimizer=story,
    )
