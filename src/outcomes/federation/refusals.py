"""What a site refuses before it joins: people so few that a sum says something of them."""

from __future__ import annotations

from collections.abc import Iterator

from outcomes.errors import DataRefused
from outcomes.federation.plan import GROUPS, Plan
from outcomes.federation.singled_out import refuse_singled_out
from outcomes.mixed.design.data import VIEW, literal, quoted
from outcomes.mixed.design.population import Population


def refuse_few(plan: Plan, population: Population) -> None:
    """Refuse where this site's own part would say something of a few people.

    Parameters
    ----------
    plan : Plan
    population : Population
        The rows that take part.

    Raises
    ------
    DataRefused
        Fewer than 10 clients or 5 therapists; what `refuse_parts` refuses.
    """
    found = _counted(population, list(GROUPS), population.complete)
    for column, fewest in GROUPS.items():
        if found[column] < fewest:
            raise DataRefused(
                f"This site has fewer than {fewest} of {column} in the model's rows",
                f"a site takes part with at least {fewest}",
            )
    refuse_parts(plan, population)


def refuse_parts(plan: Plan, population: Population) -> None:
    """Refuse where the sums over these rows say something of a few clients.

    Parameters
    ----------
    plan : Plan
    population : Population
        All rows that take part, or those in which two plans differ: whoever knows both sums knows theirs.

    Raises
    ------
    DataRefused
        A level of a categorical predictor that 1 to 9 clients have; of an outcome of 0 and 1 only, an event that 1 to 9
        clients have or have not, among all or in such a level; columns of which a few clients hold nearly all.
    """
    design, fewest = population.design(plan.formula), GROUPS["client_id"]
    outcome = design.outcome if plan.link or _is_yes_or_no(population, design.outcome) else None
    for name, condition in _parts(plan, population.complete):
        n = _counted(population, ["client_id"], condition)["client_id"]
        if 0 < n < fewest:
            raise DataRefused(f"A category of {name} has fewer than {fewest} clients at this site", _COARSER)
        if outcome is None:
            continue
        have = _counted(population, ["client_id"], f"{condition} and {outcome} <> 0")["client_id"]
        rows_without = _counted(population, ["client_id"], f"{condition} and {outcome} = 0")["client_id"]
        if any(0 < few < fewest for few in (have, n - have, rows_without)):
            raise DataRefused(
                f"Fewer than {fewest} clients{f' of a category of {name}' if name else ''} have the event at this "
                "site, or have it not: sums would say something of these few",
                _COARSER if name else "take part with more clients, or in a plan with another outcome",
            )
    refuse_singled_out(population, design, fewest, is_yes_or_no=outcome is not None)


def _counted(population: Population, columns: list[str], condition: str) -> dict[str, int]:
    """Distinct values of columns in the rows of a condition."""
    counts = ", ".join(f"count(distinct {quoted(column)}) as {quoted(column)}" for column in columns)
    return population.source.query(f"select {counts} from {VIEW} where {condition}").to_pylist()[0]


def _is_yes_or_no(population: Population, outcome: str) -> bool:
    """Whether an outcome is 0 or 1 in every row: a linear model tells of it what a binomial one does."""
    asked = f"select bool_and({outcome} in (0, 1)) as only from {VIEW} where {population.complete}"
    return bool(population.source.query(asked).to_pylist()[0]["only"])


_COARSER = "plan with coarser categories"


def _parts(plan: Plan, complete: str) -> Iterator[tuple[str, str]]:
    """SQL of all rows, and of each category of the formula with the predictor's name."""
    yield "", complete
    for name, values in plan.all_levels.items():
        if name in plan.formula:
            for value in values:
                yield name, f"{complete} and {quoted(name)} = {literal(str(value))}"
