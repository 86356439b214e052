"""What the sites agree on before the first round: one file that nobody may change afterwards."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path

import duckdb

from outcomes.errors import FormulaError, StudyError, UsageError, no_such
from outcomes.links import link_named
from outcomes.mixed.binomial.pooled import refuse_slopes
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.design.population import open_population
from outcomes.mixed.linear.gram import columns_of
from outcomes.release.codebook.tables import TABLES
from outcomes.store.files import read_json, write_json

PLAN = "plan.json"
MIN_SITES = 3
"""With two sites each could subtract its own numbers from the sum and read the other's."""
MIN_CLIENTS = 10
MIN_THERAPISTS = 5
MAX_ROUNDS = 300
COURSE, NUMBER = "episode_id", "attended_number"
"""Columns of a client's courses and of the sessions in each, where a table has them."""
GROUPS = {"client_id": MIN_CLIENTS, "therapist_id": MIN_THERAPISTS, "practice_id": 1}
"""What a random term may group by, none of whose levels lies in two sites, and the fewest levels at a site."""

_OTHER = re.compile(r"[^\s\w~+*:()|^-]|\*\*(?!\s*2\b)|\^(?!\s*2\b)|\b(?!I\b)\w+(?=\s*\()")
"""Whatever is no column, product, square or bracket: comparisons, functions, higher powers."""
_FIRST = ("formula", "table", "sites", "reml", "levels", "fewest_rows")
"""Fields that every plan has."""
_ALLOWED = (ast.BinOp, ast.UnaryOp, ast.Add, ast.Sub, ast.UAdd, ast.USub, ast.Pow, ast.Name, ast.Constant, ast.Load)
"""Inside I(); which powers `_OTHER` says."""


