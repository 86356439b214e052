"""Faulty rows, one of a kind, hidden among the good rows of the ordinary source files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from outcomes.contract import Kind, Rule

Cells = dict[str, str]  # one row by column name, in the order of the header


@dataclass(frozen=True)
class RowFault:
    """How one good row becomes faulty.

    Attributes
    ----------
    name : str
    rule : Rule
        The rule that must catch it.
    spoil : callable
        Gives the lines that replace the row.
    faulty : tuple of int
        Which of those lines are to be quarantined.
    suits : callable
        Says whether a row can carry the fault without breaking another rule.
    """

    name: str
    rule: Rule
    spoil: Callable[[Cells], list[str]]
    faulty: tuple[int, ...] = (0,)
    suits: Callable[[Cells], bool] = lambda cells: True


@dataclass(frozen=True)
class PlantedRows:
    """Where a row fault went: physical lines of the file, from 1 (the header)."""

    name: str
    file: str
    lines: tuple[int, ...]
    rule: Rule


@dataclass(frozen=True)
class SourceText:
    """A CSV source as text: header and rows of unquoted cells."""

    name: str
    header: tuple[str, ...]
    rows: tuple[str, ...]

    def cells(self, place: int) -> Cells:
        """Return one row by column name."""
        return dict(zip(self.header, self.rows[place].split(","), strict=True))


def _line(cells: Cells) -> str:
    return ",".join(cells.values())


def _cell(name: str, rule: Rule, column: str, value: str, suits: Callable[[Cells], bool] | None = None) -> RowFault:
    """A fault of one cell; by default in a row that has a value there."""
    return RowFault(
        name, rule, lambda cells: [_line(cells | {column: value})], suits=suits or (lambda cells: bool(cells[column]))
    )


def _is_rated(cells: Cells) -> bool:
    return bool(cells["directiveness"] and cells["satisfaction"])


def _is_missed(cells: Cells) -> bool:
    return cells["attended"] == "no"


def _is_closed(cells: Cells) -> bool:
    return bool(cells["end"]) and cells["ending"] != "unknown"


def _twice(cells: Cells) -> list[str]:
    return [_line(cells), _line(cells)]


def _two_versions(column: str, value: str) -> Callable[[Cells], list[str]]:
    return lambda cells: [_line(cells), _line(cells | {column: value})]


SESSION_FAULTS = (
    RowFault("one field too many", Rule.RAGGED_ROW, lambda cells: [_line(cells) + ",7"]),
    RowFault("three fields too few", Rule.RAGGED_ROW, lambda cells: [",".join(list(cells.values())[:-3])]),
    _cell("quotation mark inside a cell", Rule.BAD_QUOTE, "satisfaction", '7"5'),
    _cell("NUL byte in a cell", Rule.CONTROL_CHARACTER, "satisfaction", "7.5\x00"),
    _cell("no client id", Rule.MISSING_KEY, "client_id", ""),
    _cell("no therapist id", Rule.MISSING_KEY, "therapist_id", ""),
    _cell("a word for a rating", Rule.NOT_A_NUMBER, "alliance", "good"),
    _cell("decimal comma, quoted", Rule.NOT_A_NUMBER, "satisfaction", '"7,5"'),
    _cell("half a session", Rule.NOT_AN_INTEGER, "session_number", "2.5"),
    _cell("a day of another format", Rule.NOT_A_DATE, "session_date", "17.05.2024"),
    _cell("30 February", Rule.NOT_A_DATE, "session_date", "2024-02-30"),
    _cell("a session in the next century", Rule.IMPOSSIBLE_DATE, "session_date", "2124-05-17"),
    _cell("a session before computers", Rule.IMPOSSIBLE_DATE, "session_date", "1924-05-17"),
    _cell("perhaps attended", Rule.NOT_YES_NO, "attended", "perhaps"),
    _cell("asked sometimes", Rule.NOT_YES_NO, "asked_about_guidance", "sometimes"),
    _cell("a rating above the scale", Rule.OUT_OF_RANGE, "directiveness", "11.5"),
    _cell("a rating below the scale", Rule.OUT_OF_RANGE, "satisfaction", "-0.5"),
    _cell("session number 0", Rule.OUT_OF_RANGE, "session_number", "0"),
    RowFault(
        "ratings of a missed appointment",
        Rule.RATED_BUT_ABSENT,
        lambda cells: [_line(cells | {"directiveness": "5.5", "satisfaction": "8.0"})],
        suits=_is_missed,
    ),
    RowFault("the same row twice", Rule.DUPLICATE_ROW, _twice, faulty=(1,)),
    RowFault(
        "two versions of a session",
        Rule.CONFLICTING_ROWS,
        _two_versions("satisfaction", "0.0"),
        faulty=(0, 1),
        suits=lambda cells: _is_rated(cells) and cells["satisfaction"] != "0.0",
    ),
)

CUT_OFF = RowFault("the last line cut off", Rule.RAGGED_ROW, lambda cells: [_line(cells)[:25]])

EPISODE_FAULTS = (
    _cell("the end before the start", Rule.END_BEFORE_START, "end", "2019-03-01", _is_closed),
    _cell("open, with an end", Rule.ENDED_BUT_OPEN, "ending", "open", _is_closed),
    _cell("an end after the data cut", Rule.ENDED_BUT_OPEN, "data_cut", "2024-01-02", _is_closed),
    _cell("an unknown ending", Rule.UNKNOWN_CODE, "ending", "ghosted", _is_closed),
    _cell("a start in the future", Rule.IMPOSSIBLE_DATE, "start", "2123-01-01", lambda cells: not cells["end"]),
    _cell("severity above the scale", Rule.OUT_OF_RANGE, "intake_severity", "55"),
    _cell("no session planned", Rule.OUT_OF_RANGE, "planned_sessions", "0"),
    _cell("dozens of sessions planned", Rule.NOT_AN_INTEGER, "planned_sessions", "dozens"),
    _cell("no episode id", Rule.MISSING_KEY, "episode_id", ""),
    RowFault("the same episode twice", Rule.DUPLICATE_ROW, _twice, faulty=(1,)),
    RowFault(
        "two versions of an episode",
        Rule.CONFLICTING_ROWS,
        _two_versions("planned_sessions", "7"),
        faulty=(0, 1),
    ),
)

CLIENT_FAULTS = (
    _cell("an age in years", Rule.UNKNOWN_CODE, "age_band", "37"),
    _cell("an unknown code of gender", Rule.UNKNOWN_CODE, "gender", "9"),
    _cell("a preference beyond the scale", Rule.OUT_OF_RANGE, "directiveness_preferred", "12.0"),
    _cell("a word for reactance", Rule.NOT_A_NUMBER, "reactance", "high"),
    RowFault("the same client twice", Rule.DUPLICATE_ROW, _twice, faulty=(1,)),
    RowFault(
        "two versions of a client",
        Rule.CONFLICTING_ROWS,
        _two_versions("directiveness_preferred", ""),
        faulty=(0, 1),
        suits=lambda cells: bool(cells["directiveness_preferred"]),
    ),
)

_KEY = {Kind.SESSIONS: "episode_id", Kind.EPISODES: "episode_id", Kind.CLIENTS: "client_id"}
_FAULTS = {Kind.SESSIONS: SESSION_FAULTS, Kind.EPISODES: EPISODE_FAULTS, Kind.CLIENTS: CLIENT_FAULTS}


def plant_row_faults(
    kind: Kind, sources: tuple[SourceText, ...], rng: np.random.Generator
) -> tuple[dict[str, str], tuple[PlantedRows, ...], frozenset[str]]:
    """Spoil rows of a kind's files, each in an episode (or client) of its own.

    Returns
    -------
    texts : dict
        File name -> the whole spoilt text.
    planted : tuple of PlantedRows
    touched : frozenset of str
        Episodes (of sessions and episodes) or clients that have a spoilt row.
    """
    key, spoilt, touched = _KEY[kind], {}, set()
    if kind is Kind.SESSIONS:
        spoilt |= _spoil_ends(sources, rng, touched)
    sizes = [len(source.rows) for source in sources]
    order = rng.permutation(sum(sizes))
    bounds = np.cumsum([0, *sizes])
    for fault in _FAULTS[kind]:
        for row in order:
            which = int(np.searchsorted(bounds, row, side="right")) - 1
            place = int(row) - int(bounds[which])
            cells = sources[which].cells(place)
            if cells[key] not in touched and fault.suits(cells):
                touched.add(cells[key])
                spoilt[which, place] = (fault, fault.spoil(cells))
                break
    texts, planted = {}, []
    for which, source in enumerate(sources):
        of_file = {place: replacement for (file, place), replacement in spoilt.items() if file == which}
        texts[source.name], found = _assemble(source, of_file)
        planted.extend(found)
    return texts, _merged(planted), frozenset(touched)


def _spoil_ends(
    sources: tuple[SourceText, ...], rng: np.random.Generator, touched: set[str]
) -> dict[tuple[int, int], tuple[RowFault, list[str]]]:
    """Cut off the last line of the last file, and give one episode of the first file a second client."""
    last = len(sources[-1].rows) - 1
    spoilt = {(len(sources) - 1, last): (CUT_OFF, CUT_OFF.spoil(sources[-1].cells(last)))}
    touched.add(sources[-1].cells(last)["episode_id"])
    place, rows = _an_episode_of_several_rows(sources[0], rng, touched)
    other = next(cells["client_id"] for cells in map(sources[0].cells, range(len(sources[0].rows)))
                 if cells["client_id"] != sources[0].cells(place)["client_id"])  # fmt: skip
    mixed = RowFault(
        "an episode of two clients",
        Rule.EPISODE_OF_TWO_CLIENTS,
        lambda cells: [_line(cells | {"client_id": other})],
    )
    kept = RowFault("an episode of two clients", Rule.EPISODE_OF_TWO_CLIENTS, lambda cells: [_line(cells)])
    for row in rows:
        fault = mixed if row == place else kept
        spoilt[0, row] = (fault, fault.spoil(sources[0].cells(row)))
    touched.add(sources[0].cells(place)["episode_id"])
    return spoilt


def _an_episode_of_several_rows(
    source: SourceText, rng: np.random.Generator, touched: set[str]
) -> tuple[int, list[int]]:
    """Return a row whose episode has two to four rows in the file, and all rows of that episode."""
    episodes = np.array([source.cells(place)["episode_id"] for place in range(len(source.rows))])
    names, counts = np.unique(episodes, return_counts=True)
    short = [name for name in names[(counts >= 2) & (counts <= 4)] if name not in touched]
    rows = np.flatnonzero(episodes == short[int(rng.integers(len(short)))]).tolist()
    return rows[-1], rows


def _assemble(source: SourceText, spoilt: dict[int, tuple[RowFault, list[str]]]) -> tuple[str, list[PlantedRows]]:
    """Put the text together and note on which physical lines the faults came to stand."""
    lines, planted = [",".join(source.header)], []
    for place, row in enumerate(source.rows):
        if place not in spoilt:
            lines.append(row)
            continue
        fault, replacement = spoilt[place]
        numbers = tuple(len(lines) + 1 + offset for offset in fault.faulty)
        planted.append(PlantedRows(fault.name, source.name, numbers, fault.rule))
        lines.extend(replacement)
    last_fault = spoilt.get(len(source.rows) - 1, (None, []))[0]
    return "\n".join(lines) + ("" if last_fault is CUT_OFF else "\n"), planted


def _merged(planted: list[PlantedRows]) -> tuple[PlantedRows, ...]:
    """Bring the lines of one fault in one file together."""
    merged: dict[tuple[str, str], PlantedRows] = {}
    for rows in planted:
        before = merged.get((rows.name, rows.file))
        lines = (before.lines if before else ()) + rows.lines
        merged[rows.name, rows.file] = PlantedRows(rows.name, rows.file, lines, rows.rule)
    return tuple(merged.values())
