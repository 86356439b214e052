"""A binomial model whose rows lie in several places: what each says of its rows, so that all of it adds.

No level of a grouping factor occurs in two places, so the Laplace deviance, its gradient and its Hessian are sums over
the places; each finds the modes of its own levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from outcomes.links import Link
from outcomes.mixed.binomial.sums import BinomialSums
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.columns import FixedPart
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import FINE_TOLERANCE, LaplaceDeviance, Mode, Model, find_mode
from outcomes.mixed.generalised.passes import information
from outcomes.mixed.generalised.problem import read_rows
from outcomes.mixed.generalised.rows import find_cells, sorted_rows
from outcomes.mixed.generalised.starts import fixed_information

START_SD = 0.3
"""On the link's scale: inside, so that no variance starts on its boundary."""

NOWHERE = 1e30
"""Stands for a deviance that does not exist at one place: sums of numbers must stay numbers."""


class Asked(StrEnum):
    """What places are asked at a point."""

    INFORMATION = "information"  # log-likelihood, score, information of the fixed effects without random ones
    DEVIANCE = "deviance"  # and its gradient
    HESSIAN = "hessian"  # of half the deviance, with deviance and gradient


@dataclass(frozen=True)
class Share:
    """What one place contributes at one point.

    Parameters
    ----------
    value : ndarray, shape (1,)
        Log-likelihood or deviance.
    gradient : ndarray, shape (m,)
    hessian : ndarray, shape (m, m) or (0, 0)
        Information, or second derivatives of half the deviance.
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray

    def __add__(self, other: Share) -> Share:
        """The share of two places together."""
        return Share(self.value + other.value, self.gradient + other.gradient, self.hessian + other.hessian)

    @property
    def exists(self) -> bool:
        """Whether every place found its modes."""
        return bool(self.value[0] < NOWHERE / 2)

    def rounded(self, precision: float) -> Share:
        """The share with each part rounded to a multiple of `precision` times its largest number."""
        return Share(*(_cut(part, precision) for part in (self.value, self.gradient, self.hessian)))

    def to_vector(self) -> np.ndarray:
        """All numbers of the share in one array, of the Hessian those on and above the diagonal."""
        return np.concatenate([self.value, self.gradient, self.hessian[np.triu_indices(len(self.hessian))]])

    @classmethod
    def from_vector(cls, vector: np.ndarray, asked: Asked, m: int) -> Share:
        """The share that `to_vector` wrote, of m parameters."""
        value, gradient, upper = np.split(vector, [1, 1 + m])
        hessian = np.zeros((0, 0) if asked is Asked.DEVIANCE else (m, m))
        hessian[np.triu_indices(len(hessian))] = upper
        return cls(value, gradient, hessian + np.triu(hessian, 1).T)


def _cut(part: np.ndarray, precision: float) -> np.ndarray:
    unit = precision * np.abs(part).max(initial=0.0)
    return np.round(part / unit) * unit if unit else part


@dataclass(frozen=True)
class PlaceRows:
    """One place's rows as they are read, where they are."""

    rows: ModelRows
    groups: tuple[tuple[str, ...], ...]
    link: Link
    events: np.ndarray
    trials: np.ndarray | None
    constant: float

    @classmethod
    def read(cls, design: Design, link: Link) -> PlaceRows:
        """Read them."""
        rows = read_rows(design)
        return cls(rows, tuple(design.groups), link, *link.events(rows.y, rows.weights, may_be_constant=True))

    def sums(self) -> BinomialSums:
        """What they sum to."""
        mean = self.rows.X.mean(axis=0)
        work = self.rows.X - mean
        n = self.events.size
        return BinomialSums(
            n,
            self.rows.survey.n_missing,
            float(self.events.sum()),
            float(n if self.trials is None else self.trials.sum()),
            self.constant,
            mean,
            work.T @ work,
            {group: self.rows.groups[group].n_levels for group in self.groups},
        )

    def place(self, fixed: FixedPart, order: list[str]) -> Place:
        """The model of these rows in the coordinates of all; `order` names its grouping factors."""
        X = ((self.rows.X - fixed.center) / fixed.scale)[:, fixed.kept]
        by_name = {group.name: group for group in self.rows.groups.values()}
        groups = [by_name[name] for name in order]
        cells = find_cells([group.codes for group in groups])
        arrays = sorted_rows(X, self.events, self.trials, None, cells, self.rows.offset)
        factors = tuple(LevelFactor((1,), one.name, one.n_levels, np.array([0])) for one in groups)
        return Place(Model(arrays, Blocks(factors, cells.levels, 1), self.link))


def modes_at(model: Model, psi: np.ndarray) -> Mode:
    """Modes sought from zero, by way of smaller variances where that does not lead there.

    Raises
    ------
    FloatingPointError
        Where there are none.
    """
    try:
        return find_mode(model, psi, model.zeros(), tolerance=FINE_TOLERANCE)
    except FloatingPointError:
        u, theta = model.zeros(), model.layout.theta
        for share in (0.25, 0.5, 1.0):
            there = psi.copy()
            there[theta] *= share
            mode = find_mode(model, there, u, tolerance=FINE_TOLERANCE)
            u = [found / 2 for found in mode.u]  # the effects themselves stay where they are
        return mode


class Place:
    """One place's model, with the modes that were found last: from there the next ones are sought."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._last: LaplaceDeviance | None = None

    def share(self, asked: Asked, at: np.ndarray) -> Share:
        """Its share at a point: of beta (p,) without random effects, else of psi = (beta, theta)."""
        if asked is Asked.INFORMATION:
            found = information(self.model.rows, self.model.family, at, None, with_cells=False)
            return Share(np.array([found.loglik]), found.score, found.fixed)
        second = np.zeros((at.size, at.size) if asked is Asked.HESSIAN else (0, 0))
        try:
            deviance = self._near(at)
            value, gradient = deviance(at)
            if second.size and np.isfinite(value):
                second = laplace_hessian(self.model, at, deviance.mode_at(at))[0]
        except (FloatingPointError, np.linalg.LinAlgError):
            value, gradient = np.inf, np.zeros(at.size)
        return Share(np.array([value if np.isfinite(value) else NOWHERE]), gradient, second)

    def _near(self, psi: np.ndarray) -> LaplaceDeviance:
        """The deviance that remembers its modes; made at psi where there is none."""
        if self._last is None:
            mode = modes_at(self.model, psi)
            self._last = LaplaceDeviance.near(self.model, psi, mode, fixed_information(self.model, psi, mode)[1])
        return self._last
