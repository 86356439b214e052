"""Arithmetic of a formula's factors as SQL: ``I(x**2)`` becomes ``pow(x, 2)``."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from outcomes.errors import FormulaError
from outcomes.mixed.design.contrasts import Contrast, constant, read_contrast
from outcomes.mixed.design.data import Columns, literal
from outcomes.mixed.design.statistics import Statistics
from outcomes.mixed.design.transforms import TRANSFORMS, columns_of

CATEGORICAL_CALLS = ("C", "factor", "as_factor", "relevel")

_FUNCTIONS = {
    "I": "({})",
    "as_numeric": "({})",
    "log": "ln({})",
    "log2": "log2({})",
    "log10": "log10({})",
    "log1p": "ln(1 + {})",
    "exp": "exp({})",
    "expm1": "(exp({}) - 1)",
    "sqrt": "sqrt({})",
    "square": "pow({}, 2)",
    "abs": "abs({})",
    "sign": "sign({})",
    "floor": "floor({})",
    "ceil": "ceil({})",
    "round": "round({})",
    "sin": "sin({})",
    "cos": "cos({})",
    "tan": "tan({})",
    "power": "pow({}, {})",
    "pow": "pow({}, {})",
    "minimum": "least({}, {})",
    "maximum": "greatest({}, {})",
    "pmin": "least({}, {})",
    "pmax": "greatest({}, {})",
    "where": "case when {} <> 0 then {} else {} end",
    "ifelse": "case when {} <> 0 then {} else {} end",
}
_AGGREGATES = {
    "mean": "avg({})",
    "sd": "stddev_samp({})",
    "std": "stddev_samp({})",
    "median": "median({})",
    "min": "min({})",
    "max": "max({})",
}
_INSTEAD = {
    "s": "smooths with a penalty are not fitted; use ns(x, df=4) or bs(x, df=5)",
    "te": "smooths with a penalty are not fitted; use products such as ns(x, df=3):z",
    "ordered": "order the levels in the data (a category) and write C(x, Poly)",
    "as_ordered": "order the levels in the data (a category) and write C(x, Poly)",
    "cut": "add the classes to the data, or write I(x > 1)",
    "lag": "add the earlier value to the data: rows have no order here",
    "rank": "add the ranks to the data",
    "interaction": "write a:b",
    "dummy": "write I(x == 'level')",
    "is_na": "add a column that tells it: rows with a missing predictor are left out",
    "offset": "an offset stands alone: + offset(x)",
    "factor": "categorical factors stand alone; inside arithmetic compare: I(x == 'level')",
    "C": "categorical factors stand alone; inside arithmetic compare: I(x == 'level')",
}
"""What to do instead of functions that people try."""
_ARITHMETIC = {ast.Add: "({} + {})", ast.Sub: "({} - {})", ast.Mult: "({} * {})", ast.Div: "({} / {})"}
_POWERS = (ast.Pow, ast.BitXor)  # R writes x^2
_COMPARISONS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=", ast.NotEq: "<>"}
_TEXT = ("VARCHAR", "ENUM", "UUID")
_BOOLEAN = "BOOLEAN"
_NUMBER = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBER += ("UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BIGNUM")
_TEMPORAL = ("DATE", "TIME")
_CAN_GROUP = (*_TEXT, _BOOLEAN, *_NUMBER, *_TEMPORAL, "BLOB")


@dataclass(frozen=True)
class Expression:
    """One factor of a term.

    Parameters
    ----------
    sql : str
        Double-valued SQL for a numeric factor (of its first column), the level's SQL for a categorical one.
    columns : tuple of str
        Data columns that it reads.
    contrast : Contrast or None
        How a categorical factor is coded; None for a numeric one.
    key : str
        Under which a categorical factor's levels are kept: the column's name, or the comparison as written.
    parts : tuple of (suffix, sql)
        The columns of a transformation that makes several (``poly(x, 2)``).
    """

    sql: str
    columns: tuple[str, ...]
    contrast: Contrast | None = None
    key: str = ""
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def is_categorical(self) -> bool:
        """True for text, truth values, comparisons and ``C(...)``."""
        return self.contrast is not None


def compile_expression(source: str, data: Columns, statistics: Statistics | None = None) -> Expression:
    """Compile one factor expression.

    Parameters
    ----------
    source : str
        A column's name, ``C(column)``, a transformation of `outcomes.mixed.design.transforms`, or arithmetic on
        columns with the functions above (``np.`` may precede), ``^`` or ``**``, and comparisons.
    data : Columns
    statistics : Statistics, optional
        Numbers of the data that transformations need.

    Raises
    ------
    FormulaError
        For unknown columns and functions.
    """
    if (name := source.strip("`")) in data.types or name in data.unusable:
        return _column(name, data)
    try:
        node = _parsed(source.strip().replace("^", "**"))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"The data have no column {source!r}, and it is no expression.", data.hint(name)) from error
    if isinstance(node, ast.Call) and _name(node.func) in CATEGORICAL_CALLS:
        return _categorical(node, data)
    compiler = _Compiler(data, statistics or Statistics(), {}, source)
    inner = node.args[0] if isinstance(node, ast.Call) and _name(node.func) == "I" and len(node.args) == 1 else node
    if isinstance(inner, ast.Compare):
        sql = compiler.condition(inner)
        return Expression(f"({sql})", tuple(compiler.columns), Contrast(), source)
    if isinstance(node, ast.Call) and _name(node.func) in TRANSFORMS:
        made = columns_of(node, compiler.numeric, compiler.statistics, source)
        parts = tuple((suffix, f"cast({sql} as double)") for suffix, sql in made)
        return Expression(parts[0][1], tuple(compiler.columns), parts=parts)
    sql = compiler.numeric(node)
    return Expression(f"cast({sql} as double)", tuple(compiler.columns))


def as_number(expression: Expression) -> Expression:
    """The same factor as a number: truth values are 1 and 0 (an outcome, a number of trials).

    Raises
    ------
    FormulaError
        For text.
    """
    if expression.is_categorical:
        return Expression(f"cast({expression.sql} as double)", expression.columns)
    return expression


def check_group(name: str, data: Columns) -> None:
    """Refuse a column whose values cannot be levels.

    Raises
    ------
    FormulaError
        Nested and unknown types.
    """
    data.sql(name, " to group by")
    if not data.types[name].startswith(_CAN_GROUP):
        raise FormulaError(f"Column {name!r} is of type {data.types[name]}, which cannot be a grouping factor.")


def is_text(name: str, data: Columns) -> bool:
    """Whether a column holds text."""
    return data.types.get(name, "").startswith(_TEXT)


def is_float(name: str, data: Columns) -> bool:
    """Whether a column may hold NaN."""
    return data.types[name].startswith(("FLOAT", "DOUBLE"))


def _column(name: str, data: Columns) -> Expression:
    """A bare column: text and truth values are categorical, numbers numeric."""
    sql, kind = data.sql(name), data.types[name]
    if kind.startswith((*_TEXT, _BOOLEAN)):
        return Expression(sql, (name,), Contrast(), name)
    if not kind.startswith(_NUMBER):
        raise FormulaError(
            f"Column {name!r} is of type {kind}, which cannot be a predictor.",
            f"make a number of it first (days since the start), or levels: `C({name})`"
            if kind.startswith(_TEMPORAL)
            else "make a number of it first",
        )
    return Expression(f"cast({sql} as double)", (name,))


def _categorical(node: ast.Call, data: Columns) -> Expression:
    """``C(column)``, ``factor(column)`` or ``relevel(column, ref="level")``, with an optional contrast."""
    shown = ast.unparse(node)
    of = node.args[0] if node.args else None
    if isinstance(of, ast.Call) and _name(of.func) in CATEGORICAL_CALLS and len(of.args) == 1 and not of.keywords:
        of = of.args[0]  # R's relevel(factor(x), ...)
    name = None if of is None else dotted(of)
    if name is None:
        raise FormulaError(f"`{shown}` must name one column.", "write `C(column)`; compute the column first")
    sql = data.sql(name)
    if not data.types[name].startswith((*_TEXT, _BOOLEAN, *_NUMBER, *_TEMPORAL)):
        raise FormulaError(f"Column {name!r} is of type {data.types[name]}, which has no levels.")
    rest = [*node.args[1:], *(word.value for word in node.keywords)]
    if len(rest) > 1:
        raise FormulaError(f"`{shown}` has too many arguments.", "write `C(column)` or `C(column, contrast)`")
    if _name(node.func) == "relevel":
        if not rest:
            raise FormulaError(f"`{shown}` names no reference level.", 'write `relevel(x, ref="level")`')
        return Expression(sql, (name,), Contrast(reference=constant(rest[0], shown)), name)
    if rest and _name(node.func) != "C":
        raise FormulaError(
            f"`{shown}` cannot set levels inside the formula.",
            'use `C(x, Treatment("level"))`, or make an ordered category of the column',
        )
    return Expression(sql, (name,), read_contrast(rest[0], shown) if rest else Contrast(), name)


@dataclass(frozen=True)
class _Compiler:
    """Compiles the nodes of one expression and notes the columns that it reads."""

    data: Columns
    statistics: Statistics
    columns: dict[str, None]
    shown: str

    def numeric(self, node: ast.expr) -> str:
        """SQL of an arithmetic node."""
        if (name := dotted(node)) is not None:
            return self._named(name)
        match node:
            case ast.Constant(value=value) if isinstance(value, (int, float, str)):
                return literal(float(value)) if not isinstance(value, str) else literal(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self.numeric(operand)})"
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.numeric(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)].format(self.numeric(left), self.numeric(right))
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _POWERS):
                return f"pow({self.numeric(left)}, {self.numeric(right)})"
            case ast.Compare():
                return f"cast({self.condition(node)} as double)"
            case ast.Call(func=func, args=arguments):
                if (sql := self._called(_name(func), arguments, node)) is not None:
                    return sql
        called = _name(node.func) if isinstance(node, ast.Call) else ""
        raise FormulaError(
            f"`{ast.unparse(node)}` cannot be compiled to SQL.",
            _INSTEAD.get(called)
            or f"use + - * / ** and {', '.join([*_FUNCTIONS, *_AGGREGATES, *TRANSFORMS])}, or add it to the data",
        )

    def condition(self, node: ast.Compare) -> str:
        """SQL of one comparison."""
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARISONS:
            raise FormulaError(f"`{ast.unparse(node)}` must compare two things.", "write `I(x > 1)`")
        left, right = self.numeric(node.left), self.numeric(node.comparators[0])
        return f"{left} {_COMPARISONS[type(node.ops[0])]} {right}"

    def _named(self, name: str) -> str:
        """A column, or pi."""
        if name in {"pi", "np.pi"} and name not in self.data.types:
            return "pi()"
        sql = self.data.sql(name)
        self.columns[name] = None
        kind = self.data.types[name]
        if kind.startswith((*_TEXT, *_TEMPORAL)):
            return sql
        if not kind.startswith((*_NUMBER, _BOOLEAN)):
            raise FormulaError(f"Column {name!r} is of type {kind}, with which nothing can be computed.")
        return f"cast({sql} as double)"

    def _called(self, name: str, arguments: list[ast.expr], node: ast.Call) -> str | None:
        """SQL of a function; None for unknown ones."""
        if name in TRANSFORMS:
            parts = columns_of(node, self.numeric, self.statistics, self.shown)
            if len(parts) == 1:
                return parts[0][1]
        if node.keywords:
            return None
        if name in _AGGREGATES and len(arguments) == 1:
            return literal(self.statistics.number(_AGGREGATES[name].format(self.numeric(arguments[0]))))
        template = _FUNCTIONS.get(name, "")
        if template and template.count("{}") == len(arguments):
            return template.format(*(self.numeric(argument) for argument in arguments))
        return None


def dotted(node: ast.expr) -> str | None:
    """A name, dots included (R allows them in names); None for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        return text if re.fullmatch(r"[\w.]+", text) else None
    return None


def _parsed(text: str) -> ast.expr:
    """Syntax tree of an expression; names in backticks may hold any sign."""
    names = re.findall(r"`([^`]*)`", text)
    for i, name in enumerate(names):
        text = text.replace(f"`{name}`", f"_backticked_{i}")
    tree = ast.parse(text, mode="eval").body
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id.startswith("_backticked_"):
            node.id = names[int(node.id.rpartition("_")[2])]
    return tree


def _name(node: ast.expr) -> str:
    """Last name of a dotted function."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
