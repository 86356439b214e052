"""What the engine keeps of a fit for later questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import UsageError
from outcomes.mixed.elimination.random_blocks import LevelFactor
from outcomes.mixed.generalised.laplace import Mode
from outcomes.mixed.generalised.problem import Coordinates, Problem
from outcomes.mixed.layout import Layout
from outcomes.mixed.results.modes import Modes


@dataclass(frozen=True)
class State:
    """What the engine keeps for later questions: the problem, psi and its covariance in working coordinates, the
    modes; these are None of a fit in parts."""

    problem: Problem
    psi: np.ndarray
    covariance: np.ndarray
    found: Mode | None

    @property
    def mode(self) -> Mode:
        """The modes.

        Raises
        ------
        UsageError
            Of a fit in parts, whose rows and levels stay where they are.
        """
        if self.found is None:
            raise UsageError(
                "A fit in parts knows neither its rows nor the effects of single levels.",
                "each place can predict its own; what needs rows takes a fit on one machine",
            )
        return self.found

    def modes(self, group: str) -> Modes:
        """Conditional modes of one grouping factor on the formula's columns; covariance given beta and theta."""
        blocks, coordinates = self.problem.model.blocks, self.problem.coordinates
        a = [factor.name for factor in blocks.factors].index(group)
        back = np.linalg.inv(coordinates.random[a]) @ self.mode.lambdas[a]
        return Modes(
            labels=coordinates.groups[a].labels.alias(group),
            names=coordinates.effects[a],
            mode=self.mode.u[a] @ back.T,
            cond_cov=back @ self.mode.inner.diagonal(a) @ back.T,
        )

    def random_sd(self, psi: np.ndarray) -> np.ndarray:
        """Standard deviations of all effects, factor by factor, at psi."""
        model = self.problem.model
        return random_sd(self.problem.coordinates, model.blocks.factors, model.layout, psi)


def random_sd(
    coordinates: Coordinates, factors: tuple[LevelFactor, ...], layout: Layout, psi: np.ndarray
) -> np.ndarray:
    """Standard deviations of all effects, factor by factor, at psi."""
    return np.concatenate(
        [
            np.sqrt(np.diag(coordinates.covariance(a, factor, psi[layout.by_factor[a]])))
            for a, factor in enumerate(factors)
        ]
    )
