"""Fit linear mixed models to cross-products."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import numpy as np

from outcomes.errors import UsageError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.linear.deviance import State, solve
from outcomes.mixed.linear.factors import WorkingFactor
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.modes import LinearModes
from outcomes.mixed.linear.probed.modes import ProbedModes
from outcomes.mixed.linear.probed.search import search
from outcomes.mixed.linear.problem import LinearFrame, LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.linear.search.profiled import Profiled
from outcomes.mixed.linear.search.twin import Twin, twin_of
from outcomes.mixed.nearby import Objective
from outcomes.mixed.optimise import OptSummary, minimise, newton_step
from outcomes.mixed.results.modes import ConditionalModes, VarianceBlock
from outcomes.mixed.results.status import FitStatus

SINGULAR_TOLERANCE = 1e-4
"""Smallest singular value of a bracket's relative covariance factor (in units of sigma, columns scaled to unit
standard deviation) below which the fit is singular; lme4's `isSingular` uses the same number on its own scale."""

START_SD = 0.5
"""Relative standard deviation that the search starts from: inside, and near what therapy data have."""

CURVATURE = 8.0
"""Rough second derivative of the deviance by theta, a level: found best among 4, 8 and 16 on ten designs."""

NEAR_DEVIANCE = 5.0
"""Fall of the deviance that a Newton step promises from a start near the optimum: some two standard errors."""

LARGE_TOLERANCE = 1e-3
"""Scaled gradient (standard errors, nearly) where large specifications leave the rest to the exact Hessian."""

NEAR_TOLERANCE = 1e-4
"""Whitened gradient where a search from a known optimum takes its Hessian: degrees of freedom follow from it, to five
digits."""

ZERO_THETA = 1e-6
"""Below this an element of theta is zero: it changes the deviance by less than 1e-11 of a level's share."""


MAX_NUMBERS = 60_000
"""Levels times columns of the eliminated factor up to which a specification is small: one search from afar costs less
than a twin."""

MAX_COMPONENT = 64
"""Linked levels up to which a specification is small."""


def fit_crossproducts(
    formula: str, gram: GramData, *, reml: bool = True, start: np.ndarray | LinearFit | None = None
) -> LinearFit:
    """Fit one specification to cross-products; see `outcomes.mixed.fit_linear`."""
    started = perf_counter()
    design, near, earlier = gram.design(formula), None, None
    if isinstance(start, LinearFit):
        if start.optimizer is not None and _is_known(start.optimizer.hessian):
            near = start.optimizer.hessian
        earlier, start = _same_factors(start, gram, design), start.theta
    problem = linear_problem(gram, design, beside=earlier)
    near = near if near is not None and len(near) == problem.n_theta else None
    built = perf_counter()
    objective = Profiled(problem, reml=reml)
    if start is None and not is_small(problem):
        start, near = _from_twin(twin_of(problem, gram, design), reml=reml)
    if not problem.is_exact:
        return _approximately(formula, gram, problem, start, near, reml=reml, setup=built - started)
    story = _optimise(objective, start, near)
    timings = {"setup": built - started, "optimise": perf_counter() - built}
    return wrap_up(formula, gram, problem, story, reml=reml, timings=timings, state=objective.state(story.final))


def is_small(problem: LinearProblem) -> bool:
    """Whether evaluations of a specification cost little more than their calls."""
    largest = 0 if problem.rest is None else max(b.members.shape[1] for b in problem.rest.packing.buckets)
    return problem.ZX.size <= MAX_NUMBERS and largest <= MAX_COMPONENT


def _is_known(hessian: np.ndarray) -> bool:
    """Whether second derivatives are there and of a minimum."""
    return bool(np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0)


def _same_factors(fit: LinearFit, gram: GramData, design: Design) -> LinearProblem | None:
    """An earlier fit's constants where they are of the same rows and random terms, None otherwise."""
    if not isinstance(fit.conditional, LinearModes) or fit.conditional.gram is not gram:
        return None
    wanted = [(block.group, block.columns) for block in design.random]
    factors = fit.conditional.problem.factors
    found = [(f.group, tuple(f.names[i] for i in block)) for f in factors for block in f.blocks]
    return fit.conditional.problem if sorted(wanted) == sorted(found) else None


