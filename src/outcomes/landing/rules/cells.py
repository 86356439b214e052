"""SQL that turns the text of cells into values and says, cell by cell, which rule is broken.

A cell's value is empty where it is missing or breaks a rule; its flag is 0 or 1 + the rule's place in `Rule`.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from outcomes.contract import Rule, ValueType
from outcomes.landing.formats.source_rows import text_literal
from outcomes.landing.rules.columns import ColumnPlan, PlannedColumn
from outcomes.study.settings import Source

EARLIEST_DATE = date(1980, 1, 1)  # no practice-outcome record is older; a birthday often is
SQL_TYPES = {
    ValueType.IDENTIFIER: "varchar", ValueType.CODE: "varchar", ValueType.INTEGER: "integer", ValueType.DATE: "date",
    ValueType.YES_NO: "boolean", ValueType.SCALE: "double",
}  # fmt: skip
RULES = tuple(Rule)
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"


@dataclass(frozen=True)
class TypedCell:
    """SQL of one column: `steps` are named intermediate expressions, `value` and `flag` may use them."""

    steps: dict[str, str]
    value: str
    flag: str


@dataclass(frozen=True)
class _Empty:
    """When a cell is empty, and which flag it then has."""

    condition: str
    flag: str

    @property
    def branch(self) -> str:
        return f"when {self.condition} then {self.flag}"


def flag(rule: Rule) -> str:
    """Return the flag of a rule as SQL."""
    return str(RULES.index(rule) + 1)


def typed_cell(
    planned: PlannedColumn,
    plan: ColumnPlan,
    today: date,
    *,
    is_typed: bool,
    is_native: bool,
    is_key: bool,
    has_blanks: bool,
) -> TypedCell:
    """Write one column's SQL.

    Parameters
    ----------
    today : date
        Later dates are impossible.
    is_typed : bool
        The format has true and false of its own.
    is_native : bool
        Numbers and dates were read as such already.
    is_key : bool
        An empty cell breaks `MISSING_KEY`, or `MISSING_DATE` where it is one of a date.
    has_blanks : bool
        Cells may have outer blanks.
    """
    raw = text_literal(planned.constant) if planned.place is None else f"c{planned.place}"
    trimmed = f"trim({raw})" if has_blanks or planned.place is None else raw
    is_native = is_native and planned.place is not None
    missing = _is_missing(raw, trimmed, plan)
    is_read_native = is_native and planned.column.type in (ValueType.SCALE, ValueType.INTEGER, ValueType.DATE)
    empty = _Empty(f"{raw} is null" if is_read_native else missing, flag(_missing(planned)) if is_key else "0")
    match planned.column.type:
        case ValueType.IDENTIFIER:
            return _identifier(planned, raw, trimmed, empty, plan, is_typed=is_typed)
        case ValueType.SCALE:
            bounds = f"between {planned.scale.minimum!r} and {planned.scale.maximum!r}"
            return _number(planned, raw, empty, plan, Rule.NOT_A_NUMBER, bounds, is_native=is_native)
        case ValueType.INTEGER:
            bounds = f"between {planned.column.minimum} and {planned.column.maximum}"
            return _number(planned, raw, empty, plan, Rule.NOT_AN_INTEGER, bounds, is_native=is_native)
        case ValueType.DATE:
            return _date(planned, raw, empty, plan, today, is_native=is_native)
        case ValueType.YES_NO:
            return _yes_no(planned, raw, trimmed, empty, plan, is_typed=is_typed)
        case ValueType.CODE:
            return _code(planned, raw, empty, plan)


def _missing(planned: PlannedColumn) -> Rule:
    return Rule.MISSING_DATE if planned.column.type is ValueType.DATE else Rule.MISSING_KEY


def _identifier(
    planned: PlannedColumn, raw: str, trimmed: str, empty: _Empty, plan: ColumnPlan, *, is_typed: bool
) -> TypedCell:
    """Keep an id as text; in CSV control characters were found in the bytes, elsewhere they are looked for here."""
    # Most ids are longer than any code for a missing value, and need no comparison.
    is_long = f"length({raw}) > {2 + max(map(len, (*plan.source.missing, '')))}"
    kept = raw if trimmed == raw else f"nullif({trimmed}, '')"
    value = f"case when {is_long} then {kept} when not {empty.condition} then {trimmed} end"
    if not is_typed:
        return TypedCell({}, value, f"case when v_{planned.column.name} is null then {empty.flag} else 0 end")
    control = f"regexp_matches({raw}, '{_CONTROL}')"
    return TypedCell({}, value, f"case {empty.branch} when {control} then {flag(Rule.CONTROL_CHARACTER)} else 0 end")


def _is_missing(raw: str, trimmed: str, plan: ColumnPlan) -> str:
    codes = sorted({code.strip().lower() for code in plan.source.missing} | {""})
    listed = ", ".join(map(text_literal, codes))
    if trimmed == raw:
        return f"({raw} is null or lower({raw}) in ({listed}))"
    is_short = f"length({raw}) <= {2 + max(map(len, codes))}"
    return f"({raw} is null or ({is_short} and lower({trimmed}) in ({listed})) or {trimmed} = '')"


def _number(
    planned: PlannedColumn, raw: str, empty: _Empty, plan: ColumnPlan, rule: Rule, bounds: str, *, is_native: bool
) -> TypedCell:
    """Read a number; DuckDB's own reading takes 1_000, nan and inf too, and rounds 5.7 to an integer."""
    read, value = f"n_{planned.column.name}", f"v_{planned.column.name}"
    is_plain = "true" if is_native else f"not contains({raw}, '_')"
    if not is_native and plan.source.thousands_mark:
        raw = _without_thousands(raw, plan.source)
    if is_native:
        number = raw
    elif plan.source.decimal_mark == ",":
        number = f"case when not contains({raw}, '.') then try_cast(replace({raw}, ',', '.') as double) end"
    else:
        number = f"try_cast({raw} as double)"
    is_whole = f"{read} = floor({read})" if planned.column.type is ValueType.INTEGER else "true"
    stand_ins = ", ".join(repr(code) for code in sorted(_numbers(plan.source.missing)))
    is_stand_in = f"{read} in ({stand_ins})" if stand_ins else "false"
    is_number = f"{read} is not null and isfinite({read}) and {is_plain} and {is_whole}"
    is_taken = f"{read} {bounds} and {is_whole} and not {is_stand_in} and {is_plain}"
    return TypedCell(
        {read: number},
        f"cast(case when {is_taken} then {read} end as {SQL_TYPES[planned.column.type]})",
        f"case when {value} is not null then 0 when {is_stand_in} or {empty.condition} then {empty.flag} "
        f"when {is_number} then {flag(Rule.OUT_OF_RANGE)} else {flag(rule)} end",
    )


