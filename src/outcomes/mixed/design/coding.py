"""From a parsed formula to named SQL columns: treatment coding, interactions and the rows that take part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from outcomes.errors import FitRefused, FormulaError
from outcomes.mixed.design.data import VIEW, Source, as_source, literal, quoted
from outcomes.mixed.design.expressions import Expression, compile_expression
from outcomes.mixed.design.formula import INTERCEPT, ParsedFormula, Term, parse_formula

INTERCEPT_NAME = "(Intercept)"
ONE = "cast(1 as double)"
"""SQL of the intercept's column."""
MAX_FIXED_LEVELS = 500
"""Above this a categorical predictor is taken for a mistake: its Gram matrix alone would not fit."""


@dataclass(frozen=True)
class RandomBlock:
    """Random effects of one bracket.

    Parameters
    ----------
    group : tuple of str
        Data columns whose combination is the grouping factor.
    columns : tuple of str
        Names of the design columns that vary over its levels (keys of `Design.columns`).
    """

    group: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def group_name(self) -> str:
        """Name of the grouping factor, e.g. ``therapist_id:practice_id``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class Design:
    """A model's columns as SQL over its data.

    Parameters
    ----------
    formula : ParsedFormula
    source : Source
    columns : dict of str to str
        SQL (double-valued) of each design column that a fixed or random term uses.
    fixed, outcome : tuple of str, str
        Names of the fixed-effect columns in order; SQL of the outcome.
    weights : str or None
        SQL of the prior weights (or of the binomial number of trials); None when all are 1.
    random : tuple of RandomBlock
    complete : str
        SQL condition that holds for rows in which none of the columns read is missing.
    """

    formula: ParsedFormula
    source: Source
    columns: dict[str, str]
    fixed: tuple[str, ...]
    outcome: str
    weights: str | None
    random: tuple[RandomBlock, ...]
    complete: str

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The distinct grouping factors in the order of the formula."""
        return tuple(dict.fromkeys(block.group for block in self.random))


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
    """

    source: Source
    complete: str
    weights: str | None
    levels: dict[str, list]

    def design(self, formula: str) -> Design:
        """Compile a formula without reading the data.

        Raises
        ------
        FormulaError
            Unknown columns, a text outcome, or a categorical predictor that the population was not opened with.
        """
        parsed = parse_formula(formula)
        factors = _factors(parsed, self.source)
        for factor in factors.values():
            if factor.is_categorical and factor.columns[0] not in self.levels:
                raise FormulaError(
                    f"The levels of {factor.columns[0]!r} were not read.", "prepare the data with this formula as well"
                )
        return _design(parsed, self, factors)


def open_population(
    formulas: Sequence[str], data: Any, weights: str | None = None, levels: dict[str, list] | None = None
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

    Raises
    ------
    FormulaError
        Unknown columns, or no random term.
    FitRefused
        No complete rows; a categorical predictor with more than `MAX_FIXED_LEVELS` levels.
    """
    source = as_source(data)
    factors: dict[str, Expression] = {}
    reads: dict[str, None] = {}
    for formula in formulas:
        parsed = parse_formula(formula)
        own = _factors(parsed, source)
        factors |= own
        for factor in own.values():
            reads.update(dict.fromkeys(factor.columns))
        for block in parsed.random:
            reads.update(dict.fromkeys(block.group))
    weight = compile_expression(weights, source.types) if weights else None
    if weight:
        reads.update(dict.fromkeys(weight.columns))
    complete = " and ".join(f"{quoted(name)} is not null" for name in reads)
    given = levels or {}
    asked = {factor.columns[0]: None for factor in factors.values() if factor.is_categorical}
    found = _levels(source, [name for name in asked if name not in given], complete)
    return Population(source, complete, weight.sql if weight else None, {**given, **found})


def build_design(formula: str, data: Any, weights: str | None = None) -> Design:
    """Compile one formula against its data; see `open_population`."""
    return open_population([formula], data, weights).design(formula)