def _approximately(
    formula: str,
    gram: GramData,
    problem: LinearProblem,
    start: np.ndarray | None,
    near: np.ndarray | None,
    *,
    reml: bool,
    setup: float,
) -> LinearFit:
    """Fit a specification whose linked effects are too many to be eliminated exactly."""
    began = perf_counter()
    start = first_theta(problem, start)
    found = search(problem, start, np.diag(_curvatures(problem)) if near is None else near, reml=reml)
    story = canonical(problem, found.story)
    last = found.last if np.array_equal(story.final, found.story.final) else found.at(story.final)
    timings = {"setup": setup, "optimise": perf_counter() - began}
    fit = estimates(formula, problem, last.state, story, None, n_missing=gram.n_missing, reml=reml, timings=timings)
    modes = ProbedModes(gram, problem, story.final, fit.sigma, last.state, last.scaled, found.probes, last.solutions)
    return replace(
        fit,
        conditional=modes,
        approximation=found.approximation,
        status=FitStatus.APPROXIMATE if story.is_converged else FitStatus.NOT_CONVERGED,
        messages=(found.approximation.words, *fit.messages),
    )


def _from_twin(twin: Twin | None, *, reml: bool) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Where a large specification's search starts, and about the second derivatives there; None where not known."""
    if twin is None:
        return None, None
    story = optimise_theta(twin.problem, reml=reml)
    if not story.is_converged or singular_components(twin.problem, story.final):
        return None, None
    return story.final, None if twin.scale is None else story.hessian * twin.scale


def profiled(problem: LinearProblem, *, reml: bool) -> Objective:
    """The profiled deviance of a specification, with its gradient, as a function of theta."""
    return Profiled(problem, reml=reml)


def optimise_theta(problem: LinearProblem, *, reml: bool, start: np.ndarray | None = None) -> OptSummary:
    """Minimise a specification's profiled deviance; see `minimise_theta`."""
    return _optimise(Profiled(problem, reml=reml), start)


def _optimise(objective: Profiled, start: np.ndarray | None, near: np.ndarray | None = None) -> OptSummary:
    problem = objective.problem
    if start is not None and near is None and len(start) == problem.n_theta:
        near = _near(objective, np.asarray(start, dtype=float))
    tolerance = None if is_small(problem) else LARGE_TOLERANCE
    story = minimise_theta(problem, objective, start, objective.hessian, near, tolerance)
    return replace(story, n_evaluations=objective.n_evaluations)


def _near(objective: Profiled, start: np.ndarray) -> np.ndarray | None:
    """Second derivatives at a start from which Newton's steps lead to the optimum, None at others."""
    hessian = objective.hessian(start)
    if np.linalg.eigvalsh(hessian)[0] <= 0:
        return None
    return hessian if newton_step(hessian, objective(start)[1])[1] <= NEAR_DEVIANCE else None


def minimise_theta(
    frame: LinearFrame,
    objective: Objective,
    start: np.ndarray | None = None,
    hessian: Callable[[np.ndarray], np.ndarray] | None = None,
    near: np.ndarray | None = None,
    gradient_tolerance: float | None = None,
) -> OptSummary:
    """Minimise a profiled deviance over theta and make the diagonal of each factor non-negative.

    `hessian` gives its second derivatives; without it they are differences of the objective's gradient. `near` is about
    what they are at the start, when that lies near the optimum. `gradient_tolerance` is that of `minimise`.
    """
    story = minimise(
        objective,
        first_theta(frame, start),
        curvature=_curvatures(frame),
        exact_hessian=hessian,
        near=near,
        near_tolerance=NEAR_TOLERANCE,
        gradient_tolerance=gradient_tolerance,
    )
    return canonical(frame, story)


def first_theta(frame: LinearFrame, start: np.ndarray | None) -> np.ndarray:
    """The given start, or one inside.

    Raises
    ------
    UsageError
        A start of another length.
    """
    if start is None:
        return START_SD * np.concatenate([np.eye(factor.k)[factor.rows, factor.cols] for factor in frame.factors])
    if len(start) != frame.n_theta:
        raise UsageError(f"The start has {len(start)} covariance parameters, the model {frame.n_theta}.")
    return np.asarray(start, dtype=float)


def _curvatures(frame: LinearFrame) -> np.ndarray:
    """Rough second derivatives (m,) of the deviance."""
    levels = zip(frame.factors, frame.n_levels, strict=True)
    return np.concatenate([np.full(factor.n_theta, CURVATURE * n) for factor, n in levels])


def canonical(frame: LinearFrame, story: OptSummary) -> OptSummary:
    """The same optimum with the diagonal of each factor non-negative, and exact zeros where it is zero."""
    signs = np.concatenate([_signs(f, story.final[s]) for f, s in zip(frame.factors, frame.slices, strict=True)])
    final = np.where(np.abs(story.final) < ZERO_THETA, 0.0, story.final * signs)
    return replace(story, final=final, hessian=story.hessian * np.outer(signs, signs))


