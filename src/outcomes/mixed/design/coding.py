"""From a parsed formula to named SQL columns: codings, interactions and the rows that take part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from outcomes.errors import FitRefused
from outcomes.mixed.design.contrasts import Contrast, coding_matrix, coding_sql
from outcomes.mixed.design.data import Columns, Source
from outcomes.mixed.design.expressions import Expression, as_number
from outcomes.mixed.design.formula import INTERCEPT, ParsedFormula, Term

INTERCEPT_NAME = "(Intercept)"
ONE = "cast(1 as double)"
"""SQL of the intercept's column."""


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
class CodedFactor:
    """One factor of a term as columns.

    Parameters
    ----------
    names, sql : tuple of str
        Of its columns.
    matrix : ndarray, shape (levels, columns), or None
        Values at each level of a categorical factor; None for a numeric one.
    """

    names: tuple[str, ...]
    sql: tuple[str, ...]
    matrix: np.ndarray | None


@dataclass(frozen=True)
class CodedTerm:
    """A term with its factors' codings; `names` and `sql` of its columns, the first factor varying fastest."""

    term: Term
    factors: tuple[CodedFactor, ...]
    names: tuple[str, ...]
    sql: tuple[str, ...]

    @property
    def label(self) -> str:
        """The term as written, e.g. ``x:mode``."""
        return ":".join(self.term) or INTERCEPT_NAME


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
        Names of the fixed-effect columns in order; SQL of the outcome, less the offset.
    weights : str or None
        SQL of the prior weights (or of the binomial number of trials); None when all are 1.
    random : tuple of RandomBlock
    complete : str
        SQL condition that holds for rows in which none of the columns read is missing.
    offset : str or None
        SQL of the sum of the formula's offsets.
    terms : tuple of CodedTerm
        The fixed terms.
    factors : dict of str to Expression
        Every expression of the formula.
    levels : dict of str to list
        Levels of the categorical factors, by `Expression.key`.
    statistics : dict of str to float
        Numbers of the data that transformations remember.
    """

    formula: ParsedFormula
    source: Source
    columns: dict[str, str]
    fixed: tuple[str, ...]
    outcome: str
    weights: str | None
    random: tuple[RandomBlock, ...]
    complete: str
    offset: str | None
    terms: tuple[CodedTerm, ...]
    factors: dict[str, Expression]
    levels: dict[str, list]
    statistics: dict[str, float]

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The distinct grouping factors in the order of the formula."""
        return tuple(dict.fromkeys(block.group for block in self.random))

    @property
    def outcome_itself(self) -> str:
        """SQL of the outcome, whatever the offset."""
        return as_number(self.factors[self.formula.outcome]).sql

    @property
    def predictors(self) -> tuple[str, ...]:
        """Data columns that the fixed and random terms read, the offset's included."""
        formula = self.formula
        terms = [*formula.fixed, *(term for block in formula.random for term in block.terms), formula.offsets]
        return tuple(dict.fromkeys(name for term in terms for factor in term for name in self.factors[factor].columns))


def code_terms(
    terms: tuple[Term, ...], factors: dict[str, Expression], levels: dict[str, list], contrast: Contrast | None = None
) -> tuple[CodedTerm, ...]:
    """Code terms by the rule of R's model.matrix.

    A categorical factor of a term is coded by its contrasts when the term without it is in the model, and by one
    indicator a level otherwise (Chambers & Hastie 1992, Statistical Models in S, section 2.4.1).

    Parameters
    ----------
    terms, factors, levels
    contrast : Contrast, optional
        Instead of those of the formula.

    Raises
    ------
    FitRefused
        When a factor has one level only, so that its contrasts have no column.
    """
    present = set(terms)
    coded: list[CodedTerm] = []
    for term in terms:
        codings: list[CodedFactor] = []
        for factor in term:
            expression = factors[factor]
            if not expression.is_categorical:
                parts = expression.parts or (("", expression.sql),)
                codings.append(CodedFactor(tuple(factor + s for s, _ in parts), tuple(sql for _, sql in parts), None))
                continue
            margin = tuple(other for other in term if other != factor)
            has_contrasts = any(set(margin) == set(other) for other in present)
            own = levels[expression.key]
            if has_contrasts and len(own) < 2:
                raise FitRefused(
                    f"The categorical predictor {factor} has one level among the complete rows.",
                    "leave it out: nothing can be compared with it",
                )
            names, matrix = coding_matrix(factor, own, (contrast or expression.contrast) if has_contrasts else None)
            sql = tuple(coding_sql(expression.sql, own, column) for column in matrix.T)
            codings.append(CodedFactor(names, sql, matrix))
            if not margin:
                present.add(INTERCEPT)  # a full set of indicators spans the intercept for the terms after it
        names, sqls = [], []
        # the first factor varies fastest, as in R
        for combination in product(*(tuple(zip(c.names, c.sql, strict=True)) for c in reversed(codings))):
            parts = combination[::-1]
            names.append(":".join(name for name, _ in parts) or INTERCEPT_NAME)
            sqls.append(" * ".join(sql for _, sql in parts) or ONE)
        coded.append(CodedTerm(term, tuple(codings), tuple(names), tuple(sqls)))
    return tuple(coded)


def named_columns(coded: tuple[CodedTerm, ...]) -> dict[str, str]:
    """SQL of the columns of coded terms by name."""
    return {name: sql for term in coded for name, sql in zip(term.names, term.sql, strict=True)}


def on_other_data(design: Design, data: Columns, factors: dict[str, Expression]) -> Design:
    """The same columns with the SQL that reads them from other data; levels and numbers stay those of the fit."""
    terms = code_terms(design.formula.fixed, factors, design.levels)
    columns = named_columns(terms)
    for block in design.formula.random:
        columns |= named_columns(code_terms(block.terms, factors, design.levels))
    return replace(
        design,
        source=replace(design.source, relation=None, columns=data),
        columns=columns,
        terms=terms,
        factors=factors,
        offset=offset_sql(design.formula, factors),
    )


def offset_sql(formula: ParsedFormula, factors: dict[str, Expression]) -> str | None:
    """SQL of the sum of the offsets; None without any."""
    return " + ".join(factors[one].sql for one in formula.offsets) or None