@dataclass(frozen=True)
class Plan:
    """A model and the sites that fit it together.

    Parameters
    ----------
    formula : str
        In lme4's syntax, on columns of `table`; random terms group by client, therapist or practice.
    table : str
        A published table of every site.
    sites : tuple of str
        Names, at least three.
    reml : bool
    levels : dict of str to list of str
        Levels of each categorical predictor, first the reference: no site sees another's.
    fewest_rows : int
        Clients with fewer complete rows stay out, at every site.
    up_to : int
        Most complete rows of a client, the first ones of one course; 0 where all take part.
    link : str or None
        Of a binomial model; None of a linear one.
    """

    formula: str
    table: str
    sites: tuple[str, ...]
    reml: bool = True
    levels: dict[str, list[str]] = field(default_factory=dict)
    fewest_rows: int = 1
    up_to: int = 0
    link: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.sites)) < MIN_SITES:
            raise UsageError(
                f"A pooled fit needs at least {MIN_SITES} sites; the plan names {len(set(self.sites))}.",
                "with two, each could subtract its own numbers and read the other's",
            )
        if wrong := [name for name in self.sites if not name.replace("-", "").replace("_", "").isalnum()]:
            raise UsageError(f"A site's name has letters, digits, - and _ only; {len(wrong)} of the names differ.")
        if len({name.casefold() for name in self.sites}) < len(self.sites):
            raise UsageError(
                "Two sites of the plan have the same name, or one that differs by capital letters only.",
                "choose another name: some disks keep one file for both",
            )
        if self.table not in TABLES:
            raise no_such("published table", self.table, TABLES)
        if lacks := [name for name in GROUPS if name not in TABLES[self.table].columns]:
            raise UsageError(
                f"{self.table} has no {', '.join(lacks)}: no site could count its clients, therapists and practices.",
                f"choose a table that has: {', '.join(_with_groups())}",
            )
        if type(self.fewest_rows) is not int or self.fewest_rows < 1:
            raise UsageError("--at-least is a whole number of rows, 1 or more.")
        if type(self.up_to) is not int or self.up_to < 0:
            raise UsageError("--up-to is a whole number of sessions, or 0 where all take part.")
        if other := _OTHER.findall(self.formula):
            raise FormulaError(
                f"A pooled formula has columns, their products and squares only; this one has {other[0]!r}.",
                "a condition or a function could single out one client",
            )
        for inside in _brackets(self.formula):
            if not _is_sum_with_a_square(inside):
                raise FormulaError(
                    f"Inside I() of a pooled formula stand sums, differences and one square only, not {inside!r}.",
                    "a product of columns is written a:b, outside I(); longer ones could single out one client",
                )
        if without := [name for name in self._texts if name not in self.levels]:
            raise UsageError(
                f"The plan does not say which levels {without[0]} has; no site sees another's.",
                f"add `--levels {without[0]}=A,B` with all levels that occur at any site, first the reference",
            )
        for group in self.design.groups:
            if len(group) > 1 or group[0] not in GROUPS:
                raise FormulaError(
                    f"Random terms of a pooled fit group by {', '.join(GROUPS)}, not by {':'.join(group)}.",
                    "no level of a grouping factor may lie in two sites",
                )
        if self.up_to and NUMBER not in TABLES[self.table].columns:
            raise UsageError(f"{self.table} has no {NUMBER}.", "leave --up-to out, or choose a table of sessions")
        if self.link:
            link_named(self.link)
            refuse_slopes(self.design)

    @cached_property
    def id(self) -> str:
        """The plan's hash, which every message of the plan names: whole, so that no two plans can be made to share
        one."""
        content = json.dumps(self.content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def content(self) -> dict:
        """What is written down and hashed: later fields only where they say something, so that plans under way keep
        their id."""
        later = {one.name: one.default for one in fields(self) if one.name not in _FIRST}
        return {name: value for name, value in asdict(self).items() if name not in later or value != later[name]}

    @property
    def _texts(self) -> list[str]:
        """Predictors of the formula that are text."""
        parsed = parse_formula(self.formula)
        terms = [*parsed.fixed, *(term for block in parsed.random for term in block.terms)]
        columns = TABLES[self.table].columns
        names = dict.fromkeys(factor for term in terms for factor in term if factor in columns)
        return [name for name in names if columns[name].type == "VARCHAR"]

    @cached_property
    def design(self) -> Design:
        """The model's columns, compiled against an empty table of the sites' shape."""
        columns = ", ".join(f'"{name}" {column.type}' for name, column in TABLES[self.table].columns.items())
        con = duckdb.connect()
        con.execute(f'create table "{self.table}" ({columns})')
        return open_population([self.formula], con.table(self.table), levels=self.all_levels).design(self.formula)

    @property
    def all_levels(self) -> dict[str, list]:
        """Levels of the categorical predictors, those of yes-or-no columns included."""
        yes_or_no = [name for name, column in TABLES[self.table].columns.items() if column.type == "BOOLEAN"]
        return {name: [False, True] for name in yes_or_no} | {name: list(found) for name, found in self.levels.items()}

    @cached_property
    def columns(self) -> tuple[tuple[str, ...], int]:
        """SQL of the columns whose products are summed, and how many of them have random effects."""
        return columns_of([self.design])


def _with_groups() -> list[str]:
    """Tables with a client, a therapist and a practice in each row."""
    return [name for name, table in TABLES.items() if set(GROUPS) <= set(table.columns)]


def _brackets(formula: str) -> Iterator[str]:
    """What stands inside each I() of a formula."""
    for found in re.finditer(r"\bI\s*\(", formula):
        depth, end = 1, found.end()
        while depth and end < len(formula):
            depth += {"(": 1, ")": -1}.get(formula[end], 0)
            end += 1
        yield formula[found.end() : end - 1].strip()


def _is_sum_with_a_square(inside: str) -> bool:
    """Whether an expression has sums, differences and at most one square."""
    try:
        tree = ast.parse(inside.replace("^", "**"), mode="eval").body
    except SyntaxError:
        return False
    nodes = list(ast.walk(tree))
    squares = [node for node in nodes if isinstance(node, ast.Pow)]
    return len(squares) <= 1 and all(isinstance(node, _ALLOWED) for node in nodes)


def short(plan_id: str) -> str:
    """What a message says of a plan's id."""
    return plan_id[:12]


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan into a folder that all sites can reach; an equal one may be there already.

    Raises
    ------
    UsageError
        Where another plan is there.
    """
    path = folder / PLAN
    if path.exists() and read_plan(folder) != plan:
        raise UsageError(f"{path} holds another plan.", "choose an empty folder: a plan is never changed")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(path, plan.content)


def read_plan(folder: Path) -> Plan:
    """Read the plan of a folder.

    Raises
    ------
    StudyError
        Where there is none, or it cannot be read.
    """
    path = folder / PLAN
    try:
        content = read_json(path)
        known = {one.name for one in fields(Plan)}
        if not content.keys() <= known:
            raise StudyError(f"{path} was written by a newer version of outcomes", "update outcomes at this site")
        return Plan(**{**content, "sites": tuple(content["sites"])})
    except FileNotFoundError:
        raise StudyError(f"There is no {PLAN} in {folder}", "write one with `outcomes federate plan`") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise StudyError(f"{path} is no plan", "get it anew from whoever wrote it") from None