def wrap_up(
    formula: str,
    gram: GramData,
    problem: LinearProblem,
    story: OptSummary,
    *,
    reml: bool,
    timings: dict[str, float],
    state: State | None = None,
) -> LinearFit:
    """Estimates at the optimum, in the formula's units; `state` where the eliminations there are known."""
    state = solve(problem, story.final) if state is None else state
    fit = estimates(formula, problem, state, story, None, n_missing=gram.n_missing, reml=reml, timings=timings)
    return replace(fit, conditional=LinearModes(gram, problem, story.final, fit.sigma, state))


def estimates(
    formula: str,
    problem: LinearFrame,
    state: State,
    story: OptSummary,
    conditional: ConditionalModes | None,
    *,
    n_missing: int,
    reml: bool,
    timings: dict[str, float],
) -> LinearFit:
    """The result that follows from the state at the optimum, in the formula's units."""
    theta = story.final
    df = problem.n - problem.p if reml else problem.n
    sigma = np.sqrt(state.r2 / df) * problem.y_scale
    beta = problem.to_original @ state.beta * problem.y_scale
    if problem.y_center:
        beta[problem.names.index("(Intercept)")] += problem.y_center
    scaled = problem.to_original * sigma
    singular = singular_components(problem, theta)
    messages = [*singular]
    if problem.dropped:
        messages.append(f"Dropped as linear combinations of other columns: {', '.join(problem.dropped)}.")
    if not story.is_converged:
        messages.append(f"The optimiser did not converge ({story.message}).")
    status = FitStatus.SINGULAR if singular else FitStatus.CONVERGED
    return LinearFit(
        formula=" ".join(formula.split()),
        names=problem.names,
        beta=beta,
        vcov=scaled @ state.XVX_inverse @ scaled.T,
        variances=variance_blocks(problem, theta, sigma),
        theta=theta,
        criterion=story.value,
        llf=-story.value / 2,
        n_parameters=problem.p + problem.n_theta + 1,
        nobs=problem.n,
        n_missing=n_missing,
        n_groups={":".join(f.group): n for f, n in zip(problem.factors, problem.n_levels, strict=True)},
        dropped_columns=problem.dropped,
        status=status if story.is_converged else FitStatus.NOT_CONVERGED,
        messages=tuple(messages),
        optimizer=story,
        timings=timings,
        engine="outcomes",
        conditional=conditional,
        sigma=float(sigma),
        reml=reml,
    )


def variance_blocks(problem: LinearFrame, theta: np.ndarray, sigma: float) -> tuple[VarianceBlock, ...]:
    """Covariances of the random effects, bracket by bracket, in the formula's coordinates."""
    blocks = []
    for factor, part in zip(problem.factors, problem.slices, strict=True):
        Lambda = factor.relative_factor(theta[part])
        cov = sigma**2 * factor.original_cov(Lambda @ Lambda.T)
        for block in factor.blocks:
            names = tuple(factor.names[i] for i in block)
            blocks.append(VarianceBlock(":".join(factor.group), names, cov[np.ix_(block, block)]))
    return tuple(blocks)


def singular_components(problem: LinearFrame, theta: np.ndarray) -> list[str]:
    """A sentence for each bracket whose covariance is singular relative to sigma."""
    sentences = []
    for factor, part in zip(problem.factors, problem.slices, strict=True):
        Lambda = factor.relative_factor(theta[part])
        for block in factor.blocks:
            own = Lambda[np.ix_(block, block)]
            if np.linalg.svd(own, compute_uv=False)[-1] >= SINGULAR_TOLERANCE:
                continue
            group = ":".join(factor.group)
            names = [factor.names[i] for i in block]
            sizes = np.linalg.norm(own, axis=1)
            zero = [name for name, size in zip(names, sizes, strict=True) if size < SINGULAR_TOLERANCE]
            if zero:
                sentences.append(f"Singular: the variance of {', '.join(zero)} between levels of {group} is zero.")
            else:
                sentences.append(
                    f"Singular: the random effects {', '.join(names)} of {group} are perfectly correlated."
                )
    return sentences


def _signs(factor: WorkingFactor, theta: np.ndarray) -> np.ndarray:
    """Signs that make the diagonal of Lambda non-negative: a column's sign does not change Lambda Lambda'."""
    diagonal = np.diag(factor.relative_factor(theta))
    return np.where(diagonal[factor.cols] < 0, -1.0, 1.0)
