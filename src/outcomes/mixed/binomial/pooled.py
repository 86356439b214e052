"""Fit a binomial mixed model whose rows lie in several places; only sums of their shares are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.links import Link, refuse_constant
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.binomial.shares import START_SD, Asked, Share
from outcomes.mixed.binomial.sums import BinomialSums, frame_of
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import FixedPart
from outcomes.mixed.generalised.fit import optimise_whitened, wrap
from outcomes.mixed.generalised.passes import Information
from outcomes.mixed.generalised.starts import Movement, climb
from outcomes.mixed.optimise import newton_step

Ask = Callable[[Asked, np.ndarray], Share]
"""From what is asked and where to the sum of all places' shares."""

FLAT_WEIGHT = 1e-6
"""Mean weight of the rows that a Newton step moves, below which none of them resists: p(1 - p) of an outcome that is
certain in numbers."""

MAX_NEWTON = 20
"""Most Newton steps before the search proper begins."""

LONGEST_STEP = 0.7
"""Of a standard deviation on the link's scale, or half of it where that is more: curvature at one says little of what
is further away."""

LARGEST_SD = 25.0
"""Of a random intercept on the link's scale: with more all levels have the event always or never, and the data have
no bound for it."""

CLOSE = 1e-3
"""Fall of the deviance that one more Newton step promises, below which steps are judged by it: rounding hides falls."""

SETTLED = 1e-17
"""The same where the Hessian is the optimum's: 3e-9 of a standard error away."""


def refuse_slopes(design: Design) -> None:
    """Refuse what places cannot fit.

    Raises
    ------
    UsageError
        Random slopes.
    """
    if any(block.columns != (INTERCEPT_NAME,) for block in design.random):
        raise UsageError("A binomial model in parts takes random intercepts only.", "leave the slopes out")


def fit_shares(design: Design, link: Link, sums: BinomialSums, ask: Ask, *, trials: str | None = None) -> BinomialFit:
    """Fit a binomial mixed model with random intercepts whose rows lie in several places.

    Parameters
    ----------
    design : Design
    link : Link
    sums : BinomialSums
        Of all places together.
    ask : callable
        What is asked next depends on its answers so far and on nothing else.
    trials : str, optional
        Column with the number of trials.

    Returns
    -------
    BinomialFit
        As from all rows in one place; what needs rows or the effects of single levels is refused. `timings` is empty.

    Raises
    ------
    FitRefused
        As `fit_binomial`.
    """
    refuse_constant(sums.events, sums.trials, sums.n_rows)
    fixed = sums.fixed(design)
    frame = frame_of(design, link, fixed, sums)
    layout = frame.model.layout
    beta = _without_effects(ask, fixed, sums, link)
    start = layout.join(beta, np.full(layout.theta.stop - layout.theta.start, START_SD))

    known: dict[bytes, Share] = {}

    def at(asked: Asked, psi: np.ndarray) -> Share:
        """Ask nothing twice."""
        share = known.get(psi.tobytes())
        if share is None or (asked is Asked.HESSIAN and not share.hessian.size):
            share = known[psi.tobytes()] = ask(asked, psi)
        return share

    def deviance(psi: np.ndarray) -> tuple[float, np.ndarray]:
        share = at(Asked.DEVIANCE, psi)
        return (float(share.value[0]), share.gradient) if share.exists else (np.inf, np.zeros(psi.size))

    start = _approach(at, start, layout.theta)
    root, is_near = _root(at(Asked.HESSIAN, start).hessian)

    def whitened(z: np.ndarray) -> np.ndarray:
        return 2 * root.T @ at(Asked.HESSIAN, start + root @ z).hessian @ root

    optimum = optimise_whitened(deviance, whitened, start, root, is_near=is_near)
    psi = start + root @ optimum.final
    if optimum.is_converged:
        psi = _approach(at, psi, layout.theta)  # a search that began elsewhere ends a little before the optimum
        found = at(Asked.HESSIAN, psi)
        optimum = replace(optimum, hessian=2 * root.T @ found.hessian @ root)
        psi = psi + root @ newton_step(optimum.hessian, root.T @ found.gradient)[0]
    return BinomialFit(**wrap(frame, psi, root, optimum, None), link=link, trials=trials)


def _approach(at: Ask, psi: np.ndarray, theta: slice) -> np.ndarray:
    """Newton steps toward the optimum, halved until the deviance falls; where they end.

    A question costs institutions a round, whatever its length: these steps need a third of a search by gradients, and
    the last Hessian is that of the optimum.

    Raises
    ------
    FitRefused
        A likelihood that cannot be evaluated where the search begins; a variance that grows without bound.
    """
    now = at(Asked.HESSIAN, psi)
    if not now.exists:
        raise FitRefused("The likelihood could not be evaluated.", "look for extreme values in the columns")
    for _ in range(MAX_NEWTON):
        if np.abs(psi[theta]).max() > LARGEST_SD:
            raise FitRefused(
                f"A random intercept's standard deviation grows beyond {LARGEST_SD:g} on the link's scale: these data "
                "have no bound for it.",
                "leave the term out: one event at most a level says little of a variance between levels",
            )
        step, decrement = newton_step(2 * now.hessian, now.gradient)
        if decrement < SETTLED:
            break
        if decrement < CLOSE:
            if np.linalg.eigvalsh(now.hessian)[0] <= 0:
                break
            ahead = at(Asked.HESSIAN, psi + step)
            if not ahead.exists or newton_step(2 * ahead.hessian, ahead.gradient)[1] > decrement / 4:
                break
            psi, now = psi + step, ahead
            continue
        longest = np.maximum(LONGEST_STEP, np.abs(psi[theta]) / 2)
        furthest = 1 / max(1.0, np.max(np.abs(step[theta]) / longest))
        for size in furthest * np.array([1.0, 0.5, 0.25, 0.125]):
            ahead = at(Asked.HESSIAN, psi + size * step)
            if ahead.exists and ahead.value[0] < now.value[0]:
                psi, now = psi + size * step, ahead
                break
        else:
            break
    return psi


def _root(hessian: np.ndarray) -> tuple[np.ndarray, bool]:
    """Root of the parameters' approximate covariance, and whether it is from the Hessian."""
    if np.linalg.eigvalsh(hessian)[0] > 0:
        return np.linalg.cholesky(np.linalg.inv(hessian)), True
    return START_SD * np.eye(len(hessian)), False


def _without_effects(ask: Ask, fixed: FixedPart, sums: BinomialSums, link: Link) -> np.ndarray:
    """Maximum likelihood without random effects, where the search for all begins.

    Separation is seen in sums: the last Newton step still moves rows far, in which the outcome is certain already.
    """
    is_constant = np.array([name == INTERCEPT_NAME for name in fixed.names])
    gram = sums.working_gram(fixed)
    last: list[Information] = []

    def at(beta: np.ndarray) -> Information:
        share = ask(Asked.INFORMATION, beta)
        last[:] = [Information(float(share.value[0]), share.gradient, share.hessian, None)]
        return last[0]

    def moved(step: np.ndarray) -> Movement:
        squares = float(step @ gram @ step)  # of the movements, over all rows
        far, weighted = np.sqrt(squares), float(step @ last[0].fixed @ step)
        ends = np.where(is_constant, 0.0, 1.0)  # standardised columns reach at least one standard deviation
        return Movement(0.0 if weighted < FLAT_WEIGHT * squares else far, far, -ends, ends)

    start = np.where(is_constant, link.link_of(np.array([sums.events / sums.trials])), 0.0)
    return climb(at, start, slice(0, start.size), moved, fixed.names)[0]
