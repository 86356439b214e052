"""Whether the answers about a binomial model can be taken apart by how many rows and events clients have.

What a client adds to a Laplace deviance, its gradient and its Hessian follows from the number of her rows, of her
events, and her predictors. Clients who are alike in these are of one kind; every number of every answer is one more
equation for how many clients of each kind there are. As in `outcomes.federation.taken_apart` a resolution matrix says
what the rounds tell of these numbers, here with two sorts of noise: the rounding of the answers, and what clients of
one kind differ in (predictors with many values), by its actual covariance. Nothing may be told of few: of no kind, and
of no run of kinds of like numbers of rows or like predictors, that has fewer clients together than a site may tell of.

It is computed twice: once for all kinds, and once for somebody who knows how many clients have each number of rows and
asks only which of them had the event. The first covers sums of predictors over a kind, too.

All is computed for whoever knows the numbers of every other site. Where the model has further random terms, those of
therapists beside those of clients, the answers are sums by their levels, too: clients are of one kind only where they
have the same therapist, and what they add is taken at the mode of hers. So a client who is alone with her number of
sessions among the clients of her therapist counts as alone, whoever else has as many.

The rounds without random effects are sums over rows, whatever the model's terms. With a link other than the logit each
tells the events by predictor anew: `events_told` looks at the rows in the same way, those alike in all predictors with
few values. With the logit the events enter by the columns' own sums only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from outcomes.federation.singled_out import MAX_VALUES
from outcomes.federation.taken_apart import most_told
from outcomes.mixed.binomial.contributions import contributions, effects, row_derivatives
from outcomes.mixed.binomial.shares import Asked, PlaceRows
from outcomes.mixed.design.columns import FixedPart

FEW_VALUES = 20
"""A predictor with at most so many values is taken for known up to its mean over a client's rows."""
_LEAST_UNIT = 1e-30
"""Of the largest unit: a part of an answer whose numbers are all zero is told without rounding, and has no noise."""


