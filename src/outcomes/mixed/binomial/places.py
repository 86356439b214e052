"""Fit a binomial mixed model to the parts of a table: each place finds the modes of its own levels, sums come back.

No level lies in two parts, so the Laplace deviance, its gradient and its Hessian are sums over parts. A place keeps its
rows and the last modes; what crosses is the parameters one way, a value, a gradient and a Hessian the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from time import perf_counter

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.links import Link, link_named, refuse_constant
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import FixedPart, fixed_part, location_and_scale
from outcomes.mixed.design.data import Source
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.design.parts import Levels, Part, Places, look_at_all
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.fit import optimise_whitened, wrap
from outcomes.mixed.generalised.hessian import laplace_hessian
from outcomes.mixed.generalised.laplace import LaplaceDeviance, Model, find_mode
from outcomes.mixed.generalised.passes import Information, information
from outcomes.mixed.generalised.problem import Coordinates, Problem, read_rows
from outcomes.mixed.generalised.rows import find_cells, sorted_rows
from outcomes.mixed.generalised.starts import Movement, climb, movement
from outcomes.mixed.partitions import Partitions

START_SD = 0.3
"""On the link's scale: inside, so that no variance starts on its boundary."""


def fit_binomial_partitions(
    formula: str,
    partitions: Partitions,
    places: Places,
    *,
    link: str | Link = "logit",
    weights: str | None = None,
    levels: Levels | None = None,
) -> BinomialFit:
    """Fit a binomial mixed model with random intercepts to a table in parts, by Laplace's approximation.

    Parameters
    ----------
    formula : str
        In lme4's syntax; random intercepts only, of columns that the parts keep together.
    partitions : Partitions
        See `outcomes.mixed.write_partitions`.
    places : Places
        Who reads them: `outcomes.workers.in_threads()` or `outcomes.workers.on_cluster(address)`.
    link : str or Link
    weights : str, optional
        Column with the number of trials of each row.
    levels : dict of str to list, optional
        Levels of categorical predictors, first the reference; by default those found, sorted.

    Returns
    -------
    BinomialFit
        As from all rows on one machine; what needs rows or the effects of single levels is refused.

    Raises
    ------
    FormulaError
        A random term whose levels may lie in two parts; a transformation that must know all rows.
    UsageError
        Random slopes.
    FitRefused
        As `fit_binomial`.
    StorageError
        A part that a place cannot read.
    """
    began, chosen = perf_counter(), link_named(link)
    design, filled, n_missing = look_at_all(formula, partitions, places, weights, levels)
    if any(block.columns != (INTERCEPT_NAME,) for block in design.random):
        raise UsageError("A binomial model in parts takes random intercepts only.", "leave the slopes out")
    kept = places.keep(_Rows.read, [(part, chosen) for part in filled])
    known: _Sums = reduce(add, places.ask(_Rows.sums, kept))
    refuse_constant(known.events, known.trials, known.n)
    mean = known.x / known.n
    center, _ = location_and_scale(design.fixed, mean, np.ones(mean.size))
    gram = reduce(add, places.ask(_Rows.products, kept, center)) / known.n
    _, scale = location_and_scale(design.fixed, mean, np.diag(gram))
    fixed = fixed_part(design.fixed, mean, center, scale, gram / np.outer(scale, scale), known.n)
    frame = _frame(design, chosen, fixed, known, n_missing)
    order = [factor.name for factor in frame.model.blocks.factors]
    models = places.keep(_Rows.model, [(one, fixed, order) for one in kept])
    del kept  # a place needs its model only
    read = perf_counter()
    layout = frame.model.layout
    beta = _without_effects(places, models, fixed.names)
    start = layout.join(beta, np.full(layout.theta.stop - layout.theta.start, START_SD))
    rough = np.full(start.size, START_SD)

    def deviance(psi: np.ndarray) -> tuple[float, np.ndarray]:
        found = places.ask(_Place.deviance, models, psi, rough)
        return sum(value for value, _ in found), sum(gradient for _, gradient in found)

    def hessian(psi: np.ndarray) -> np.ndarray:
        return sum(places.ask(_Place.hessian, models, psi, rough))

    root, is_near = _root(hessian(start), rough)

    def whitened(z: np.ndarray) -> np.ndarray:
        return 2 * root.T @ hessian(start + root @ z) @ root

    optimum = optimise_whitened(deviance, whitened, start, root, is_near=is_near)
    fit = BinomialFit(**wrap(frame, start + root @ optimum.final, root, optimum, None), link=chosen, trials=weights)
    done = perf_counter()
    return replace(fit, timings={"read": read - began, "fit": done - read, "total": done - began})


def _root(hessian: np.ndarray, rough: np.ndarray) -> tuple[np.ndarray, bool]:
    """Root of the parameters' approximate covariance, and whether it is from the Hessian."""
    if np.linalg.eigvalsh(hessian)[0] > 0:
        return np.linalg.cholesky(np.linalg.inv(hessian)), True
    return np.diag(rough), False


def _without_effects(places: Places, models: Sequence, names: tuple[str, ...]) -> np.ndarray:
    """Maximum likelihood without random effects, where the search for all begins."""

    def at(beta: np.ndarray) -> Information:
        found = places.ask(_Place.information, models, beta)
        loglik, score, fixed = (sum(getattr(one, part) for one in found) for part in ("loglik", "score", "fixed"))
        return Information(loglik, score, fixed, None)

    def moved(step: np.ndarray) -> Movement:
        return reduce(add, places.ask(_Place.movement, models, step))

    return climb(at, np.zeros(len(names)), slice(0, len(names)), moved, names)[0]


