"""Which rows, levels and numbers of the data a set of formulas shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.coding import Design, RandomBlock, code_terms, named_columns, offset_sql
from outcomes.mixed.design.data import VIEW, Source, as_source, literal
from outcomes.mixed.design.expressions import (
    Expression,
    as_number,
    check_group,
    compile_expression,
    is_float,
    is_text,
)
from outcomes.mixed.design.formula import ParsedFormula, parse_formula
from outcomes.mixed.design.statistics import NotYetKnown, Statistics, read_statistics

MAX_FIXED_LEVELS = 500
"""Above this a categorical predictor is taken for a mistake: its Gram matrix alone would not fit."""


@dataclass(frozen=True)
class Population:
    """Rows that several formulas share: those that are complete in the columns of all of them.

    Parameters
    ----------
    source : Source
    complete : str
        SQL condition of completeness.
    weights : str or None
        SQL of the prior weights.
    levels : dict of str to list
        Levels, in order, of the categorical predictors.
    statistics : dict of str to float
        Numbers of the data that transformations remember.
    outcome : Expression, optional
        What stands for the outcome of the formula: the codes of its categories.
    """

    source: Source
    complete: str
    weights: str | None
    levels: dict[str, list]
    statistics: dict[str, float]
    outcome: Expression | None = None

    def design(self, formula: str) -> Design:
        """Compile a formula without reading the data.

        Raises
        ------
        FormulaError
            Unknown columns, a text outcome, or a categorical predictor that the population was not opened with.
        """
        parsed = parse_formula(formula)
        factors = compile_factors(parsed, self.source, Statistics(self.statistics), outcome=self.outcome)
        for factor in factors.values():
            if factor.is_categorical and factor.key not in self.levels:
                raise FormulaError(
                    f"The levels of {factor.key!r} were not read.", "prepare the data with this formula as well"
                )
        return _design(parsed, self, factors)


def open_population(
    formulas: Sequence[str],
    data: Any,
    weights: str | None = None,
    levels: dict[str, list] | None = None,
    outcome: Expression | None = None,
    also: Sequence[str] = (),
) -> Population:
    """Settle which rows and levels take part; reads the data once when there are categorical predictors.

    Parameters
    ----------
    formulas : sequence of str
        In lme4's syntax.
    data : relation, frame or table
        See `outcomes.mixed.design.data.as_source`.
    weights : str, optional
        Column (or expression) of prior weights.
    levels : dict of str to list, optional
        Levels of the categorical predictors, when partitions of the data must agree on them.
    outcome : Expression, optional
        Instead of the formulas' outcome, which may then be text.
    also : sequence of str
        Further columns that must not be missing.

    Raises
    ------
    FormulaError
        Unknown columns, or no random term.
    FitRefused
        No complete rows; a categorical predictor with more than `MAX_FIXED_LEVELS` levels; a level that is no number;
        complete rows outside the given levels.
    """
    population, asked = _without_levels(formulas, data, weights, outcome, also)
    source, complete, given = population.source, population.complete, levels or {}
    _refuse_other_levels(source, {key: (sql, given[key]) for key, sql in asked.items() if key in given}, complete)
    found = _levels(source, {key: sql for key, sql in asked.items() if key not in given}, complete)
    groups = dict.fromkeys(name for one in formulas for block in parse_formula(one).random for name in block.group)
    _refuse_nan(source, [name for name in groups if is_float(name, source.columns)], complete)
    return replace(population, levels={**given, **found})


def look_at_part(formula: str, data: Any, weights: str | None = None) -> tuple[int, dict[str, list]]:
    """Complete rows of a part of the data, and the levels of its categorical predictors; none without a complete row.

    Raises
    ------
    FormulaError
        See `open_population`; a transformation that needs numbers of all rows.
    """
    source, statistics = as_source(data), Statistics()
    compile_factors(parse_formula(formula), source, statistics, skip_unknown=True)
    if statistics.wanted:
        raise FormulaError(
            f"A transformation in {formula!r} must know all rows, and a part of them is read at a time.",
            "compute that column before the table is cut",
        )
    population, asked = _without_levels([formula], source, weights)
    row = source.query(f"select count(*) as n from {VIEW} where {population.complete}").to_pylist()[0]
    return row["n"], _levels(source, asked, population.complete) if row["n"] else {}


def _without_levels(
    formulas: Sequence[str],
    data: Any,
    weights: str | None,
    outcome: Expression | None = None,
    also: Sequence[str] = (),
) -> tuple[Population, dict[str, str]]:
    """A population whose levels are not read yet, and the SQL of its categorical predictors."""
    source = as_source(data)
    parsed = [parse_formula(formula) for formula in formulas]

    def compile_all(statistics: Statistics, skip_unknown: bool = True) -> dict[str, Expression]:
        found = (compile_factors(one, source, statistics, skip_unknown=skip_unknown, outcome=outcome) for one in parsed)
        return {name: expression for factors in found for name, expression in factors.items()}

    known = read_statistics(source, compile_all)
    factors = compile_all(Statistics(known), skip_unknown=False)
    reads: dict[str, None] = dict.fromkeys(also)
    for factor in factors.values():
        reads.update(dict.fromkeys(factor.columns))
    for one in parsed:
        for block in one.random:
            reads.update(dict.fromkeys(block.group))
    weight = as_number(compile_expression(weights, source.columns, Statistics(known))) if weights else None
    if weight:
        reads.update(dict.fromkeys(weight.columns))
    complete = " and ".join(f"{source.columns.sql(name)} is not null" for name in reads)
    asked = {factor.key: factor.sql for factor in factors.values() if factor.is_categorical}
    return Population(source, complete, weight.sql if weight else None, {}, known, outcome), asked


def build_design(formula: str, data: Any, weights: str | None = None, outcome: Expression | None = None) -> Design:
    """Compile one formula against its data; see `open_population`."""
    return open_population([formula], data, weights, outcome=outcome).design(formula)


def compile_factors(
    formula: ParsedFormula,
    source: Source,
    statistics: Statistics,
    *,
    skip_unknown: bool = False,
    outcome: Expression | None = None,
) -> dict[str, Expression]:
    """Every expression of a formula, compiled; those whose numbers are not known yet may be left out, and noted."""
    columns = source.columns
    if not formula.random:
        raise FormulaError(
            f"The formula has no random term: {formula.source}.",
            "add `(1 | group)`; without groups use statsmodels, ols() for numbers and glm() for yes or no",
        )
    for block in formula.random:
        for name in block.group:
            check_group(name, columns)
    if outcome is None and is_text(formula.outcome.strip("`"), columns):
        raise FormulaError(
            f"The outcome {formula.outcome!r} is text.", "make a number of it: `I(outcome == 'yes') ~ ...`"
        )
    terms = [*formula.fixed, *(term for block in formula.random for term in block.terms)]
    numbers = [formula.outcome, *formula.offsets, *([formula.trials] if formula.trials else [])]
    factors: dict[str, Expression] = {}
    for wanted in dict.fromkeys([*numbers, *(factor for term in terms for factor in term)]):
        if outcome is not None and wanted == formula.outcome:
            factors[wanted] = outcome
            continue
        try:
            factors[wanted] = compile_expression(wanted, columns, statistics)
        except NotYetKnown:
            if not skip_unknown:
                raise
    return factors


def _levels(source: Source, wanted: dict[str, str], complete: str) -> dict[str, list]:
    """Levels of categorical factors (their SQL by key) among the complete rows, in order; one pass."""
    if not wanted:
        return {}
    lists = ", ".join(f"list(distinct {sql} order by {sql}) as l{i}" for i, sql in enumerate(wanted.values()))
    row = source.query(f"select {lists} from {VIEW} where {complete}").to_pylist()[0]
    levels = dict(zip(wanted, row.values(), strict=True))
    for name, values in levels.items():
        if not values:
            raise FitRefused("No row is complete in the model's columns.", "look at which columns are missing")
        if any(isinstance(value, float) and not abs(value) < float("inf") for value in values):
            raise FitRefused(
                f"The categorical predictor {name!r} has levels that are not finite (NaN or infinite).",
                "make them missing (null), so that they are dropped and counted",
            )
        if len(values) > MAX_FIXED_LEVELS:
            raise FitRefused(
                f"The categorical predictor {name!r} has {len(values)} levels (at most {MAX_FIXED_LEVELS}).",
                f"use it as a grouping factor: `(1 | {name})`",
            )
    return levels


def _refuse_other_levels(source: Source, wanted: dict[str, tuple[str, list]], complete: str) -> None:
    """Refuse rows outside the given levels (SQL and levels by key): all their columns would be zero, and they would be
    fitted as the reference."""
    if not wanted:
        return
    counts = ", ".join(
        f"count(*) filter (not ({sql} in ({', '.join(map(literal, levels))}))) as n{i}"
        if levels
        else f"count(*) as n{i}"
        for i, (sql, levels) in enumerate(wanted.values())
    )
    row = source.query(f"select {counts} from {VIEW} where {complete}").to_pylist()[0]
    for i, name in enumerate(wanted):
        if row[f"n{i}"]:
            raise FitRefused(
                f"The categorical predictor {name!r} has other levels than the given ones in {row[f'n{i}']} rows.",
                "name every level that occurs, or make these values missing (null), so that they are dropped and "
                "counted",
            )


def _refuse_nan(source: Source, names: list[str], complete: str) -> None:
    """Refuse grouping factors with NaN, which would pass for a level."""
    if not names:
        return
    counts = ", ".join(f"count(*) filter (isnan({source.columns.sql(name)})) as n{i}" for i, name in enumerate(names))
    row = source.query(f"select {counts} from {VIEW} where {complete}").to_pylist()[0]
    for i, name in enumerate(names):
        if row[f"n{i}"]:
            raise FitRefused(
                f"The grouping factor {name} is NaN in {row[f'n{i}']} rows.",
                "make them missing (null), so that they are dropped and counted, or correct them",
            )


def _design(formula: ParsedFormula, population: Population, factors: dict[str, Expression]) -> Design:
    """Design of one formula."""
    terms = code_terms(formula.fixed, factors, population.levels)
    columns = named_columns(terms)
    fixed = tuple(columns)
    random: list[RandomBlock] = []
    for block in formula.random:
        coded = named_columns(code_terms(block.terms, factors, population.levels))
        columns.update(coded)
        random.append(RandomBlock(block.group, tuple(coded)))
    trials = as_number(factors[formula.trials]).sql if formula.trials else None
    offset = offset_sql(formula, factors)
    outcome = as_number(factors[formula.outcome]).sql
    return Design(
        formula=formula,
        source=population.source,
        columns=columns,
        fixed=fixed,
        outcome=f"({outcome} - ({offset}))" if offset else outcome,
        weights=" * ".join(part for part in (trials, population.weights) if part) or None,
        random=tuple(random),
        complete=population.complete,
        offset=offset,
        terms=terms,
        factors=factors,
        levels=population.levels,
        statistics=population.statistics,
    )