@dataclass(frozen=True)
class Told:
    """What the answers are computed from.

    Parameters
    ----------
    rows : PlaceRows
    fixed : FixedPart
    unit : tuple of str
        The grouping factor whose levels are told apart: clients, or therapists where the model has no term of clients.
    clients : ndarray, shape (levels,)
        Clients of each level: 1 of a client.
    beside : tuple of tuple of str
        Grouping factors of the model's further random terms.
    """

    rows: PlaceRows
    fixed: FixedPart
    unit: tuple[str, ...]
    clients: np.ndarray
    beside: tuple[tuple[str, ...], ...] = ()

    def of_few(self, asked: Sequence[tuple[Asked, np.ndarray]], precision: float, fewest: int) -> float:
        """How much the answers tell of fewer clients than `fewest`.

        Parameters
        ----------
        asked : sequence of (Asked, ndarray)
            All rounds, each with the fixed effects and the covariance parameters of the unit and of what is beside it.
        precision : float
            Rounding of an answer, relative to the largest number of each of its parts.
        fewest : int

        Returns
        -------
        float
            Share of what is not known beforehand, 0 to 1; above `outcomes.federation.taken_apart.TOLD` it is too much.
            1 where it cannot be computed.
        """
        try:
            return self._of_few(asked, precision, fewest)
        except (FloatingPointError, np.linalg.LinAlgError):
            return 1.0

    def _of_few(self, asked: Sequence[tuple[Asked, np.ndarray]], precision: float, fewest: int) -> float:
        codes = self.rows.rows.groups[self.unit].codes
        n_rows, n_events = np.bincount(codes), np.bincount(codes, weights=self.rows.events)
        known = [*self._known_means(codes), *self._levels_beside(codes)]
        alike = _numbered([n_rows, *known])
        kinds = _numbered([alike, n_events])
        fixed_at = [self._offset(*question) for question in asked]
        own, unit = self._answers(self.rows, asked, fixed_at, precision)
        means = _means(own, kinds)
        noise = _Noise(unit, own - means[kinds])
        n_levels, n_clients = np.bincount(kinds).astype(float), np.bincount(kinds, weights=self.clients)
        one = np.unique(kinds, return_index=True)[1]  # a level of each kind
        by_length = np.lexsort([key[one] for key in (n_events, *known, n_rows)])
        by_predictor = np.lexsort([key[one] for key in (n_events, n_rows, *known)])
        orders = [by_length, by_predictor]
        all_kinds = most_told(noise.whitened(means), np.sqrt(n_levels), n_clients, fewest, orders)
        turned = self._answers(_turned(self.rows, codes, n_events), asked, fixed_at, precision)[0]
        which, columns, expected, counts = _by_event(means, _means(turned, kinds), kinds, alike, n_clients)
        orders = [np.argsort(np.argsort(order)[which]) for order in orders]
        return max(all_kinds, most_told(noise.whitened(columns), expected, counts, fewest, orders))

    def _known_means(self, codes: np.ndarray) -> list[np.ndarray]:
        """By level, means of the predictors that have few values."""
        columns = [column for column in self.rows.rows.X.T if np.unique(column).size <= FEW_VALUES]
        return [np.round(np.bincount(codes, weights=column) / np.bincount(codes), 9) for column in columns]

    def _levels_beside(self, codes: np.ndarray) -> list[np.ndarray]:
        """By level, that of each further term in which its first row is."""
        first = np.unique(codes, return_index=True)[1]
        return [self.rows.rows.groups[group].codes[first] for group in self.beside]

    def _offset(self, asked: Asked, at: np.ndarray) -> np.ndarray | None:
        """What the further terms add to the linear predictor of each row."""
        if not self.beside:
            return None
        return sum(effects(self.rows, self.fixed, [self.unit, *self.beside], asked, at)[1:])

    def _answers(
        self,
        rows: PlaceRows,
        asked: Sequence[tuple[Asked, np.ndarray]],
        offsets: Sequence[np.ndarray | None],
        precision: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """All numbers of all rounds by level, (levels, e), and the units to which the answers are rounded, (e,)."""
        own, n_parameters = [], []
        for (kind, at), offset in zip(asked, offsets, strict=True):
            there = replace(rows, rows=replace(rows.rows, offset=offset))
            model = there.place(self.fixed, [":".join(self.unit)]).model
            here = at[: at.size - len(self.beside)] if kind is not Asked.INFORMATION else at
            own.append(contributions(model, kind, here))
            n_parameters.append(here.size)
        return np.concatenate(own, axis=1), _units(own, n_parameters, precision)


def events_told(
    rows: PlaceRows,
    fixed: FixedPart,
    clients: np.ndarray,
    asked: Sequence[tuple[Asked, np.ndarray]],
    precision: float,
    fewest: int,
) -> float:
    """How much the rounds without random effects tell of the events of fewer clients than `fewest`.

    Parameters
    ----------
    rows : PlaceRows
    fixed : FixedPart
    clients : ndarray of int, shape (n,)
        Code of each row's client.
    asked : sequence of (Asked, ndarray)
        All rounds; those with random effects are left out.
    precision : float
    fewest : int

    Returns
    -------
    float
        As of `Told.of_few`, for somebody who knows the predictors with few values: of the logit, those with at most
        `MAX_VALUES`.
    """
    X = rows.rows.X
    most = MAX_VALUES if rows.link.name == "logit" else FEW_VALUES
    few_values = [np.round(column, 9) for column in X.T if np.unique(column).size <= most]
    alike = _numbered([np.zeros(clients.size), *few_values])
    kinds = _numbered([alike, rows.events])
    of_kind = np.unique(np.column_stack([kinds, clients]), axis=0)[:, 0]
    n_clients = np.bincount(of_kind).astype(float)
    which = [others if others.size else own for own, others in _apart(kinds, alike)]
    if n_clients[np.concatenate(which)].min() >= fewest:
        return 0.0
    own, unit = _row_answers(rows, fixed, rows.events, asked, precision)
    turned = _row_answers(rows, fixed, 1 - rows.events, asked, precision)[0]
    means = _means(own, kinds)
    _, columns, expected, counts = _by_event(means, _means(turned, kinds), kinds, alike, n_clients)
    try:
        return most_told(_Noise(unit, own - means[kinds]).whitened(columns), expected, counts, fewest)
    except (FloatingPointError, np.linalg.LinAlgError):
        return 1.0


def _row_answers(
    rows: PlaceRows,
    fixed: FixedPart,
    events: np.ndarray,
    asked: Sequence[tuple[Asked, np.ndarray]],
    precision: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers without random effects by row, (n, e), and the units of their sums, (e,)."""
    own, n_parameters = [], []
    for kind, at in asked:
        if kind is Asked.INFORMATION:
            X, _, row = row_derivatives(replace(rows, events=events), fixed, [], kind, at)
            upper = np.triu_indices(at.size)
            products = row.weight[:, None] * X[:, upper[0]] * X[:, upper[1]]
            own.append(np.column_stack([row.loglik, row.score[:, None] * X, products]))
            n_parameters.append(at.size)
    return np.concatenate(own, axis=1), _units(own, n_parameters, precision)


def _units(own: Sequence[np.ndarray], n_parameters: Sequence[int], precision: float) -> np.ndarray:
    """What the sums of each answer are rounded to: deviance, slopes and the rest each by their largest number."""
    units = [
        np.full(part.size, precision * part.max(initial=0.0))
        for numbers, m in zip(own, n_parameters, strict=True)
        for part in np.split(np.abs(numbers.sum(axis=0)), [1, 1 + m])
    ]
    sizes = np.concatenate(units)
    return np.maximum(sizes, _LEAST_UNIT * sizes.max())


@dataclass(frozen=True)
class _Noise:
    """What hides a kind's number: `unit` (e,) of the rounding, and departures (levels, e) of levels from their kind."""

    unit: np.ndarray
    departures: np.ndarray

    def whitened(self, columns: np.ndarray) -> np.ndarray:
        """Equations (e, u) with noise of size 1 from the unknowns' columns (u, e)."""
        sd = self.unit / np.sqrt(12)
        directions, sizes, _ = np.linalg.svd((self.departures / sd).T, full_matrices=False)
        scaled = (columns / sd).T
        return scaled - (directions * (1 - 1 / np.hypot(1, sizes))) @ (directions.T @ scaled)


def _numbered(keys: Sequence[np.ndarray]) -> np.ndarray:
    """Number the distinct combinations of keys, (levels,) each."""
    return np.unique(np.column_stack(keys), axis=0, return_inverse=True)[1].ravel()


def _means(values: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Means of rows (levels, e) by kind."""
    order = np.argsort(kinds, kind="stable")
    starts = np.searchsorted(kinds[order], np.arange(kinds.max() + 1))
    return np.add.reduceat(values[order], starts, axis=0) / np.bincount(kinds)[:, None]


def _turned(rows: PlaceRows, codes: np.ndarray, n_events: np.ndarray) -> PlaceRows:
    """The same rows with one outcome of each level turned: of the last event, or of the last row where there is
    none."""
    candidates = np.flatnonzero((rows.events > 0) | (n_events[codes] == 0))
    last = np.zeros(n_events.size, dtype=int)
    np.maximum.at(last, codes[candidates], candidates)
    events = rows.events.copy()
    events[last] = 1 - events[last]
    return replace(rows, events=events)


def _by_event(
    means: np.ndarray, turned: np.ndarray, kinds: np.ndarray, alike: np.ndarray, n_clients: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Unknowns for whoever knows how many are alike but for their events: kinds (u,), columns (u, e), expected sizes
    and clients (u,).

    Where all who are alike have equally many events, the unknown is how many of them have one more or less.
    """
    n_levels = np.bincount(kinds).astype(float)
    which, columns, expected, counts = [], [], [], []
    for own, others in _apart(kinds, alike):
        base = own[np.argmax(n_levels[own])]
        total = n_levels[own].sum()
        share = (n_levels[others] + 0.5) / (total + 0.5 * own.size) if others.size else np.array([0.5 / (total + 1)])
        which.append(others if others.size else own)
        columns.append(means[others] - means[base] if others.size else turned[base][None] - means[base])
        expected.append(np.sqrt(total * share * (1 - share)))
        counts.append(n_clients[which[-1]])
    return np.concatenate(which), np.concatenate(columns), np.concatenate(expected), np.concatenate(counts)


def _apart(kinds: np.ndarray, alike: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of all who are alike: their kinds, and these without the one that most are of."""
    n_levels = np.bincount(kinds)
    group = np.zeros(n_levels.size, dtype=int)
    group[kinds] = alike
    for number in range(group.max() + 1):
        own = np.flatnonzero(group == number)
        yield own, own[own != own[np.argmax(n_levels[own])]]
