"""From a design's rows to the engine's model, in coordinates that condition it, and back.

Fixed columns are centred (when the model has an intercept) and scaled; random columns are centred where their bracket
has an intercept, so that the model stays the same. `Coordinates` carries estimates back to the formula's columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.columns import fixed_columns, without_intercept
from outcomes.mixed.design.levels import Levels
from outcomes.mixed.design.materialise import ModelRows, materialise
from outcomes.mixed.elimination.random_blocks import Blocks, LevelFactor
from outcomes.mixed.generalised.family import Family
from outcomes.mixed.generalised.laplace import Model
from outcomes.mixed.generalised.rows import find_cells, sorted_rows


@dataclass(frozen=True)
class Coordinates:
    """How working coefficients map to the formula's: beta = fixed @ beta_work; b_work = random[a] @ b for factor a.

    `effects[a]` names factor a's effects; `groups[a]` holds its levels. `x_cov` (p, p) and `z_moments[a]` (k, k) are
    the covariance of the fixed columns and the mean outer product of the random ones, over rows; `shift` (p,) is what
    centring takes off the linear predictor where there is no intercept to hold it (see `FixedPart`).
    """

    names: tuple[str, ...]
    fixed: np.ndarray
    random: tuple[np.ndarray, ...]
    effects: tuple[tuple[str, ...], ...]
    groups: tuple[Levels, ...]
    x_cov: np.ndarray
    z_moments: tuple[np.ndarray, ...]
    shift: np.ndarray

    def covariance(self, a: int, factor: LevelFactor, theta: np.ndarray) -> np.ndarray:
        """Covariance (k, k) of factor a's effects on the formula's columns, from its working theta."""
        back = np.linalg.inv(self.random[a]) @ factor.relative_factor(theta)
        return back @ back.T


@dataclass(frozen=True)
class Problem:
    """A model ready to be fitted; `constant` is the part of the log-likelihood that no parameter changes (the log of
    the binomial coefficients)."""

    design: Design
    model: Model
    coordinates: Coordinates
    constant: float
    n_missing: int
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A checked outcome: `events` (n,) as the family reads them, `trials` (n,) or None, and `constant`."""

    events: np.ndarray
    trials: np.ndarray | None
    constant: float


def read_rows(design: Design) -> ModelRows:
    """The complete rows of a design, the outcome as it is (and not less the offset)."""
    return materialise(replace(design, outcome=design.outcome_itself))


def problem_of(design: Design, rows: ModelRows, family: Family, outcome: Outcome) -> Problem:
    """Check the groups and the columns, and bring them into working coordinates.

    Parameters
    ----------
    design : Design
    rows : ModelRows
        From `read_rows`.
    family : Family
    outcome : Outcome
        What the family made of the rows' outcome.

    Raises
    ------
    FitRefused
        A grouping factor with fewer than two levels, or more columns than rows.
    """
    events, trials = outcome.events, outcome.trials
    n = events.size
    X, fixed = fixed_columns(design, rows.X)
    if family.is_own_located:
        X, fixed = without_intercept(X, fixed)
    order = sorted(
        range(len(design.groups)),
        key=lambda g: -rows.groups[design.groups[g]].n_levels * sum(len(b.columns) for b in _blocks(design, g)),
    )
    groups = tuple(rows.groups[design.groups[g]] for g in order)
    warnings = check_levels(groups, n, trials is None and not family.counts_extra_spread)
    factors, Z, random, effects, moments = _random_columns(design, rows, order)
    cells = find_cells([group.codes for group in groups])
    arrays = sorted_rows(X, events, trials, Z, cells, rows.offset)
    blocks = Blocks(factors, cells.levels, arrays.n_random_columns)
    coordinates = Coordinates(fixed.names, fixed.back, random, effects, groups, fixed.x_cov, moments, fixed.shift)
    return Problem(
        design,
        Model(arrays, blocks, family),
        coordinates,
        outcome.constant,
        rows.survey.n_missing,
        fixed.dropped,
        warnings,
    )


def _blocks(design: Design, g: int) -> list:
    """Brackets of the g-th grouping factor."""
    return [block for block in design.random if block.group == design.groups[g]]


def check_levels(groups: tuple[Levels, ...], n: int, single_trials: bool) -> tuple[str, ...]:
    """Refuse groups that cannot inform a variance; warn where only the link's shape does."""
    for group in groups:
        if group.n_levels < 2:
            raise FitRefused(
                f"The grouping factor {group.name} has fewer than two levels among the complete rows.",
                f"leave (1 | {group.name}) out",
            )
    return tuple(
        f"{group.name} has one row for each level: its variance rests on the shape of the link alone."
        for group in groups
        if group.n_levels == n and single_trials
    )


def _random_columns(design: Design, rows: ModelRows, order: list[int]):
    """Factors, distinct working columns Z (None for the constant alone), maps, effect names and mean outer products."""
    index: dict[tuple[str, bool], int] = {}
    columns: list[np.ndarray] = []
    factors, maps, effects, moments = [], [], [], []
    raw = {id(block): Z for block, Z in zip(design.random, rows.Z, strict=True)}
    for g in order:
        blocks = _blocks(design, g)
        names = tuple(name for block in blocks for name in block.columns)
        if len(set(names)) < len(names):
            raise UsageError(f"A random effect of {blocks[0].group_name} is named twice.")
        to_work = np.zeros((len(names), len(names)))
        places, at = [], 0
        for block in blocks:
            has_intercept = INTERCEPT_NAME in block.columns
            constant = at + block.columns.index(INTERCEPT_NAME) if has_intercept else -1
            for j, name in enumerate(block.columns):
                z = raw[id(block)][:, j]
                i = at + j
                center = z.mean() if has_intercept and name != INTERCEPT_NAME else 0.0
                scale = 1.0 if name == INTERCEPT_NAME else float(np.sqrt(((z - center) ** 2).mean()))
                if scale <= 1e-12 * max(float(np.abs(z).max()), 1e-300):
                    raise FitRefused(f"The random column {name} does not vary.", "leave it out of the bracket")
                to_work[i, i] = scale
                if center:
                    to_work[constant, i] = center
                key = (name, bool(has_intercept))
                if name == INTERCEPT_NAME:
                    key = (name, True)
                if key not in index:
                    index[key] = len(columns)
                    columns.append((z - center) / scale)
                places.append(index[key])
            at += len(block.columns)
        stacked = np.column_stack([raw[id(block)] for block in blocks])
        factors.append(
            LevelFactor(
                tuple(len(block.columns) for block in blocks),
                blocks[0].group_name,
                rows.groups[design.groups[g]].n_levels,
                np.array(places),
            )
        )
        maps.append(to_work)
        effects.append(names)
        moments.append(stacked.T @ stacked / len(stacked))
    only_constant = len(columns) == 1 and next(iter(index))[0] == INTERCEPT_NAME
    Z = None if only_constant else np.column_stack(columns)
    return tuple(factors), Z, tuple(maps), tuple(effects), tuple(moments)
