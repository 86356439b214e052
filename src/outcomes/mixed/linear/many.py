"""Many specifications of the same rows with the same random effects: their searches run side by side.

They differ in their fixed effects only, so that their grouping factors are prepared once and their evaluations are one
batch. Each search starts where a fit of the same kind ended, in parameters scaled by its Hessian, and every optimum is
proved by a Hessian of its own; a specification whose search does not end that way is fitted alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.linear.batch import Batch, is_small
from outcomes.mixed.linear.fit import canonical, optimise_theta, wrap_up
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.problem import LinearProblem, linear_problem
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.optimise import HESSIAN_STEP, OptSummary, is_optimum, newton_step, refine_many

MAX_STEPS = 4
"""Newton steps after the search; they square what is left of the gradient."""
NEGLIGIBLE = 1e-12
"""Newton decrement, of a deviance, below which nothing is left to gain."""


@dataclass(frozen=True)
class Start:
    """Where a fit of the same kind ended: theta, and the Hessian of the deviance there."""

    theta: np.ndarray
    hessian: np.ndarray


def fit_many(
    formulas: Sequence[str], gram: GramData, start: Start | None = None, *, reml: bool = True
) -> list[LinearFit | FitRefused]:
    """Fit specifications that differ in their fixed effects only.

    Parameters
    ----------
    formulas : sequence of str
        With the same random terms.
    gram : GramData
        Holds the columns of all of them.
    start : Start, optional
        Of a fit with the same random terms to much the same rows; without one the first is fitted alone.
    reml : bool

    Returns
    -------
    list
        One a formula, in order: the fit, or why it was refused.
    """
    problems: list[LinearProblem | FitRefused] = []
    shared: LinearProblem | None = None
    for formula in formulas:
        try:
            found = linear_problem(gram, gram.design(formula), beside=shared)
        except FitRefused as refusal:
            problems.append(refusal)
            continue
        shared = found
        problems.append(found)
    able = [problem for problem in problems if isinstance(problem, LinearProblem)]
    stories = iter(_stories(able, start, reml))
    fits: list[LinearFit | FitRefused] = []
    for formula, problem in zip(formulas, problems, strict=True):
        if isinstance(problem, FitRefused):
            fits.append(problem)
            continue
        began = perf_counter()
        story = next(stories)
        timings = {"wrap up": perf_counter() - began}
        fits.append(wrap_up(formula, gram, problem, story, reml=reml, timings=timings))
    return fits


def _stories(problems: list[LinearProblem], start: Start | None, reml: bool) -> list[OptSummary]:
    """The optimum of each problem."""
    if not problems:
        return []
    first: list[OptSummary] = []
    if start is None or len(start.theta) != problems[0].n_theta:
        first = [optimise_theta(problems[0], reml=reml)]
        start, problems = Start(first[0].final, first[0].hessian), problems[1:]
    if not problems:
        return first
    if not is_small(max(problems, key=lambda problem: problem.p)):
        return first + [optimise_theta(problem, reml=reml, start=start.theta) for problem in problems]
    batch = Batch.of(problems)
    everyone = np.arange(len(problems))
    starts = np.repeat(start.theta[None], len(problems), axis=0)
    thetas, values, settled = refine_many(
        lambda who, theta: batch.evaluate(everyone[who], theta, reml=reml), starts, start.hessian
    )
    found = _polished(batch, thetas, reml)
    stories = []
    for i, problem in enumerate(problems):
        story = found[i] if settled[i] and np.isfinite(values[i]) else None
        if story is None or not story.is_converged:
            story = optimise_theta(problem, reml=reml, start=start.theta)
        else:
            story = canonical(problem, story)
        stories.append(story)
    return first + stories


def _polished(batch: Batch, thetas: np.ndarray, reml: bool) -> list[OptSummary]:
    """Hessians where the searches ended, and Newton steps with them."""
    everyone = np.arange(len(thetas))
    starts = thetas.copy()
    values, slopes = batch.evaluate(everyone, thetas, reml=reml)
    start_values = values.copy()
    finite = np.isfinite(values) & np.isfinite(slopes).all(axis=1)
    hessians = np.full((len(thetas), thetas.shape[1], thetas.shape[1]), np.nan)
    hessians[finite] = batch.hessians(everyone[finite], thetas[finite], HESSIAN_STEP, reml=reml)
    finite &= np.isfinite(hessians).all(axis=(1, 2))
    decrements = np.full(len(thetas), np.inf)
    moving = finite.copy()
    for _ in range(MAX_STEPS + 1):
        steps = np.zeros_like(thetas)
        for i in everyone[moving]:
            steps[i], decrements[i] = newton_step(hessians[i], slopes[i])
        moving &= decrements > NEGLIGIBLE + 1e-15 * np.abs(values)
        if not moving.any():
            break
        who = everyone[moving]
        new_values, new_slopes = batch.evaluate(who, thetas[who] + steps[who], reml=reml)
        better = (new_values <= values[who] + 1e-9 * np.abs(values[who])) & (
            np.abs(new_slopes).max(axis=1) <= np.abs(slopes[who]).max(axis=1)
        )
        chosen = who[better]
        thetas = thetas.copy()
        thetas[chosen] += steps[chosen]
        values[chosen], slopes[chosen] = new_values[better], new_slopes[better]
        moving[who[~better]] = False
    return [
        OptSummary(
            method="BFGS side by side with Newton polish",
            start=starts[i],
            final=thetas[i],
            start_value=float(start_values[i]),
            value=float(values[i]),
            n_evaluations=2 * thetas.shape[1] + 1,
            gradient_norm=float(np.max(np.abs(slopes[i]), initial=0.0)),
            decrement=float(decrements[i]),
            n_restarts=0,
            is_converged=(ok := bool(finite[i]) and is_optimum(float(values[i]), float(decrements[i]), hessians[i])),
            message="converged" if ok else "stopped before an optimum was proved",
            hessian=hessians[i],
        )
        for i in everyone
    ]
