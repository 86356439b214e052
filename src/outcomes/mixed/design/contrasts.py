"""Codings of a categorical predictor: how its levels become columns (Chambers & Hastie 1992, section 2.3)."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from outcomes.errors import FormulaError
from outcomes.mixed.design.data import literal


class Coding(StrEnum):
    """Contrasts by R's names."""

    TREATMENT = "treatment"
    SUM = "sum"
    HELMERT = "helmert"
    POLY = "poly"


_SPELLINGS = {
    "treatment": Coding.TREATMENT,
    "contr_treatment": Coding.TREATMENT,
    "sum": Coding.SUM,
    "contr_sum": Coding.SUM,
    "deviation": Coding.SUM,
    "helmert": Coding.HELMERT,
    "contr_helmert": Coding.HELMERT,
    "poly": Coding.POLY,
    "contr_poly": Coding.POLY,
}
_MARKS = {Coding.TREATMENT: "T.", Coding.SUM: "S.", Coding.HELMERT: "H.", Coding.POLY: ""}


@dataclass(frozen=True)
class Contrast:
    """A coding; `reference` is the level that treatment coding compares with (None: the first)."""

    coding: Coding = Coding.TREATMENT
    reference: object = None


def read_contrast(node: ast.expr, shown: str) -> Contrast:
    """The contrast of ``C(x, ...)``: Treatment("level"), Sum, Helmert or Poly, or R's contr.sum and so on.

    Raises
    ------
    FormulaError
        For any other.
    """
    called = node.func if isinstance(node, ast.Call) else node
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", getattr(called, "value", ""))
    values = [*node.args, *(word.value for word in node.keywords)] if isinstance(node, ast.Call) else []
    coding = _SPELLINGS.get(str(name).lower().replace(".", "_"))
    if coding is None or len(values) > (coding is Coding.TREATMENT):
        raise FormulaError(
            f"The contrast in `{shown}` is not known.",
            'write `C(x, Treatment("level"))`, `C(x, Sum)`, `C(x, Helmert)` or `C(x, Poly)`',
        )
    return Contrast(coding, constant(values[0], shown) if values else None)


def constant(node: ast.expr, shown: str) -> object:
    """A number, text or truth value written in a formula, R's TRUE and FALSE included.

    Raises
    ------
    FormulaError
        For anything that must be computed.
    """
    if isinstance(node, ast.Name) and node.id in {"TRUE", "FALSE", "T", "F"}:
        return node.id.startswith("T")
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise FormulaError(f"`{ast.unparse(node)}` in `{shown}` must be a number, text, True or False.") from error


def coding_matrix(name: str, levels: Sequence, contrast: Contrast | None) -> tuple[tuple[str, ...], np.ndarray]:
    """Names and values, shape (levels, columns), of a coding; one indicator a level without a contrast.

    Raises
    ------
    FormulaError
        When the reference level does not occur.
    """
    k = len(levels)
    if contrast is None:
        return tuple(f"{name}[{level}]" for level in levels), np.eye(k)
    mark = _MARKS[contrast.coding]
    if contrast.coding is Coding.TREATMENT:
        at = _reference(name, levels, contrast.reference)
        kept = [i for i in range(k) if i != at]
        return tuple(f"{name}[{mark}{levels[i]}]" for i in kept), np.eye(k)[:, kept]
    if contrast.coding is Coding.SUM:
        names = tuple(f"{name}[{mark}{level}]" for level in levels[:-1])
        return names, np.vstack([np.eye(k - 1), -np.ones(k - 1)])
    if contrast.coding is Coding.HELMERT:
        columns = [np.r_[-np.ones(j), j, np.zeros(k - 1 - j)] for j in range(1, k)]
        return tuple(f"{name}[{mark}{level}]" for level in levels[1:]), np.column_stack(columns)
    powers = np.vander(np.arange(k) - (k - 1) / 2, increasing=True)
    Q, R = np.linalg.qr(powers)
    letters = ["L", "Q", "C", *(f"^{j}" for j in range(4, k))]
    return tuple(f"{name}[{letter}]" for letter in letters[: k - 1]), (Q * np.sign(np.diag(R)))[:, 1:]


def coding_sql(level_sql: str, levels: Sequence, values: np.ndarray) -> str:
    """SQL of one column of a coding, given its value at each level."""
    if np.array_equal(np.sort(values), np.r_[np.zeros(len(values) - 1), 1.0]):
        return f"cast({level_sql} = {literal(levels[int(np.argmax(values))])} as double)"
    cases = " ".join(f"when {literal(level)} then {literal(float(v))}" for level, v in zip(levels, values, strict=True))
    return f"case {level_sql} {cases} end"


def _reference(name: str, levels: Sequence, wanted: object) -> int:
    """Position of the reference level; a level may be named by its text."""
    if wanted is None:
        return 0
    for i, level in enumerate(levels):
        if level == wanted or str(level) == str(wanted):
            return i
    raise FormulaError(f"The reference level asked for in `{name}` does not occur among the complete rows.")