def _without_thousands(raw: str, source: Source) -> str:
    """Take the marks out of a number in whose groups of three digits they stand; elsewhere they are no part of one."""
    mark, decimal = re.escape(source.thousands_mark), re.escape(source.decimal_mark)
    grouped = text_literal(rf"\s*[-+]?\d{{1,3}}({mark}\d{{3}})+({decimal}\d+)?\s*")
    without = f"replace({raw}, {text_literal(source.thousands_mark)}, '')"
    return f"case when regexp_full_match({raw}, {grouped}) then {without} else {raw} end"


def _numbers(codes: tuple[str, ...]) -> set[float]:
    """Return the codes for missing values that are numbers, so that -99.0 counts as -99 does."""
    numbers = set()
    for code in codes:
        with suppress(ValueError):
            numbers.add(float(code))
    return {number for number in numbers if math.isfinite(number)}


def _date(
    planned: PlannedColumn, raw: str, empty: _Empty, plan: ColumnPlan, today: date, *, is_native: bool
) -> TypedCell:
    """Read a date in the declared format; DuckDB takes the words epoch and infinity for dates in any format."""
    read = f"n_{planned.column.name}"
    day = (
        f"case when lower(trim({raw})) in ('epoch', 'infinity', '-infinity') then null "
        f"else cast(try_strptime(trim({raw}), {text_literal(plan.source.date_format)}) as date) end"
    )
    if is_native:
        day = f"case when {raw} > date '1900-01-01' and isfinite({raw}) then {raw} end"
    possible = f"{read} between date '{EARLIEST_DATE}' and date '{today}'"
    return TypedCell(
        {read: day},
        f"case when {possible} then {read} end",
        f"case when v_{planned.column.name} is not null then 0 {empty.branch} "
        f"when {read} is null then {flag(Rule.NOT_A_DATE)} else {flag(Rule.IMPOSSIBLE_DATE)} end",
    )


def _yes_no(
    planned: PlannedColumn, raw: str, trimmed: str, empty: _Empty, plan: ColumnPlan, *, is_typed: bool
) -> TypedCell:
    yes = {word.strip().lower() for word in plan.source.yes} | ({"true"} if is_typed else set())
    no = {word.strip().lower() for word in plan.source.no} | ({"false"} if is_typed else set())
    meanings = dict.fromkeys(no, "false") | dict.fromkeys(yes, "true")
    meant = f"map {{{', '.join(f'{text_literal(word)}: {truth}' for word, truth in sorted(meanings.items()))}}}"
    # Spelt plainly, most cells need no look-up. DuckDB would work out for every cell what stands here twice.
    value = (
        f"case when {raw} in ({_list(yes)}) then true when {raw} in ({_list(no)}) then false "
        f"else {meant}[lower({trimmed})] end"
    )
    flagged = f"case when v_{planned.column.name} is not null then 0 {empty.branch} else {flag(Rule.NOT_YES_NO)} end"
    return TypedCell({}, value, flagged)


def _code(planned: PlannedColumn, raw: str, empty: _Empty, plan: ColumnPlan) -> TypedCell:
    codes = {code.lower(): code for code in planned.column.codes}
    codes |= {given.strip().lower(): code for given, code in plan.source.codes.get(planned.column.name, {}).items()}
    read = f"n_{planned.column.name}"
    cases = " ".join(f"when {text_literal(given)} then {text_literal(code)}" for given, code in codes.items())
    flagged = f"case when v_{planned.column.name} is not null then 0 {empty.branch} else {flag(Rule.UNKNOWN_CODE)} end"
    return TypedCell({read: f"lower(trim({raw}))"}, f"case {read} {cases} end", flagged)


def _list(words: set[str]) -> str:
    return ", ".join(text_literal(word) for word in sorted(words)) or "null"
