"""Arithmetic of a formula's factors as SQL: ``I(x**2)`` becomes ``pow(x, 2)``."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from outcomes.errors import FormulaError
from outcomes.mixed.design.data import literal, quoted

CATEGORICAL_CALLS = ("C", "factor")

_FUNCTIONS = {
    "I": "({})",
    "log": "ln({})",
    "log2": "log2({})",
    "log10": "log10({})",
    "log1p": "ln(1 + {})",
    "exp": "exp({})",
    "expm1": "(exp({}) - 1)",
    "sqrt": "sqrt({})",
    "abs": "abs({})",
    "minimum": "least({}, {})",
    "maximum": "greatest({}, {})",
}
_ARITHMETIC = {ast.Add: "({} + {})", ast.Sub: "({} - {})", ast.Mult: "({} * {})", ast.Div: "({} / {})"}
_POWERS = (ast.Pow, ast.BitXor)  # R writes x^2
_COMPARISONS = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=", ast.Eq: "=", ast.NotEq: "<>"}
_TEXT = ("VARCHAR", "ENUM", "UUID")
_NUMBER = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_NUMBER += ("UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN")


@dataclass(frozen=True)
class Expression:
    """One factor of a term.

    Parameters
    ----------
    sql : str
        Double-valued SQL for a numeric factor, the quoted column for a categorical one.
    columns : tuple of str
        Data columns that it reads.
    is_categorical : bool
        True for text columns and ``C(...)``.
    reference : object
        The reference level asked for with ``C(x, Treatment("level"))``; None means the first.
    """

    sql: str
    columns: tuple[str, ...]
    is_categorical: bool = False
    reference: object = None


def compile_expression(source: str, types: dict[str, str]) -> Expression:
    """Compile one factor expression.

    Parameters
    ----------
    source : str
        A column's name, ``C(column)``, or arithmetic on columns with I, log, exp, sqrt, abs, minimum, maximum
        (``np.`` may precede), ``^`` or ``**``, and comparisons.
    types : dict of str to str
        DuckDB types of the data's columns.

    Raises
    ------
    FormulaError
        For unknown columns and functions.
    """
    if source.strip("`") in types:
        return _column(source.strip("`"), types)
    try:
        node = ast.parse(source.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"The data have no column {source!r}, and it is no expression.", _known(types)) from error
    if isinstance(node, ast.Call) and _name(node.func) in CATEGORICAL_CALLS:
        return _categorical(node, types)
    columns: dict[str, None] = {}
    sql = _numeric(node, types, columns)
    return Expression(f"cast({sql} as double)", tuple(columns))


def _column(name: str, types: dict[str, str]) -> Expression:
    """A bare column: text is categorical, numbers and booleans are numeric."""
    kind = types[name]
    if kind.startswith(_TEXT):
        return Expression(quoted(name), (name,), is_categorical=True)
    if not kind.startswith(_NUMBER):
        raise FormulaError(
            f"Column {name!r} is of type {kind}, which cannot be a predictor.",
            "make a number of it first, e.g. days since the start",
        )
    return Expression(f"cast({quoted(name)} as double)", (name,))


def _categorical(node: ast.Call, types: dict[str, str]) -> Expression:
    """``C(column)`` with an optional reference level."""
    if not node.args or not isinstance(node.args[0], ast.Name):
        raise FormulaError(f"`{ast.unparse(node)}` must name one column.", "write `C(column)`")
    name = node.args[0].id
    if name not in types:
        raise FormulaError(f"The data have no column {name!r}.", _known(types))
    reference = None
    if len(node.args) > 1 or node.keywords:
        contrast = node.args[1] if len(node.args) > 1 else node.keywords[0].value
        values = [*contrast.args, *(k.value for k in contrast.keywords)] if isinstance(contrast, ast.Call) else []
        if _name(getattr(contrast, "func", contrast)) not in ("Treatment", "treatment") or len(values) != 1:
            raise FormulaError(
                f"The contrast in `{ast.unparse(node)}` is not known.",
                'treatment coding is the only one: `C(x, Treatment("level"))`',
            )
        reference = ast.literal_eval(values[0])
    return Expression(quoted(name), (name,), is_categorical=True, reference=reference)


def _numeric(node: ast.expr, types: dict[str, str], columns: dict[str, None]) -> str:
    """SQL of an arithmetic node; notes the columns that it reads."""
    match node:
        case ast.Name(id=name):
            if name not in types:
                raise FormulaError(f"The data have no column {name!r}.", _known(types))
            columns[name] = None
            return quoted(name) if types[name].startswith(_TEXT) else f"cast({quoted(name)} as double)"
        case ast.Constant(value=value) if isinstance(value, (int, float, str)):
            return literal(float(value)) if not isinstance(value, str) else literal(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"(-{_numeric(operand, types, columns)})"
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return _ARITHMETIC[type(op)].format(_numeric(left, types, columns), _numeric(right, types, columns))
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _POWERS):
            return f"pow({_numeric(left, types, columns)}, {_numeric(right, types, columns)})"
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            pair = (_numeric(left, types, columns), _numeric(right, types, columns))
            return f"cast({pair[0]} {_COMPARISONS[type(op)]} {pair[1]} as double)"
        case ast.Call(func=func, args=arguments) if _name(func) in _FUNCTIONS and not node.keywords:
            template = _FUNCTIONS[_name(func)]
            if template.count("{}") == len(arguments):
                return template.format(*(_numeric(argument, types, columns) for argument in arguments))
    raise FormulaError(
        f"`{ast.unparse(node)}` cannot be compiled to SQL.",
        "use + - * / ** and " + ", ".join(_FUNCTIONS) + ", or add the column to the data",
    )


def _name(node: ast.expr) -> str:
    """Last name of a dotted function."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _known(types: dict[str, str]) -> str:
    """Hint that lists the data's columns."""
    names = list(types)
    return "the data have " + ", ".join(names[:20]) + (" ..." if len(names) > 20 else "")