@dataclass(frozen=True)
class _Sums:
    """Of one place's rows, or of all: n, column sums (p,), events, trials, constant, and levels by group."""

    n: int
    x: np.ndarray
    events: float
    trials: float
    constant: float
    n_levels: dict[tuple[str, ...], int]

    def __add__(self, other: _Sums) -> _Sums:
        levels = {group: n + other.n_levels[group] for group, n in self.n_levels.items()}
        return _Sums(
            self.n + other.n,
            self.x + other.x,
            self.events + other.events,
            self.trials + other.trials,
            self.constant + other.constant,
            levels,
        )


@dataclass(frozen=True)
class _AllRows:
    """How many rows all places have together; where they are they stay."""

    n_rows: int
    n_columns: int
    has_slopes = False
    n_random_columns = 1


@dataclass(frozen=True)
class _Count:
    """Levels of a grouping factor of which only the number is known here."""

    name: str
    n_levels: int


def _frame(design: Design, link: Link, fixed: FixedPart, known: _Sums, n_missing: int) -> Problem:
    """The problem without its rows; most levels first, as with rows at hand."""
    order = sorted(design.groups, key=lambda group: -known.n_levels[group])
    counts = tuple(_Count(":".join(group), known.n_levels[group]) for group in order)
    for count in counts:
        if count.n_levels < 2:
            raise FitRefused(
                f"The grouping factor {count.name} has fewer than two levels among the complete rows.",
                f"leave (1 | {count.name}) out",
            )
    factors = tuple(LevelFactor((1,), one.name, one.n_levels, np.array([0])) for one in counts)
    one = np.ones((1, 1))
    ones, effects = tuple(one for _ in counts), tuple((INTERCEPT_NAME,) for _ in counts)
    coordinates = Coordinates(fixed.names, fixed.back, ones, effects, counts, fixed.x_cov, ones, fixed.shift)
    model = Model(_AllRows(known.n, len(fixed.names)), Blocks(factors, np.empty((len(factors), 0)), 1), link)
    # no part is open any more
    design = replace(design, source=Source(None, design.source.columns))
    return Problem(design, model, coordinates, known.constant, n_missing, fixed.dropped, ())


@dataclass(frozen=True)
class _Rows:
    """One part's rows as they are read, where they are."""

    rows: ModelRows
    groups: tuple[tuple[str, ...], ...]
    link: Link
    events: np.ndarray
    trials: np.ndarray | None
    constant: float

    @classmethod
    def read(cls, part: Part, link: Link) -> _Rows:
        """Read them."""
        with part.open() as design:
            rows = read_rows(design)
            outcome = link.events(rows.y, rows.weights, may_be_constant=True)
            return cls(rows, tuple(design.groups), link, *outcome)

    def sums(self) -> _Sums:
        """What they sum to."""
        n = self.events.size
        return _Sums(
            n,
            self.rows.X.sum(axis=0),
            float(self.events.sum()),
            float(n if self.trials is None else self.trials.sum()),
            self.constant,
            {group: self.rows.groups[group].n_levels for group in self.groups},
        )

    def products(self, center: np.ndarray) -> np.ndarray:
        """Cross-products of the columns about a center."""
        work = self.rows.X - center
        return work.T @ work

    def model(self, fixed: FixedPart, order: list[str]) -> _Place:
        """The model of these rows in the coordinates of all."""
        X = ((self.rows.X - fixed.center) / fixed.scale)[:, fixed.kept]
        by_name = {group.name: group for group in self.rows.groups.values()}
        groups = [by_name[name] for name in order]
        cells = find_cells([group.codes for group in groups])
        arrays = sorted_rows(X, self.events, self.trials, None, cells, self.rows.offset)
        factors = tuple(LevelFactor((1,), one.name, one.n_levels, np.array([0])) for one in groups)
        return _Place(Model(arrays, Blocks(factors, cells.levels, 1), self.link))


class _Place:
    """One part's model, with the modes that were found last: from there the next ones are sought."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._last: LaplaceDeviance | None = None

    def information(self, beta: np.ndarray) -> Information:
        """Log-likelihood, score and information of the fixed effects without random ones."""
        return information(self.model.rows, self.model.family, beta, None, with_cells=False)

    def movement(self, direction: np.ndarray) -> Movement:
        """How its rows move along a direction of the fixed effects."""
        return movement(self.model, np.empty(0), direction)

    def deviance(self, psi: np.ndarray, scale: np.ndarray) -> tuple[float, np.ndarray]:
        """Its share of the deviance and of the gradient."""
        return self._begun(psi, scale)[0](psi)

    def hessian(self, psi: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Its share of the second derivatives of half the deviance; NaN where they do not exist."""
        deviance, found = self._begun(psi, scale)
        if found is not None:
            return found
        mode = deviance.mode_at(psi)
        return (
            np.full((psi.size, psi.size), np.nan) if mode is None else laplace_hessian(self.model, psi, mode, scale)[0]
        )

    def _begun(self, psi: np.ndarray, scale: np.ndarray) -> tuple[LaplaceDeviance, np.ndarray | None]:
        """The deviance that remembers its modes; made at psi where there is none, with the Hessian that this takes."""
        if self._last is not None:
            return self._last, None
        mode = find_mode(self.model, psi, self.model.zeros())
        hessian, slopes = laplace_hessian(self.model, psi, mode, scale)
        by_location = [slope[..., self.model.layout.location] for slope in slopes]
        self._last = LaplaceDeviance.near(self.model, psi, mode, by_location)
        return self._last, hessian
