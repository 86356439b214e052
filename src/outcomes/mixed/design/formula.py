"""lme4's formula syntax: the fixed part is read by formulaic, the random part is split off here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from formulaic import Formula
from formulaic.errors import FormulaicError

from outcomes.errors import FormulaError

Term = tuple[str, ...]
"""A product of factor expressions; the empty tuple is the intercept."""

INTERCEPT: Term = ()


@dataclass(frozen=True)
class RandomTerm:
    """One bracket ``(terms | group)``: random effects that may be correlated with each other.

    Parameters
    ----------
    terms : tuple of Term
        Columns that vary over the levels; the empty term is the random intercept.
    group : tuple of str
        Data columns whose combination is the grouping factor.
    """

    terms: tuple[Term, ...]
    group: tuple[str, ...]

    @property
    def group_name(self) -> str:
        """Name of the grouping factor as lme4 prints it, e.g. ``therapist_id:practice_id``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class ParsedFormula:
    """A mixed-model formula, taken apart.

    Parameters
    ----------
    source : str
        The formula as written.
    outcome : str
        Expression of the outcome (for ``cbind(events, others)`` the proportion of events).
    trials : str or None
        Expression of the number of trials when the outcome was written as ``cbind(events, others)``.
    fixed : tuple of Term
        Fixed-effect terms by degree; the intercept, if any, is first.
    random : tuple of RandomTerm
        Random-effect brackets in the order written, nested and ``||`` ones expanded.
    offsets : tuple of str
        Expressions inside ``offset(...)``: known parts of the linear predictor.
    """

    source: str
    outcome: str
    trials: str | None
    fixed: tuple[Term, ...]
    random: tuple[RandomTerm, ...]
    offsets: tuple[str, ...] = ()


@lru_cache(maxsize=4_096)  # a multiverse asks for each of its formulas several times
def parse_formula(formula: str) -> ParsedFormula:
    """Read a formula in lme4's syntax.

    Parameters
    ----------
    formula : str
        E.g. ``satisfaction ~ directiveness + (1 + directiveness | client_id) + (1 | practice_id/therapist_id)``.
        ``||`` makes the random effects of a bracket uncorrelated; ``a/b`` nests b in a.

    Returns
    -------
    ParsedFormula

    Raises
    ------
    FormulaError
        When it is not such a formula; the message names the part.

    Examples
    --------
    >>> parsed = parse_formula("y ~ x + (1 | practice/therapist)")
    >>> [term.group_name for term in parsed.random]
    ['practice', 'therapist:practice']
    """
    if not isinstance(formula, str):
        raise FormulaError(f"A formula is text; this is {type(formula).__name__}.", "write 'y ~ x + (1 | group)'")
    outcome, tilde, right = without_r_spellings(formula).partition("~")
    if not tilde or not outcome.strip():
        raise FormulaError(f"The formula has no outcome: {formula!r}.", "write `outcome ~ fixed + (1 | group)`")
    if re.search(r"(?<![\w.)])\.(?![\w.])", _without_quotes(right)):
        raise FormulaError(
            "A dot for all other columns is not read: the groups would be among them.", "name the predictors"
        )
    fixed_source, brackets = _split_brackets(right)
    random: list[RandomTerm] = []
    for bracket in brackets:
        random.extend(_random_terms(bracket))
    outcome_expression, trials = _outcome(outcome.strip())
    fixed, offsets = _offsets(_terms(fixed_source or "1"))
    return ParsedFormula(
        source=" ".join(formula.split()),
        outcome=outcome_expression,
        trials=trials,
        fixed=fixed,
        random=tuple(dict.fromkeys(random)),
        offsets=offsets,
    )


def without_r_spellings(text: str) -> str:
    """Write R's dotted functions as names that Python can read: ``as.factor(k)`` becomes ``factor(k)``."""
    text = re.sub(r"\b(?:splines|stats|base)::", "", text)
    text = re.sub(r"\bas\.(?:factor|character)\(", "factor(", text)
    text = re.sub(r"\bas\.(?:numeric|integer|double)\(", "as_numeric(", text)
    return re.sub(r"\b(contr|as|is)\.(\w+)", r"\1_\2", text)


def _without_quotes(text: str) -> str:
    """The text with everything in quotes or backticks left out."""
    return re.sub(r"`[^`]*`|'[^']*'|\"[^\"]*\"", "q", text)


def _offsets(terms: tuple[Term, ...]) -> tuple[tuple[Term, ...], tuple[str, ...]]:
    """Terms without the offsets, and the expressions of these."""
    offsets = []
    for term in terms:
        if any(_is_offset(factor) for factor in term):
            if len(term) > 1:
                raise FormulaError(f"An offset cannot be part of an interaction: {':'.join(term)}.")
            offsets.append(term[0].strip()[len("offset(") : -1].strip())
    return tuple(term for term in terms if not any(_is_offset(factor) for factor in term)), tuple(offsets)


def _is_offset(factor: str) -> bool:
    return factor.replace(" ", "").startswith("offset(")


