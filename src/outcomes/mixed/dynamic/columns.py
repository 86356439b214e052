"""From a formula and a table to the sorted rows of the two equations, centred and scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from outcomes.errors import DataRefused, FitRefused, FormulaError, UsageError
from outcomes.mixed.design.coding import INTERCEPT_NAME, Design
from outcomes.mixed.design.data import VIEW, Source, as_source, quoted
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.population import build_design
from outcomes.mixed.dynamic.sequences import Rows

FIRST_SESSION = "first session"
"""Column of both equations: the first session's own mean, as a difference from the others'."""

MIN_SESSIONS = 4
"""Rated sessions of a client that tell carry-over and lasting differences between clients apart."""
MIN_CLIENTS = 100
"""Clients with such series below which the model is refused: the worlds of docs/dynamic-model.md are tried above it."""
MAX_SLOT = 1_000
"""Sessions from a client's first to the last above which the time column is taken for a mistake."""
DEPENDENT = 1e-9
"""Part of a column's length, the columns before it taken out, below which it counts as their combination."""
EXACT = 1e-10
"""Part of the variance left by least squares below which an equation holds exactly: there is nothing to estimate."""


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
    back : ndarray, shape (p, p)
        Coefficients are `center` (on the intercept) + scale * back @ (the engine's coefficients).
    center, scale : float
        Of the outcome.
    """

    outcome: str
    names: tuple[str, ...]
    dropped: tuple[str, ...]
    back: np.ndarray
    center: float
    scale: float


@dataclass(frozen=True)
class DynamicRows:
    """The model's data.

    Parameters
    ----------
    rows : Rows
        In the engine's units.
    guidance, satisfaction : Equation
    n_rows : int
        Rows read.
    n_sessions, n_rated : int
        Sessions with guidance that take part, and those with satisfaction too.
    n_clients, n_therapists, n_series : int
        `n_series` counts clients with `MIN_SESSIONS` rated sessions or more; `n_therapists` is 0 without them.
    """

    rows: Rows
    guidance: Equation
    satisfaction: Equation
    n_rows: int
    n_sessions: int
    n_rated: int
    n_clients: int
    n_therapists: int
    n_series: int


def read_rows(
    formula: str, data: Any, *, guidance: str, client: str, therapist: str | None, time: str, covariates: str
) -> DynamicRows:
    """Read, check and sort the rows; see `outcomes.mixed.dynamic.fit.fit_dynamic`.

    Raises
    ------
    UsageError, FormulaError
        Columns that do not exist, random terms in a formula.
    FitRefused
        Two rows of one client at one time; times that do not count sessions; guidance or satisfaction that never
        varies; values that are not finite.
    """
    source = as_source(data)
    for role, name in (("guidance", guidance), ("client", client), ("therapist", therapist), ("time", time)):
        if name is not None and name not in source.types:
            raise UsageError(f"The data have no column {name!r} for the {role}.", "it has " + ", ".join(source.types))
    if len({guidance, client, therapist, time}) < 4:
        raise UsageError("Guidance, client, therapist and time must be different columns.")
    designs = [_design(text, source, client) for text in (f"{quoted_name(guidance)} ~ {covariates}", formula)]
    if designs[0].outcome == designs[1].outcome:
        raise UsageError("Guidance and satisfaction are the same column.")
    table = _query(source, designs, client, therapist, time)
    keys = [_codes(table, "client"), _codes(table, "therapist") if therapist else np.zeros(len(table), dtype=int)]
    slot = _slots(table, keys[0], time)
    order = np.lexsort((slot, keys[0]))
    _refuse_duplicates(keys[0][order], slot[order], client, time)
    ready = table.column("ready").to_numpy(zero_copy_only=False).astype(bool)
    order = order[ready[order]]
    if not len(order):
        raise FitRefused(
            f"No session has guidance and what its equation needs ({len(table):,} rows read).",
            "look at which columns are missing",
        )
    is_rated = table.column("rated").to_numpy(zero_copy_only=False).astype(bool)[order]
    if not is_rated.any():
        raise FitRefused(
            "No session has satisfaction and what its equation needs.", "look at which columns are missing"
        )
    by_client = np.unique(keys[0][order], return_inverse=True)[1]
    slot = slot[order]
    is_first = (slot == 0).astype(float)
    everywhere = np.ones(len(order), dtype=bool)
    D, guidance_equation = _equation(table, "g", designs[0], order, everywhere, is_first, guidance)
    Y, satisfaction_equation = _equation(table, "y", designs[1], order, is_rated, is_first, designs[1].formula.outcome)
    _refuse_steady(D[:, 0], by_client, guidance)
    series = np.bincount(by_client[is_rated])
    rows = Rows(by_client, np.unique(keys[1][order], return_inverse=True)[1], slot, is_rated, D, Y)
    return DynamicRows(
        rows=rows,
        guidance=guidance_equation,
        satisfaction=satisfaction_equation,
        n_rows=len(table),
        n_sessions=len(order),
        n_rated=int(is_rated.sum()),
        n_clients=int(by_client.max()) + 1,
        n_therapists=int(rows.therapist.max()) + 1 if therapist else 0,
        n_series=int((series >= MIN_SESSIONS).sum()),
    )


def quoted_name(name: str) -> str:
    """A column's name as a formula has it."""
    return name if name.isidentifier() else f"`{name}`"


def _design(formula: str, source: Source, client: str) -> Design:
    """Columns of one equation as SQL; the client stands in as grouping factor, which the formula machinery asks for."""
    if parse_formula(formula).random:
        raise FormulaError(
            "The dynamic model has its intercepts of clients and therapists already.",
            "leave the bracketed terms out of the formula",
        )
    return build_design(f"{formula} + (1 | {quoted_name(client)})", source)


def _query(source: Source, designs: list[Design], client: str, therapist: str | None, time: str) -> pa.Table:
    """All rows that belong to a client and a time, with both equations' columns."""
    ready = designs[0].complete + (f" and {quoted(therapist)} is not null" if therapist else "")
    selected = [
        f"{quoted(client)} as client",
        f"cast({quoted(time)} as double) as time",
        f"({ready}) as ready",
        f"({ready} and {designs[1].complete}) as rated",
    ]
    if therapist:
        selected.append(f"{quoted(therapist)} as therapist")
    for letter, design in zip("gy", designs, strict=True):
        selected.append(f"{design.outcome} as {letter}")
        selected += [f"{design.columns[name]} as {letter}{i}" for i, name in enumerate(design.fixed)]
    known = f"{quoted(client)} is not null and {quoted(time)} is not null"
    return source.query(f"select {', '.join(selected)} from {VIEW} where {known}")


def _codes(table: pa.Table, name: str) -> np.ndarray:
    """Integer codes of a column of ids; missing ones are -1."""
    column = table.column(name).combine_chunks()
    column = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    indices = column.dictionary_encode().indices
    return indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def _slots(table: pa.Table, client: np.ndarray, time: str) -> np.ndarray:
    """Sessions since each client's first."""
    times = table.column("time").to_numpy(zero_copy_only=False)
    n_odd = int((~np.isfinite(times) | (times != np.round(times))).sum())
    if n_odd:
        raise FitRefused(
            f"{n_odd:,} values of the time {time!r} are not whole numbers.",
            "number each client's sessions 1, 2, 3, ...",
        )
    earliest = np.full(int(client.max(initial=-1)) + 1, np.inf)
    np.minimum.at(earliest, client, times)
    slot = times - earliest[client]
    if slot.max(initial=0) > MAX_SLOT:
        raise FitRefused(
            f"A client's times {time!r} are up to {slot.max():,.0f} apart (at most {MAX_SLOT:,}).",
            "the time must count sessions, not days",
        )
    return slot.astype(np.int64)


def _refuse_duplicates(client: np.ndarray, slot: np.ndarray, name: str, time: str) -> None:
    """Two rows of a client at one time have no order."""
    n = int(((client[1:] == client[:-1]) & (slot[1:] == slot[:-1])).sum())
    if n:
        raise FitRefused(
            f"{n:,} rows have the same {name!r} and the same {time!r} as another row.", "keep one row a session"
        )


def _refuse_steady(guidance: np.ndarray, client: np.ndarray, name: str) -> None:
    """Guidance that never moves within a client says nothing about sessions."""
    first = np.flatnonzero(np.diff(client, prepend=-1))
    spread = np.maximum.reduceat(guidance, first) - np.minimum.reduceat(guidance, first)
    if spread.max() == 0:
        raise FitRefused(
            f"{name!r} never differs between a client's sessions: nothing can be said about sessions.",
            "look at how guidance was rated",
        )


def _equation(
    table: pa.Table,
    letter: str,
    design: Design,
    order: np.ndarray,
    used: np.ndarray,
    is_first: np.ndarray,
    outcome_name: str,
) -> tuple[np.ndarray, Equation]:
    """An equation's outcome and orthonormal columns, (n, 1 + p); zero in rows that are not used."""

    def column(name: str) -> np.ndarray:
        return table.column(name).to_numpy(zero_copy_only=False).astype(float)[order[used]]

    names = [*design.fixed, FIRST_SESSION]
    outcome = column(letter)
    X = np.column_stack([*(column(f"{letter}{i}") for i in range(len(design.fixed))), is_first[used]])
    for values, name in ((outcome, outcome_name), *zip(X.T, names, strict=True)):
        if n_bad := int((~np.isfinite(values)).sum()):
            raise FitRefused(
                f"Column {name} has {n_bad:,} non-finite values (NaN or infinite).",
                "make them missing (null), or correct them",
            )
    has_intercept = INTERCEPT_NAME in names
    center = float(outcome.mean()) if has_intercept else 0.0
    scale = float(np.std(outcome))
    if scale <= 1e-12 * (1 + abs(center)):
        raise FitRefused(
            f"{outcome_name!r} has the same value in all {len(outcome):,} sessions.", "nothing can be estimated"
        )
    kept, back, orthonormal = _orthonormal(X, names, has_intercept)
    standard = (outcome - center) / scale
    left = standard - orthonormal @ (orthonormal.T @ standard) / len(standard)
    if left @ left <= EXACT * (standard @ standard):
        raise FitRefused(
            f"{outcome_name!r} is an exact function of the columns of its equation.",
            "look at what the formula contains",
        )
    whole = np.zeros((len(order), 1 + len(kept)))
    whole[used, 0] = standard
    whole[used, 1:] = orthonormal
    equation = Equation(
        outcome_name,
        tuple(names[i] for i in kept),
        tuple(name for i, name in enumerate(names) if i not in kept),
        back,
        center,
        scale,
    )
    return whole, equation


def _orthonormal(X: np.ndarray, names: list[str], has_intercept: bool) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Columns kept, the map from the engine's coefficients to theirs, and the columns it belongs to."""
    n, p = X.shape
    unit = np.eye(p)
    if has_intercept:
        first = names.index(INTERCEPT_NAME)
        means = X.mean(axis=0)
        means[first] = 0.0
        unit[first] -= means
    size = np.sqrt(((X @ unit) ** 2).mean(axis=0))
    raw = np.sqrt((X**2).mean(axis=0))
    is_alive = size > DEPENDENT * np.where(raw > 0, raw, 1.0)
    unit = unit / np.where(is_alive, size, 1.0)
    R = np.linalg.qr(X @ unit, mode="r") / np.sqrt(n)
    kept: list[int] = []
    basis = np.empty((len(R), 0))
    for i in np.flatnonzero(is_alive):
        rest = R[:, i] - basis @ (basis.T @ R[:, i])
        rest -= basis @ (basis.T @ rest)
        length = np.linalg.norm(rest)
        if length > DEPENDENT:
            kept.append(int(i))
            basis = np.column_stack([basis, rest / length])
    if not kept:
        raise DataRefused("An equation of the dynamic model has no column that varies.")
    triangle = basis.T @ R[:, kept]
    back = unit[:, kept] @ np.linalg.inv(triangle)
    return kept, back[kept], X @ back