def _factors(formula: ParsedFormula, source: Source) -> dict[str, Expression]:
    """Every expression of a formula, compiled."""
    if not formula.random:
        raise FormulaError(
            f"The formula has no random term: {formula.source}.", "add `(1 | group)`, or use a linear model"
        )
    for block in formula.random:
        if unknown := [name for name in block.group if name not in source.types]:
            raise FormulaError(f"The data have no column {unknown[0]!r} to group by.")
    terms = [*formula.fixed, *(term for block in formula.random for term in block.terms)]
    wanted = [formula.outcome, *(factor for term in terms for factor in term)]
    if formula.trials:
        wanted.append(formula.trials)
    return {factor: compile_expression(factor, source.types) for factor in wanted}


def _levels(source: Source, columns: list[str], complete: str) -> dict[str, list]:
    """Levels of categorical columns among the complete rows, in order; one pass."""
    if not columns:
        return {}
    lists = ", ".join(f"list(distinct {quoted(name)} order by {quoted(name)})" for name in columns)
    row = source.query(f"select {lists} from {VIEW} where {complete}").to_pylist()[0]
    levels = dict(zip(columns, row.values(), strict=True))
    for name, values in levels.items():
        if not values:
            raise FitRefused("No row is complete in the model's columns.", "look at which columns are missing")
        if len(values) > MAX_FIXED_LEVELS:
            raise FitRefused(
                f"The categorical predictor {name!r} has {len(values)} levels (at most {MAX_FIXED_LEVELS}).",
                f"use it as a grouping factor: `(1 | {name})`",
            )
    return levels


def _design(formula: ParsedFormula, population: Population, factors: dict[str, Expression]) -> Design:
    """Design of one formula."""
    if factors[formula.outcome].is_categorical:
        raise FormulaError(
            f"The outcome {formula.outcome!r} is text.", "make a number of it: `I(outcome == 'yes') ~ ...`"
        )
    fixed = _code(formula.fixed, factors, population.levels)
    columns = dict(fixed)
    random: list[RandomBlock] = []
    for block in formula.random:
        coded = _code(block.terms, factors, population.levels)
        columns.update(coded)
        random.append(RandomBlock(block.group, tuple(coded)))
    trials = factors[formula.trials].sql if formula.trials else None
    return Design(
        formula=formula,
        source=population.source,
        columns=columns,
        fixed=tuple(fixed),
        outcome=factors[formula.outcome].sql,
        weights=" * ".join(part for part in (trials, population.weights) if part) or None,
        random=tuple(random),
        complete=population.complete,
    )


def _code(terms: tuple[Term, ...], factors: dict[str, Expression], levels: dict[str, list]) -> dict[str, str]:
    """Named SQL columns of the terms, coded by the rule of R's model.matrix.

    A categorical factor of a term is coded by treatment contrasts when the term without it is in the model,
    and by one indicator a level otherwise (Chambers & Hastie 1992, Statistical Models in S, section 2.4.1).
    """
    present = set(terms)
    columns: dict[str, str] = {}
    for term in terms:
        codings: list[dict[str, str]] = []
        for factor in term:
            expression = factors[factor]
            if not expression.is_categorical:
                codings.append({factor: expression.sql})
                continue
            margin = tuple(other for other in term if other != factor)
            has_contrasts = any(set(margin) == set(other) for other in present)
            codings.append(_indicators(factor, expression, levels[expression.columns[0]], has_contrasts))
            if not margin:
                present.add(INTERCEPT)  # a full set of indicators spans the intercept for the terms after it
        # the first factor varies fastest, as in R
        for combination in product(*(tuple(coding.items()) for coding in reversed(codings))):
            parts = combination[::-1]
            name = ":".join(part[0] for part in parts) or INTERCEPT_NAME
            columns[name] = " * ".join(part[1] for part in parts) or ONE
    return columns


def _indicators(name: str, expression: Expression, levels: list, has_contrasts: bool) -> dict[str, str]:
    """Indicator columns of a categorical factor, without the reference level when it has contrasts."""
    reference = levels[0] if expression.reference is None else expression.reference
    if reference not in levels:
        raise FormulaError(f"The reference level asked for in `{name}` does not occur among the complete rows.")
    kept = [level for level in levels if not has_contrasts or level != reference]
    mark = "T." if has_contrasts else ""
    return {f"{name}[{mark}{level}]": f"cast({expression.sql} = {literal(level)} as double)" for level in kept}
