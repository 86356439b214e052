"""Ratings and dropout in one model that share the effects of clients and therapists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.links import link_named
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.materialise import materialise
from outcomes.mixed.design.population import build_design, open_population
from outcomes.mixed.joint.laplace import JointDeviance
from outcomes.mixed.joint.points import CURRENT, LOADINGS
from outcomes.mixed.joint.results import SharedParameterFit, Sharing
from outcomes.mixed.joint.rows import JointRows, join_rows
from outcomes.mixed.joint.wrap import wrap
from outcomes.mixed.layout import JointLayout
from outcomes.mixed.optimise import OptSummary, minimise

_START = {"s_u": 0.5, "s_w": 0.1, "s_v": 0.2, "s_s": 0.05, "tau": 0.3}
"""Start of the loadings, all others at 0; the outcome is standardised."""

_HESSIAN_STEP = 1e-6  # forward: standard errors change by 4e-6 of themselves
_NEAR_TOLERANCE = 1e-4  # of a search from another model's optimum: as near as BFGS comes, so that errors are the same


def fit_shared_parameter(
    ratings_formula: str,
    hazard_formula: str,
    ratings: Any,
    risk_set: Any,
    *,
    link: str = "logit",
    associated: tuple[str, ...] | None = None,
    sharing: Sharing = Sharing.INTERCEPT,
    start: SharedParameterFit | None = None,
) -> SharedParameterFit:
    """Fit ratings y and time of dropout T given shared effects b: f(y | b) f(T | b) f(b), by Laplace's approximation.

    Given the effects, a rating that is missing because the client left is missing at random, so the model corrects what
    follows from leaving being a matter of the client's (or therapist's) level of the rating. That the effects carry
    all of the dependence cannot be tested with the data: it is one reading of the missing ratings among several.

    Parameters
    ----------
    ratings_formula : str
        Linear part in lme4's syntax with ``(1 | client)`` first and optionally ``(0 + x | client)``,
        ``(1 | therapist)``, ``(0 + x | therapist)``; slopes are of one column. Effects are independent, but that
        ``(1 + x | client)`` lets a client's intercept and slope correlate.
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
    sharing : Sharing
        What the hazard depends on: the intercepts, the client's slope, both (and the therapist's intercept beside
        them), or the current value m_i(t), the expected rating at the session itself. For the current value the risk
        set needs the columns of the ratings' formula as they are at its sessions.
    start : SharedParameterFit, optional
        A fit of the same formulas, data and `associated` with another `sharing`: where the search begins. The optimum
        is found and proved all the same.

    Raises
    ------
    FormulaError, UsageError
        Formulas that cannot be read or are not of this form.
    FitRefused
        Data that cannot inform the model, or more therapists linked through clients than one matrix can hold (4,600).

    Notes
    -----
    Wu & Carroll 1988, doi 10.2307/2531905; Follmann & Wu 1995, doi 10.2307/2533322. Maximum likelihood; standard errors
    by the observed information in all parameters (differences of the exact gradient).
    """
    chosen, sharing = link_named(link), Sharing(sharing)
    population = open_population([ratings_formula], ratings)
    ratings_design = population.design(ratings_formula)
    groups = _groups(ratings_design)
    own = {":".join(term.group) for term in parse_formula(hazard_formula).random}
    if own - set(groups[1:]):
        raise UsageError("Only therapists can have an effect of their own on the hazard.", "leave other brackets out")
    complete = hazard_formula + "".join(f" + (1 | {group})" for group in groups if group not in own)
    current_design = None
    if sharing is Sharing.CURRENT_VALUE:
        at_risk = f"{hazard_formula.split('~')[0]} ~ {ratings_formula.split('~', 1)[1]}"
        risk_population = open_population([complete, at_risk], risk_set, levels=population.levels)
        hazard_design, current_design = risk_population.design(complete), risk_population.design(at_risk)
    else:
        hazard_design = build_design(complete, risk_set)
    associated = groups if associated is None else associated
    if set(associated) - set(groups):
        raise UsageError(f"The ratings have no effects of {', '.join(set(associated) - set(groups))}.")
    rows = join_rows(
        ratings_design,
        materialise(ratings_design),
        hazard_design,
        materialise(hazard_design),
        groups,
        chosen,
        (current_design, materialise(current_design)) if current_design else None,
    )
    free = _free(ratings_design, groups, bool(own), associated, sharing)
    deviance = JointDeviance(rows, chosen, free)
    first, curvature = _start(rows, chosen.start, free)
    near = None
    if start is not None:
        of_earlier = _free(ratings_design, groups, bool(own), associated, start.sharing)
        earlier = replace(deviance.layout, free=of_earlier)
        first, near = _carried(start.optimizer, earlier, first, curvature, deviance.layout)
    story = minimise(
        deviance,
        first,
        curvature=curvature,
        hessian_step=_HESSIAN_STEP,
        is_one_sided=True,
        near=near,
        near_tolerance=_NEAR_TOLERANCE,
    )
    if not np.isfinite(story.value):
        raise FitRefused("The joint likelihood could not be evaluated.", "look for extreme values in the columns")
    return wrap(rows, groups, deviance.layout, story, sharing, str(chosen))


def _groups(design: Design) -> tuple[str, ...]:
    """Client's and therapist's columns: the first grouping factor and the second."""
    for block in design.random:
        of_client = block.group == design.groups[0] and block.columns[0] == INTERCEPT_NAME
        if len(block.columns) > (2 if of_client else 1):
            raise UsageError(
                "The joint model takes intercepts and slopes as independent, but for one slope by client.",
                "write (1 + x | client) or (1 | g) + (0 + x | g)",
            )
    intercepts = {block.group for block in design.random if block.columns[0] == INTERCEPT_NAME}
    if any(len(group) > 1 for group in design.groups) or len(design.groups) > 2 or intercepts != set(design.groups):
        raise UsageError(
            "The joint model needs an intercept by client and takes one more grouping factor.",
            "write ... + (1 | client_id) + (1 | therapist_id)",
        )
    return tuple(group[0] for group in design.groups)


def _free(
    design: Design, groups: tuple[str, ...], has_own: bool, associated: tuple[str, ...], sharing: Sharing
) -> tuple[str, ...]:
    """Names of the loadings that are estimated.

    Raises
    ------
    UsageError
        A slope is to be shared that clients do not have, or alone where it correlates with the intercept.
    """
    sloped = {block.group[0] for block in design.random if set(block.columns) != {INTERCEPT_NAME}}
    wanted = {"tau"} if has_own else set()
    for group, names in zip(groups, (("s_u", "s_w"), ("s_v", "s_s")), strict=False):
        wanted |= set(names if group in sloped else names[:1])
    is_correlated = any(len(block.columns) > 1 for block in design.random)
    wanted |= {"s_uw"} if is_correlated else set()
    shared = {"lambda_u", "lambda_w"} if sharing is Sharing.BOTH else {"lambda_u"}
    if sharing in (Sharing.SLOPE, Sharing.BOTH) and groups[0] not in sloped:
        raise UsageError(f"Clients have no slope that could be shared ({groups[0]}).", "add (1 + x | client)")
    if sharing is Sharing.SLOPE:
        if is_correlated:
            raise UsageError(
                "A slope that correlates with the intercept is not shared alone.", "share both, or write (0 + x | g)"
            )
        shared = {"lambda_w"}
    if sharing is Sharing.CURRENT_VALUE:
        wanted |= {CURRENT} if associated else set()
    else:
        wanted |= (shared if groups[0] in associated else set()) | (
            {"lambda_v"} if set(groups[1:]) & set(associated) else set()
        )
    return tuple(name for name in LOADINGS if name in wanted)


def _start(rows: JointRows, to_predictor: Any, free: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Start and rough curvature of the deviance: regressions without effects, loadings of ordinary size."""
    sums, hazard, cells = rows.ratings, rows.hazard, rows.cells
    beta = np.linalg.solve(sums.gram, sums.cross)
    rss = sums.square - beta @ sums.cross
    share = hazard.events.mean()
    gamma = np.linalg.lstsq(hazard.W, np.full(len(share_rows := hazard.events), to_predictor(share)), rcond=None)[0]
    sigma = np.sqrt(max(rss, 1e-12) / sums.n_rows) * 0.8
    levels = {name: cells.n_therapists if name in ("s_v", "s_s", "tau") else cells.n_clients for name in free}
    information = share * (1 - share)
    sizes = dict.fromkeys(("lambda_u", "lambda_v", "lambda_w", CURRENT), information * len(share_rows))
    curvature = np.concatenate(
        [
            np.diag(sums.gram) / sigma**2,
            2 * information * np.einsum("ij,ij->j", hazard.W, hazard.W),
            [4.0 * sums.n_rows],
            [sizes.get(name, 4.0 * levels[name]) for name in free],
        ]
    )
    return np.concatenate([beta, gamma, [np.log(sigma)], [_START.get(name, 0.0) for name in free]]), np.maximum(
        curvature, 1.0
    )


def _carried(
    story: OptSummary, of: JointLayout, first: np.ndarray, curvature: np.ndarray, layout: JointLayout
) -> tuple[np.ndarray, np.ndarray | None]:
    """The start `first` with what an earlier optimum says of the same parameters, and about the Hessian there;
    untouched where that optimum is of other columns or was not found."""
    if len(story.final) != of.parts[3].stop or not story.is_converged:
        return first, None
    found, near = first.copy(), np.diag(curvature)
    same = [name for name in layout.free if name in of.free]
    n = layout.parts[3].start
    ours, theirs = (np.array([*range(n), *map(one.at, same)]) for one in (layout, of))
    found[ours] = story.final[theirs]
    near[np.ix_(ours, ours)] = story.hessian[np.ix_(theirs, theirs)]
    if CURRENT in layout.free and "lambda_u" in of.free and story.final[of.at("s_u")]:
        found[layout.at(CURRENT)] = story.final[of.at("lambda_u")] / story.final[of.at("s_u")]
    return found, near