def _split_brackets(right: str) -> tuple[str, list[str]]:
    """Split the right-hand side into its fixed source and the insides of its random brackets."""
    fixed: list[str] = []
    brackets: list[str] = []
    for piece, sign in _summands(right):
        inside = piece[1:-1] if piece.startswith("(") and _closes_at(piece) == len(piece) - 1 else ""
        if "|" in inside:
            if sign == "-":
                raise FormulaError(f"A random term cannot be subtracted: - {piece}.")
            brackets.append(inside)
        elif "|" in piece:
            raise FormulaError(f"Random terms need brackets of their own: {piece}.", _bracket_hint(piece))
        else:
            fixed.append(f"{sign} {piece}")
    return " ".join(fixed).removeprefix("+ ").strip(), brackets


def _bracket_hint(piece: str) -> str:
    """What to write instead of a bar outside a bracket, or of another package's covariance structure."""
    structure = piece.partition("(")[0].strip()
    if structure in {"diag", "us"}:
        bar = " || " if structure == "diag" else " | "
        return "write `" + piece[len(structure) :].replace("|", bar.strip(), 1) + "`"
    if structure in {"ar1", "cs", "ou", "toep"}:
        return f"{structure}() is not a structure of this engine; `(1 + x | group)` and `(1 + x || group)` are"
    return "write `(1 | group)`"


def _summands(text: str) -> list[tuple[str, str]]:
    """Split at the top-level plus and minus signs into (piece, sign) pairs."""
    pieces: list[tuple[str, str]] = []
    start, sign, depth = 0, "+", 0
    for position, character, depth in _scan(text):
        if depth < 0:
            raise FormulaError(f"A closing bracket has no opening one: {text.strip()}.")
        if depth == 0 and character in "+-":
            if text[start:position].strip():
                pieces.append((text[start:position].strip(), sign))
            start, sign = position + 1, character
    if depth:
        raise FormulaError(f"A bracket is not closed: {text.strip()}.")
    if text[start:].strip():
        pieces.append((text[start:].strip(), sign))
    elif pieces:
        raise FormulaError(f"The formula ends in a {sign!r}: {text.strip()}.")
    return pieces


def _closes_at(piece: str) -> int:
    """Position of the bracket that closes the first one."""
    return next((position for position, _, depth in _scan(piece) if depth == 0), -1)


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Positions and characters outside quotes and backticks, with the depth of brackets after each."""
    depth, quote = 0, ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
            continue
        if character in "`'\"":
            quote = character
            continue
        depth += (character in "([{") - (character in ")]}")
        yield position, character, depth


def _random_terms(inside: str) -> list[RandomTerm]:
    """Expand one bracket: ``||`` into uncorrelated terms, ``a/b`` into a and b within a."""
    left, _, right = inside.partition("|")
    uncorrelated = right.startswith("|")
    right = right.removeprefix("|")
    if "|" in right:
        raise FormulaError(f"More than one bar in the random term ({inside.strip()}).")
    terms = _terms(left)
    if not terms:
        raise FormulaError(f"The random term ({inside.strip()}) has no effects.", "write `(1 | group)`")
    if any(_is_offset(factor) for term in terms for factor in term):
        raise FormulaError("An offset belongs to the fixed part, not into a bracket.", "write `+ offset(x)`")
    groups = _groups(right, inside)
    blocks = [(term,) for term in terms] if uncorrelated else [terms]
    return [RandomTerm(block, group) for group in groups for block in blocks]


def _groups(right: str, inside: str) -> list[tuple[str, ...]]:
    """Grouping factors of a bracket; ``a/b`` gives a and b:a as in lme4."""
    right = re.sub(r"\b(?:factor|C)\(\s*([\w.]+)\s*\)", r"\1", right)  # a group is a factor anyway
    right = re.sub(r"\binteraction\(\s*([\w.]+)\s*,\s*([\w.]+)\s*\)", r"\1:\2", right)
    nested = [tuple(name.strip().strip("`") for name in part.split(":")) for part in right.strip().split("/")]
    names = [name for part in nested for name in part]
    if not all(names) or any(character in name for name in names for character in "()+*"):
        raise FormulaError(
            f"The grouping factor of ({inside.strip()}) cannot be read.",
            "name one column, `a:b` for a combination or `a/b` for b within a",
        )
    groups: list[tuple[str, ...]] = []
    for depth in range(len(nested)):
        inner_first = [name for part in reversed(nested[: depth + 1]) for name in part]
        groups.append(tuple(dict.fromkeys(inner_first)))
    return groups


def _terms(source: str) -> tuple[Term, ...]:
    """Terms of a one-sided formula in formulaic's order."""
    try:
        terms = list(Formula(source))
    except (FormulaicError, SyntaxError, ValueError, TypeError, IndexError, RecursionError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FormulaError(f"Cannot read the terms `{source.strip()}`: {reason}") from error
    result: list[Term] = []
    for term in terms:
        if not hasattr(term, "factors"):
            raise FormulaError(
                f"`{source.strip()}` has more than one part.", "write one outcome and one right-hand side"
            )
        factors = tuple(factor.expr for factor in term.factors if factor.expr != "1")
        result.append(factors)
    return tuple(dict.fromkeys(result))


def _outcome(source: str) -> tuple[str, str | None]:
    """Outcome expression and, for cbind(events, others), the expression of the number of trials."""
    try:
        node = ast.parse(source.replace("^", "**"), mode="eval").body
    except SyntaxError:
        return source, None
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "cbind"
        and len(node.args) == 2
    ):
        events, others = (ast.unparse(argument) for argument in node.args)
        return f"({events}) / (({events}) + ({others}))", f"({events}) + ({others})"
    return source, None
