"""What a place knows of the dynamic model's deviance, and the sum over all places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from outcomes.mixed.design.parts import Places
from outcomes.mixed.dynamic.gradient import gradient
from outcomes.mixed.dynamic.likelihood import Best, Integrated, Share, integrate, least_squares, settle
from outcomes.mixed.dynamic.problem import DynamicProblem, Size, build_problem
from outcomes.mixed.dynamic.reading.coordinates import Frame
from outcomes.mixed.dynamic.reading.sessions import Sessions
from outcomes.mixed.dynamic.robust import Scores, sum_scores
from outcomes.mixed.dynamic.search import Evaluation, nowhere, twin


class Place:
    """One part's problem, and what was found there last: the gradient is asked for after the share."""

    def __init__(self, problem: DynamicProblem) -> None:
        self.problem = problem
        self._last: Integrated | None = None

    def __reduce__(self) -> tuple[type[Place], tuple[DynamicProblem]]:
        return Place, (self.problem,)  # what was found last is found again

    def size(self) -> Size:
        """How large it is."""
        return self.problem.size

    def share(self, theta: np.ndarray) -> Share:
        """Its share of the deviance; infinite where that does not exist."""
        try:
            return self._at(theta).share
        except np.linalg.LinAlgError:
            q = self.problem.size.q_d + self.problem.size.q_y
            return Share(self.problem.size.n_values, np.inf, np.zeros((q, q)))

    def gradient(self, theta: np.ndarray, psi: np.ndarray) -> np.ndarray:
        """Its part of the deviance's derivatives with respect to theta."""
        found = settle(self.problem, self._at(theta), psi)
        with np.errstate(all="ignore"):
            return gradient(self.problem, found)

    def scores(self, theta: np.ndarray, psi: np.ndarray) -> Scores:
        """What its clusters add to the robust covariance."""
        return sum_scores(self.problem, settle(self.problem, self._at(theta), psi))

    def twin(self, step: int) -> Place:
        """The same of one client in `step`."""
        return Place(twin(self.problem, step))

    def _at(self, theta: np.ndarray) -> Integrated:
        last = self._last
        if last is None or not np.array_equal(last.theta, theta):
            with np.errstate(all="ignore"):
                self._last = integrate(self.problem, theta, last)
        return self._last


def build_place(sessions: Sessions, frame: Frame) -> Place:
    """The problem of a part's sessions in the coordinates of all."""
    return Place(build_problem(frame.rows(sessions), has_therapists=sessions.has_therapists))


class InParts:
    """The deviance of a table in parts: evaluated where they are, summed here; see `outcomes.mixed.dynamic.search`."""

    def __init__(self, places: Places, kept: Sequence[Any]) -> None:
        self.places, self.kept = places, kept
        self.size: Size = reduce(add, places.ask(Place.size, kept))

    def at(self, theta: np.ndarray) -> Evaluation:
        """Evaluate at theta: the shares first, which tell the linear coefficients, then the gradient."""
        share = self._share(theta)
        if not np.isfinite(share.log_det):
            return nowhere(self.size)
        try:
            best = least_squares(self.size, share)
        except np.linalg.LinAlgError:
            return nowhere(self.size)
        slope = sum(self.places.ask(Place.gradient, self.kept, theta, best.psi))
        is_sound = np.isfinite(best.deviance) and np.isfinite(slope).all()
        return (best.deviance, slope, best.psi) if is_sound else nowhere(self.size)

    def around(self, thetas: Sequence[np.ndarray]) -> list[Evaluation]:
        """Evaluate, the last thetas first: these move intercepts only, and the places know all else of the last one."""
        return [self.at(theta) for theta in thetas[::-1]][::-1]

    def best(self, theta: np.ndarray) -> Best:
        """The linear coefficients at theta."""
        return least_squares(self.size, self._share(theta))

    def scores(self, theta: np.ndarray, psi: np.ndarray) -> Scores:
        """What the robust covariance needs of all clusters."""
        return reduce(add, self.places.ask(Place.scores, self.kept, theta, psi))

    def twin(self, step: int) -> InParts:
        """The deviance of one client in `step` of each part."""
        return InParts(self.places, self.places.keep(Place.twin, [(one, step) for one in self.kept]))

    def _share(self, theta: np.ndarray) -> Share:
        return reduce(add, self.places.ask(Place.share, self.kept, theta))
