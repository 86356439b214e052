"""The equations' columns in coordinates that condition them, from sums that add over the parts of a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import DataRefused, FitRefused
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.dynamic.reading.sessions import MIN_SESSIONS, Sessions, column_names
from outcomes.mixed.dynamic.sequences import Rows

MIN_CLIENTS = 100
"""Clients with such series below which the model is refused: the worlds of docs/dynamic-model.md are tried above it."""
DEPENDENT = 1e-9
"""Part of a column's length, the columns before it taken out, below which it counts as their combination."""
EXACT = 1e-10
"""Part of the variance left by least squares below which an equation holds exactly: there is nothing to estimate."""


@dataclass(frozen=True)
class Moments:
    """Of an equation's columns, its outcome last, over some sessions.

    Parameters
    ----------
    n : int
    mean : ndarray, shape (v,)
    root : ndarray, shape (at most v, v)
        root' root are the cross-products about the mean. Unlike these it tells nearly dependent columns from rounding.
    """

    n: int
    mean: np.ndarray
    root: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Of the columns of `values`, shape (n, v)."""
        n, v = values.shape
        if not n:
            return cls(0, np.zeros(v), np.zeros((0, v)))
        mean = values.mean(axis=0)
        return cls(n, mean, np.linalg.qr(values - mean, mode="r"))

    def __add__(self, other: Moments) -> Moments:
        """Of both sets of sessions together."""
        n = self.n + other.n
        mean = self.mean + (other.mean - self.mean) * (other.n / max(n, 1))
        between = [np.sqrt(one.n) * (one.mean - mean) for one in (self, other)]
        return Moments(n, mean, np.linalg.qr(np.vstack([self.root, other.root, *between]), mode="r"))


@dataclass(frozen=True)
class Facts:
    """What sessions sum to, of one part or of all; no client and no therapist is in two parts.

    Parameters
    ----------
    n_rows : int
        Rows read.
    n_sessions, n_rated : int
        Sessions with guidance that take part, and those with satisfaction too.
    n_clients, n_therapists, n_series : int
        `n_series` counts clients with `MIN_SESSIONS` rated sessions or more; `n_therapists` is 0 without them.
    is_steady : bool
        Whether guidance never differs between a client's sessions.
    guidance, satisfaction : Moments
    """

    n_rows: int
    n_sessions: int
    n_rated: int
    n_clients: int
    n_therapists: int
    n_series: int
    is_steady: bool
    guidance: Moments
    satisfaction: Moments

    @classmethod
    def of(cls, sessions: Sessions) -> Facts:
        """Count and sum sessions."""
        guidance = sessions.guidance[:, -1]
        first = np.flatnonzero(np.diff(sessions.client, prepend=-1))
        spread = (
            np.maximum.reduceat(guidance, first) - np.minimum.reduceat(guidance, first) if len(first) else np.zeros(1)
        )
        n_clients = len(first)
        series = np.bincount(sessions.client[sessions.is_rated], minlength=n_clients)
        return cls(
            n_rows=sessions.n_rows,
            n_sessions=len(sessions.client),
            n_rated=len(sessions.satisfaction),
            n_clients=n_clients,
            n_therapists=int(sessions.therapist.max(initial=-1)) + 1 if sessions.has_therapists else 0,
            n_series=int((series >= MIN_SESSIONS).sum()),
            is_steady=bool(spread.max() == 0),
            guidance=Moments.of(sessions.guidance),
            satisfaction=Moments.of(sessions.satisfaction),
        )

    def __add__(self, other: Facts) -> Facts:
        """Of two parts together."""
        return Facts(
            self.n_rows + other.n_rows,
            self.n_sessions + other.n_sessions,
            self.n_rated + other.n_rated,
            self.n_clients + other.n_clients,
            self.n_therapists + other.n_therapists,
            self.n_series + other.n_series,
            self.is_steady and other.is_steady,
            self.guidance + other.guidance,
            self.satisfaction + other.satisfaction,
        )


@dataclass(frozen=True)
class Equation:
    """One equation's columns, and the way back to its units.

    Parameters
    ----------
    outcome : str
    names : tuple of str, length p
        Columns that are estimated.
    dropped : tuple of str
        Columns that were linear combinations of those before them.
    kept : ndarray of int, shape (p,)
        Which of all columns are estimated.
    back : ndarray, shape (P, p)
        The engine's columns are the columns before any was dropped times this; coefficients are `center` (on the
        intercept) + scale * back[kept] @ (the engine's coefficients).
    center, scale : float
        Of the outcome.
    """

    outcome: str
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    kept: np.ndarray
    back: np.ndarray
    center: float
    scale: float

    def engine(self, values: np.ndarray) -> np.ndarray:
        """Outcome and columns in the engine's units, shape (n, 1 + p), of columns and outcome, shape (n, P + 1)."""
        return np.column_stack([(values[:, -1] - self.center) / self.scale, values[:, :-1] @ self.back])


@dataclass(frozen=True)
class Frame:
    """The coordinates that all sessions share, and how many there are."""

    facts: Facts
    guidance: Equation
    satisfaction: Equation

    def rows(self, sessions: Sessions) -> Rows:
        """Sessions, all of them or a part, in the engine's units."""
        Y = np.zeros((len(sessions.client), 1 + len(self.satisfaction.names)))
        Y[sessions.is_rated] = self.satisfaction.engine(sessions.satisfaction)
        return Rows(
            sessions.client,
            sessions.therapist,
            sessions.slot,
            sessions.is_rated,
            self.guidance.engine(sessions.guidance),
            Y,
        )


def settle_frame(facts: Facts, designs: tuple[Design, Design], guidance: str) -> Frame:
    """Settle the coordinates.

    Parameters
    ----------
    facts : Facts
        Of all sessions.
    designs : tuple of Design
        Columns of guidance's equation and of satisfaction's.
    guidance : str
        The column of guidance.

    Raises
    ------
    FitRefused
        No session with guidance or none with satisfaction; an outcome that does not vary, or is an exact function of
        its equation's columns; too few clients with long series.
    """
    for n, what in (
        (facts.n_sessions, f"guidance and what its equation needs ({facts.n_rows:,} rows read)"),
        (facts.n_rated, "satisfaction and what its equation needs"),
    ):
        if not n:
            raise FitRefused(f"No session has {what}.", "look at which columns are missing")
    equations = (
        _equation(facts.guidance, column_names(designs[0]), guidance),
        _equation(facts.satisfaction, column_names(designs[1]), designs[1].formula.outcome),
    )
    if facts.is_steady:
        raise FitRefused(
            f"{guidance!r} never differs between a client's sessions: nothing can be said about sessions.",
            "look at how guidance was rated",
        )
    if facts.n_series < MIN_CLIENTS:
        raise FitRefused(
            f"Only {facts.n_series:,} clients have {MIN_SESSIONS} or more rated sessions (at least {MIN_CLIENTS}).",
            "use the mixed model `fit_linear`, and say that it cannot tell guidance from therapists' responses",
        )
    return Frame(facts, *equations)


def _equation(moments: Moments, names: tuple[str, ...], outcome: str) -> Equation:
    """An equation's coordinates: orthonormal columns (over the sessions), and an outcome of variance 1."""
    root_n = np.sqrt(moments.n)
    has_intercept = INTERCEPT_NAME in names
    center = float(moments.mean[-1]) if has_intercept else 0.0
    scale = float(np.linalg.norm(moments.root[:, -1]) / root_n)
    if scale <= 1e-12 * (1 + abs(float(moments.mean[-1]))):
        raise FitRefused(f"{outcome!r} has the same value in all {moments.n:,} sessions.", "nothing can be estimated")
    mean, root = moments.mean[:-1], moments.root[:, :-1]
    unit = np.eye(len(names))
    if has_intercept:
        first = names.index(INTERCEPT_NAME)
        unit[first] -= np.where(np.arange(len(names)) == first, 0.0, mean)
    # few rows with the cross-products of all
    X = np.vstack([mean @ unit, root @ unit / root_n])
    y = np.append(moments.mean[-1] - center, moments.root[:, -1] / root_n) / scale
    size = np.linalg.norm(X, axis=0)
    raw = np.hypot(mean, np.linalg.norm(root, axis=0) / root_n)
    is_alive = size > DEPENDENT * np.where(raw > 0, raw, 1.0)
    unit, X = unit / np.where(is_alive, size, 1.0), X / np.where(is_alive, size, 1.0)
    kept: list[int] = []
    basis = np.empty((len(X), 0))
    for i in np.flatnonzero(is_alive):
        rest = X[:, i] - basis @ (basis.T @ X[:, i])
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > DEPENDENT:
            kept.append(int(i))
            basis = np.column_stack([basis, rest / length])
    if not kept:
        raise DataRefused("An equation of the dynamic model has no column that varies.")
    left = y - basis @ (basis.T @ y)
    if left @ left <= EXACT * (y @ y):
        raise FitRefused(
            f"{outcome!r} is an exact function of the columns of its equation.", "look at what the formula contains"
        )
    return Equation(
        outcome,
        tuple(names[i] for i in kept),
        tuple(name for i, name in enumerate(names) if i not in kept),
        np.array(kept),
        unit[:, kept] @ np.linalg.inv(basis.T @ X[:, kept]),
        center,
        scale,
    )
