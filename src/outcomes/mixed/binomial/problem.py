"""From a design's rows to the binomial engine's model, in coordinates that condition it, and back.

Fixed columns are centred (when the model has an intercept) and scaled; random columns are centred where their bracket
has an intercept, so that the model stays the same. `Coordinates` carries estimates back to the formula's columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from outcomes.errors import FitRefused, UsageError
from outcomes.mixed.binomial.laplace import Model
from outcomes.mixed.binomial.rows import find_cells, sorted_rows
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.levels import Levels
from outcomes.mixed.design.materialise import ModelRows
from outcomes.mixed.elimination.random_blocks import Blocks, Factor
from outcomes.mixed.links import Link

RANK_TOLERANCE = 1e-7
"""A column is dropped when less than this share of its standardised length is left over by the columns before it
(lme4's)."""

INTEGER_TOLERANCE = 1e-6
"""Shares times trials must be within this of whole numbers of events."""


@dataclass(frozen=True)
class Coordinates:
    """How working coefficients map to the formula's: beta = fixed @ beta_work; b_work = random[a] @ b for factor a.

    `effects[a]` names factor a's effects; `groups[a]` holds its levels. `x_cov` (p, p) and `z_moments[a]` (k, k) are
    the covariance of the fixed columns and the mean outer product of the random ones, over rows.
    """

    names: tuple[str, ...]
    fixed: np.ndarray
    random: tuple[np.ndarray, ...]
    effects: tuple[tuple[str, ...], ...]
    groups: tuple[Levels, ...]
    x_cov: np.ndarray
    z_moments: tuple[np.ndarray, ...]

    def covariance(self, a: int, factor: Factor, theta: np.ndarray) -> np.ndarray:
        """Covariance (k, k) of factor a's effects on the formula's columns, from its working theta."""
        back = np.linalg.inv(self.random[a]) @ factor.cholesky(theta)
        return back @ back.T


@dataclass(frozen=True)
class Problem:
    """A model ready to be fitted; `constant` is the log of the binomial coefficients, which no parameter changes."""

    design: Design
    model: Model
    coordinates: Coordinates
    constant: float
    n_missing: int
    dropped: tuple[str, ...]
    warnings: tuple[str, ...]


def build_problem(design: Design, rows: ModelRows, link: Link) -> Problem:
    """Check the outcome, the groups and the columns, and bring them into working coordinates.

    Raises
    ------
    FitRefused
        Outcomes that are not events of trials, an outcome without variation, a grouping factor with fewer than two
        levels, or more columns than rows.
    """
    events, trials, constant = check_events(rows.y, rows.weights)
    n = events.size
    X, fixed = fixed_columns(design, rows.X)
    order = sorted(
        range(len(design.groups)),
        key=lambda g: -rows.groups[design.groups[g]].n_levels * sum(len(b.columns) for b in _blocks(design, g)),
    )
    groups = tuple(rows.groups[design.groups[g]] for g in order)
    warnings = check_levels(groups, n, trials is None)
    factors, Z, random, effects, moments = _random_columns(design, rows, order)
    cells = find_cells([group.codes for group in groups])
    arrays = sorted_rows(X, events, trials, Z, cells)
    blocks = Blocks(factors, cells.levels, arrays.n_random_columns)
    coordinates = Coordinates(fixed.names, fixed.back, random, effects, groups, fixed.x_cov, moments)
    return Problem(
        design, Model(arrays, blocks, link), coordinates, constant, rows.survey.n_missing, fixed.dropped, warnings
    )


def _blocks(design: Design, g: int) -> list:
    """Brackets of the g-th grouping factor."""
    return [block for block in design.random if block.group == design.groups[g]]


def check_events(
    y: np.ndarray, weights: np.ndarray | None, *, may_be_constant: bool = False
) -> tuple[np.ndarray, np.ndarray | None, float]:
    """Events, trials (None when all are 1) and the log binomial coefficients."""
    trials = None if weights is None or np.all(weights == 1) else weights.astype(float)
    events = y.astype(float) if trials is None else y * trials
    whole = np.round(events)
    outside = (y < 0) | (y > 1) | (np.abs(events - whole) > INTEGER_TOLERANCE * np.maximum(1.0, np.abs(events)))
    if trials is not None:
        outside |= trials != np.round(trials)
    if outside.any():
        raise FitRefused(
            f"The outcome of {int(outside.sum())} of {y.size} rows is not a number of events out of trials.",
            "use 0 and 1, or shares between 0 and 1 with the number of trials as `weights`",
        )
    if not may_be_constant:
        refuse_constant(whole.sum(), float(y.size if trials is None else trials.sum()), y.size)
    if trials is None:
        return whole, None, 0.0
    return whole, trials, float((gammaln(trials + 1) - gammaln(whole + 1) - gammaln(trials - whole + 1)).sum())


def refuse_constant(events: float, trials: float, n: int) -> None:
    """Refuse an outcome that is always or never an event."""
    if events in (0.0, trials):
        raise FitRefused(
            f"The outcome is {'always' if events else 'never'} 1 in all {n} rows.",
            "a model needs rows with and without the event",
        )


@dataclass(frozen=True)
class FixedPart:
    """Fixed columns in working coordinates: x_work = (x - center) / scale of the columns `kept`.

    names, dropped : names kept and dropped; back : (p, p), beta = back @ beta_work; x_cov : (p, p), covariance over
    rows.
    """

    names: tuple[str, ...]
    kept: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    back: np.ndarray
    dropped: tuple[str, ...]
    x_cov: np.ndarray


def fixed_part(
    fixed: tuple[str, ...], mean: np.ndarray, center: np.ndarray, scale: np.ndarray, gram: np.ndarray, n: int
) -> FixedPart:
    """Coordinates of the fixed columns from their working Gram matrix (P, P), a mean over n rows; mean, center,
    scale (P,)."""
    kept = _independent(gram)
    names = tuple(name for name, keep in zip(fixed, kept, strict=True) if keep)
    back = np.diag(1.0 / scale[kept])
    if INTERCEPT_NAME in names:
        back[names.index(INTERCEPT_NAME)] -= center[kept] / scale[kept]
    shift = (mean - center) / scale
    cov = (gram - np.outer(shift, shift)) * np.outer(scale, scale) * n / (n - 1)
    constant = np.array([name == INTERCEPT_NAME for name in fixed])
    cov[constant] = cov[:, constant] = 0.0
    if len(names) >= n:
        raise FitRefused(
            f"The model has {len(names)} fixed columns and {n} complete rows.", "use fewer terms or more data"
        )
    dropped = tuple(name for name, keep in zip(fixed, kept, strict=True) if not keep)
    return FixedPart(names, kept, center, scale, back, dropped, cov[np.ix_(kept, kept)])


def location_and_scale(
    fixed: tuple[str, ...], mean: np.ndarray, mean_square: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Center (zero without an intercept) and scale of the fixed columns, from means of x and of (x - center)^2."""
    constant = np.array([name == INTERCEPT_NAME for name in fixed])
    center = np.where(constant, 0.0, mean) if INTERCEPT_NAME in fixed else np.zeros(len(fixed))
    scale = np.sqrt(mean_square)
    # A constant column is left at a length that the rank check sees as nothing.
    scale[scale <= 1e-12 * np.maximum(np.abs(mean), 1e-300)] = 1.0
    scale[constant] = 1.0
    return center, scale


def fixed_columns(design: Design, X: np.ndarray) -> tuple[np.ndarray, FixedPart]:
    """Working columns (n, p) and how they were made."""
    n = len(X)
    mean = X.mean(axis=0)
    center, _ = location_and_scale(design.fixed, mean, np.ones(X.shape[1]))
    work = X - center
    _, scale = location_and_scale(design.fixed, mean, np.einsum("ij,ij->j", work, work) / n)
    work /= scale
    part = fixed_part(design.fixed, mean, center, scale, work.T @ work / n, n)
    return work if part.kept.all() else work[:, part.kept], part


def _independent(gram: np.ndarray) -> np.ndarray:
    """Which columns are not combinations of those before them, by sweeping the Gram matrix."""
    left = gram.copy()
    kept = np.zeros(len(gram), dtype=bool)
    for j in range(len(gram)):
        if left[j, j] > RANK_TOLERANCE * max(gram[j, j], 1e-8):
            kept[j] = True
            left -= np.outer(left[:, j], left[j]) / left[j, j]
    return kept


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
            Factor(
                blocks[0].group_name,
                rows.groups[design.groups[g]].n_levels,
                np.array(places),
                tuple(len(block.columns) for block in blocks),
            )
        )
        maps.append(to_work)
        effects.append(names)
        moments.append(stacked.T @ stacked / len(stacked))
    only_constant = len(columns) == 1 and next(iter(index))[0] == INTERCEPT_NAME
    Z = None if only_constant else np.column_stack(columns)
    return tuple(factors), Z, tuple(maps), tuple(effects), tuple(moments)
