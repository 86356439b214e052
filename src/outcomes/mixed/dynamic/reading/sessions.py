"""From two formulas and a table, or a part of one, to the sessions that take part, sorted by client and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from outcomes.errors import FitRefused, FormulaError, UsageError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.data import Source, quoted
from outcomes.mixed.design.formula import parse_formula

FIRST_SESSION = "first session"
"""Column of both equations: the first session's own mean, as a difference from the others'."""

MIN_SESSIONS = 4
"""Rated sessions of a client that tell carry-over and lasting differences between clients apart."""
MAX_SLOT = 1_000
"""Sessions from a client's first to the last above which the time column is taken for a mistake."""


@dataclass(frozen=True)
class Asked:
    """A dynamic model as it is asked for; see `outcomes.mixed.dynamic.fit.fit_dynamic`."""

    formula: str
    guidance: str
    client: str
    therapist: str | None
    time: str
    covariates: str

    @property
    def equations(self) -> tuple[str, str]:
        """Satisfaction's and guidance's equation as the fit tells them."""
        return " ".join(self.formula.split()), f"{self.guidance} ~ {self.covariates}"

    @property
    def formulas(self) -> tuple[str, str]:
        """Guidance's and satisfaction's formula; the client is the grouping factor that the machinery asks for.

        Raises
        ------
        FormulaError
            Random terms.
        """
        both = f"{quoted_name(self.guidance)} ~ {self.covariates}", self.formula
        if any(parse_formula(text).random for text in both):
            raise FormulaError(
                "The dynamic model has its intercepts of clients and therapists already.",
                "leave the bracketed terms out of the formula",
            )
        return tuple(f"{text} + (1 | {quoted_name(self.client)})" for text in both)

    def groups(self, n_clients: int, n_therapists: int) -> dict[str, int]:
        """Levels by grouping factor."""
        return {self.client: n_clients} | ({self.therapist: n_therapists} if self.therapist else {})

    def check_columns(self, source: Source) -> None:
        """Refuse roles without a column, and columns with two roles.

        Raises
        ------
        UsageError
        """
        roles = {"guidance": self.guidance, "client": self.client, "therapist": self.therapist, "time": self.time}
        for role, name in roles.items():
            if name is not None and name not in source.types:
                told = f"The data have no column {name!r} for the {role}."
                raise UsageError(told, "it has " + ", ".join(source.types))
        if len(set(roles.values())) < 4:
            raise UsageError("Guidance, client, therapist and time must be different columns.")


@dataclass(frozen=True)
class Sessions:
    """Sessions with guidance, sorted by client and time, in the data's units.

    Parameters
    ----------
    n_rows : int
        Rows read, those that do not take part included.
    client, therapist : ndarray of int, shape (n,)
        Codes 0, 1, ...; all therapists 0 in a model without them.
    has_therapists : bool
    slot : ndarray of int, shape (n,)
        Sessions since the client's first.
    is_rated : ndarray of bool, shape (n,)
        Whether satisfaction takes part.
    guidance : ndarray, shape (n, p_d + 1)
        Columns of its equation, and guidance last.
    satisfaction : ndarray, shape (n rated, p_y + 1)
        The same of satisfaction, of the rated sessions only.
    """

    n_rows: int
    client: np.ndarray
    therapist: np.ndarray
    has_therapists: bool
    slot: np.ndarray
    is_rated: np.ndarray
    guidance: np.ndarray
    satisfaction: np.ndarray


def column_names(design: Design) -> tuple[str, ...]:
    """Columns of an equation."""
    return (*design.fixed, FIRST_SESSION)


def read_sessions(asked: Asked, source: Source, designs: tuple[Design, Design]) -> Sessions:
    """Read, check and sort the sessions; designs are guidance's and satisfaction's.

    Raises
    ------
    UsageError
        Guidance and satisfaction are one column.
    FitRefused
        Two rows of one client at one time; times that do not count sessions; values that are not finite.
    """
    if designs[0].outcome == designs[1].outcome:
        raise UsageError("Guidance and satisfaction are the same column.")
    table = _query(source, designs, asked)
    client = _codes(table, "client")
    therapist = _codes(table, "therapist") if asked.therapist else np.zeros(len(table), dtype=int)
    slot = _slots(table, client, asked.time)
    order = np.lexsort((slot, client))
    _refuse_duplicates(client[order], slot[order], asked.client, asked.time)
    order = order[_flags(table, "ready")[order]]
    is_rated, slot = _flags(table, "rated")[order], slot[order]
    return Sessions(
        n_rows=len(table),
        client=np.unique(client[order], return_inverse=True)[1],
        therapist=np.unique(therapist[order], return_inverse=True)[1],
        has_therapists=asked.therapist is not None,
        slot=slot,
        is_rated=is_rated,
        guidance=_values(table, "g", designs[0], order, slot, asked.guidance),
        satisfaction=_values(table, "y", designs[1], order[is_rated], slot[is_rated], designs[1].formula.outcome),
    )


def quoted_name(name: str) -> str:
    """A column's name as a formula has it."""
    return name if name.isidentifier() else f"`{name}`"


def _query(source: Source, designs: tuple[Design, Design], asked: Asked) -> pa.Table:
    """All rows that belong to a client and a time, with both equations' columns."""
    therapist = quoted(asked.therapist) if asked.therapist else None
    ready = designs[0].complete + (f" and {therapist} is not null" if therapist else "")
    selected = [
        f"{quoted(asked.client)} as client",
        f"cast({quoted(asked.time)} as double) as time",
        f"({ready}) as ready",
        f"({ready} and {designs[1].complete}) as rated",
    ]
    if therapist:
        selected.append(f"{therapist} as therapist")
    for letter, design in zip("gy", designs, strict=True):
        selected.append(f"{design.outcome} as {letter}")
        selected += [f"{design.columns[name]} as {letter}{i}" for i, name in enumerate(design.fixed)]
    known = f"{quoted(asked.client)} is not null and {quoted(asked.time)} is not null"
    return source.read(selected, known)


def _flags(table: pa.Table, name: str) -> np.ndarray:
    """A column of truth values."""
    return table.column(name).to_numpy(zero_copy_only=False).astype(bool)


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


def _values(
    table: pa.Table, letter: str, design: Design, rows: np.ndarray, slot: np.ndarray, outcome: str
) -> np.ndarray:
    """An equation's columns and its outcome, shape (rows, p + 1)."""
    names = (*column_names(design), outcome)
    values = np.empty((len(rows), len(names)), order="F")
    for i, name in enumerate((*(f"{letter}{i}" for i in range(len(design.fixed))), None, letter)):
        values[:, i] = slot == 0 if name is None else table.column(name).to_numpy(zero_copy_only=False)[rows]
    for name, column in zip(names, values.T, strict=True):
        if n_bad := int((~np.isfinite(column)).sum()):
            raise FitRefused(
                f"Column {name} has {n_bad:,} non-finite values (NaN or infinite).",
                "make them missing (null), or correct them",
            )
    return values
