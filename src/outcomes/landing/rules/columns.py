"""From a file's header to a plan: which column of the contract is read from which place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from outcomes.contract import CONTRACT, Column, Kind, Refusal, ValueType
from outcomes.errors import StudyError
from outcomes.landing.identifiers.column_names import is_free_text_name, is_identifying_name
from outcomes.landing.refusal import FileRefused, counted, listed
from outcomes.landing.rules.first_lines import NO_NAMES, are_names
from outcomes.landing.rules.items import ItemScore, item_names, item_scores
from outcomes.study.settings import Source, StudySettings
from outcomes.study.tables.scales import Scale, has_other_metric, two_metrics

_ALL = 30  # names that a message lists; a header of ours has fewer


@dataclass(frozen=True)
class PlannedColumn:
    """One column of the contract (or a scale of the study's own) and where its values come from.

    `place` is the 0-based place in the file, None where the column has a constant or all its values are made of items;
    `source_name` its name there. `made` says how items make a scale's score: what then stands at its own place is a
    stored total. `is_item` marks a column that is one of these items and goes no further itself.
    """

    column: Column
    place: int | None
    source_name: str
    constant: str | None = None
    scale: Scale | None = None
    is_own: bool = False
    made: ItemScore | None = None
    is_item: bool = False

    @property
    def has_source(self) -> bool:
        """Whether anything is read for it, from the file or a constant; else its values are all made of items."""
        return self.place is not None or self.constant is not None


@dataclass(frozen=True)
class ColumnPlan:
    """How a file of one kind is read."""

    kind: Kind
    source: Source
    header: tuple[str, ...]
    columns: tuple[PlannedColumn, ...]
    dropped: tuple[str, ...]

    @property
    def nameless(self) -> tuple[int, ...]:
        """Places of the columns that have no name and are not dropped, in file order."""
        is_dropped = "" in map(normal, self.source.drop)
        return () if is_dropped else tuple(place for place, name in enumerate(self.header) if not name.strip())

    @property
    def places(self) -> tuple[int, ...]:
        """Places of the columns that are read, in file order."""
        return tuple(sorted({column.place for column in self.columns if column.place is not None}))

    def named(self, name: str) -> PlannedColumn | None:
        """Return the plan of one contract column; None where the file and the study have nothing for it."""
        return next((planned for planned in self.columns if planned.column.name == name), None)


def normal(name: str) -> str:
    """Bring a column name into the form in which names are compared: no outer blanks, no letter case."""
    return name.strip().casefold()


def known_names(kind: Kind, settings: StudySettings) -> frozenset[str]:
    """Return the normal names that a header of this kind may have, dropped ones included."""
    source = settings.sources[kind]
    wanted = {source.columns.get(column.name, column.name) for column in settings.columns(kind)}
    return frozenset(normal(name) for name in wanted | set(source.drop)) | item_names(kind, settings)


def refuse_nameless(filled: Sequence[int]) -> None:
    """Refuse columns that hold values and have no name; empty ones, as spreadsheets add them, are ignored.

    Parameters
    ----------
    filled : sequence of int
        0-based places in the file of the columns that have values and no name.

    Raises
    ------
    FileRefused
        If there is one.
    """
    if filled:
        raise FileRefused(
            Refusal.MISSING_COLUMNS,
            f"{counted(len(filled), 'column holds', 'columns hold')} values and has no name in the header: "
            f"{listed([f'column {place + 1}' for place in filled])}",
            "give every column its own name in the header, or take the column out of the export",
        )


def plan_columns(header: tuple[str, ...], kind: Kind, settings: StudySettings) -> ColumnPlan:
    """Match a header with the contract by name; columns without a name are left to `refuse_nameless`.

    Raises
    ------
    FileRefused
        For columns that are double, that identify persons, that are unknown, or that are missing.
    StudyError
        If the study gives a scale column no scale or one of another metric, or maps codes onto codes that do not exist.
    """
    source = settings.sources[kind]
    dropped_names = {normal(name) for name in source.drop}
    dropped = tuple(name for name in header if normal(name) in dropped_names)
    _refuse_doubles(header)
    contract = settings.columns(kind)
    from_file = {
        normal(source.columns.get(column.name, column.name)): column
        for column in contract
        if column.name not in source.constants
    }
    places = {normal(name): place for place, name in enumerate(header)}
    read = [name for name in header if normal(name) and normal(name) not in dropped_names]
    _refuse_identifiers(read, kind)
    known = from_file.keys() | item_names(kind, settings)
    unknown = [name for name in read if normal(name) not in known]
    if len(unknown) == len(read) and not are_names(read):
        raise FileRefused(
            Refusal.DELIMITER,
            f"the first line {NO_NAMES}; expected are: {listed(expected_names(kind, settings), _ALL)}",
            f"name your columns in [sources.{kind}] of study.toml",
        )  # fmt: skip
    _refuse_unknown(unknown, kind, settings)
    made = item_scores({normal(name): places[normal(name)] for name in read}, kind, settings)
    planned = []
    for column in contract:
        name = source.columns.get(column.name, column.name)
        place = None if normal(name) in dropped_names else places.get(normal(name))
        constant = source.constants.get(column.name)
        if place is None and constant is None and column.name not in made:
            continue
        planned.append(
            PlannedColumn(
                column,
                None if constant is not None else place,
                column.name if constant is not None or place is None else header[place],
                constant,
                _scale(column, settings, kind),
                is_own=column not in CONTRACT[kind],
                made=made.get(column.name),
            )
        )
    items = {one.place: one for score in made.values() for one in score.every}
    planned += [
        PlannedColumn(items[place].column, place, header[place], scale=items[place].scale, is_item=True)
        for place in sorted(items)
    ]
    plan = ColumnPlan(kind, source, tuple(header), tuple(planned), dropped)
    _refuse_missing(plan)
    _check_codes(plan)
    return plan


def _refuse_doubles(header: tuple[str, ...]) -> None:
    times = Counter(filter(None, map(normal, header)))
    double = [name for name in times if times[name] > 1]
    if double:
        raise FileRefused(
            Refusal.DUPLICATE_COLUMNS,
            f"{counted(len(double), 'column name stands', 'column names stand')} more than once in the header: "
            f"{listed(double)}",
            "give every column its own name, or remove the copy",
        )


def _refuse_identifiers(read: list[str], kind: Kind) -> None:
    drop = f"drop in [sources.{kind}] of study.toml, or take the column out of the export"
    identifying = [name for name in read if is_identifying_name(name)]
    if identifying:
        raise FileRefused(
            Refusal.IDENTIFIER_COLUMN,
            f"{counted(len(identifying), 'column says', 'columns say')} by name that persons are identified: "
            f"{listed(identifying)}",
            f"list it under {drop}; use pseudonyms for ids",
        )
    free_text = [name for name in read if is_free_text_name(name)]
    if free_text:
        raise FileRefused(
            Refusal.FREE_TEXT,
            f"{counted(len(free_text), 'column announces', 'columns announce')} free text by name: {listed(free_text)}",
            f"list it under {drop}",
        )


def expected_names(kind: Kind, settings: StudySettings) -> list[str]:
    """Return the names under which the study looks for its columns, those first that it maps by name."""
    source = settings.sources[kind]
    named = [source.columns.get(column.name, column.name) for column in settings.columns(kind)]
    return sorted(named, key=lambda name: name not in source.columns.values())


def _refuse_unknown(unknown: list[str], kind: Kind, settings: StudySettings) -> None:
    if unknown:
        raise FileRefused(
            Refusal.UNKNOWN_COLUMNS,
            f"{counted(len(unknown), 'column is', 'columns are')} not known for {kind}: {listed(unknown)}; "
            f"expected are: {listed(expected_names(kind, settings), _ALL)}",
            f"map each to a contract column in [sources.{kind}.columns], declare it as a scale in [scales], "
            f"or list it under drop in [sources.{kind}]",
        )


def _refuse_missing(plan: ColumnPlan) -> None:
    needed = {column.name for column in CONTRACT[plan.kind] if column.required}
    if plan.kind is Kind.SESSIONS and plan.source.order != "row":
        needed.add("session_number" if plan.source.order == "number" else "session_date")
    have = {planned.column.name for planned in plan.columns}
    missing = sorted(needed - have)
    if missing:
        raise FileRefused(
            Refusal.MISSING_COLUMNS,
            f"{counted(len(missing), 'column that the study needs is', 'columns that the study needs are')} "
            f"not in the file: {listed([_wanted(plan, name) for name in missing])}; "
            f"the file has: {listed([name for name in plan.header if name.strip()], _ALL)}",
            f"name your column in [sources.{plan.kind}.columns], or give one value for all rows in "
            f"[sources.{plan.kind}.constants]; what orders the sessions is said by order",
        )


def _wanted(plan: ColumnPlan, name: str) -> str:
    """Name a column as the study looks for it."""
    mapped = plan.source.columns.get(name)
    return f"{name} (as {mapped})" if mapped else name


def _scale(column: Column, settings: StudySettings, kind: Kind) -> Scale | None:
    if not column.is_rating:
        return None
    if column.name not in settings.scales:
        raise StudyError(
            f"A file of {kind} has the column {column.name!r}, but study.toml gives it no range",
            f"add [scales.{column.name}] with minimum, maximum and rater, or drop the column",
        )
    if has_other_metric(column, settings.scales):
        raise StudyError(two_metrics(column), f"correct one of them in [scales] of study.toml, or drop {column.name}")
    return settings.scales[column.name]


def _check_codes(plan: ColumnPlan) -> None:
    for planned in plan.columns:
        strange = sorted(set(plan.source.codes.get(planned.column.name, {}).values()) - set(planned.column.codes))
        if planned.column.type is ValueType.CODE and strange:
            raise StudyError(
                f"[sources.{plan.kind}.codes.{planned.column.name}] maps to {listed(strange)}: no such codes",
                f"use one of: {', '.join(planned.column.codes)}",
            )
