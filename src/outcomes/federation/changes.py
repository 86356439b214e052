"""In which rows a plan's sums differ from earlier plans': those of few clients would be shown by the difference.

Columns are compared one by one, for some are computed from everybody's rows (a departure from the grand mean): they
change for all clients when one rating does, and would hide it. Where nearly all clients have other ids than before,
people are told by what their rows hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

import duckdb

from outcomes.errors import DataRefused
from outcomes.federation import earlier_changes
from outcomes.federation.combined import few_remain
from outcomes.federation.plan import MIN_SITES, short
from outcomes.federation.sketch import SKETCH, Sketch, hasher, read_sketch
from outcomes.mixed.design.population import Population

BOUND = (
    "this site has answered round 1 already, so on this release it takes part with the same rows only: other limits "
    "need a later release, in which enough clients have changed"
)
"""What a refusal after round 1 says of its own remedy."""
_MOST = 0.5
"""Where more clients differ in a column, all do; where fewer are known to both plans, ids were made anew."""


def earlier_plans(folder: Path, own: Path) -> dict[str, Sketch | dict[str, str]]:
    """Sketches of all plans but the `own` one, by the plan's id; one of the first form is a plain dict.

    Raises
    ------
    StudyError
        Where a sketch cannot be read, or was kept by a later version.
    """
    return {path.parent.name: read_sketch(path) for path in sorted(folder.glob(f"*/{SKETCH}")) if path.parent != own}


def refuse_small_change(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    earlier: Mapping[str, Sketch | dict[str, str]],
    found: Sketch,
    population: Population,
    fewest: int,
) -> None:
    """Refuse a plan whose sums, with those of earlier plans, could be taken apart into those of few clients or one
    site.

    Parameters
    ----------
    con : connection
    folder : Path
        Where all plans' sketches are; those of plans that were answered bind.
    earlier : mapping of str to Sketch or dict
        Of the other plans, from `earlier_plans`.
    found : Sketch
    population : Population
        The plan's rows.
    fewest : int

    Raises
    ------
    DataRefused
        Where a plan on the same release and table had other rows; where rows or values differ from an earlier plan's
        for 1 to `fewest` - 1 clients, or those of several plans can be combined to so few; where a plan of the same
        rows had one or two other sites.
    """
    in_earlier_form = cache(lambda: earlier_changes.sketch(con, hasher(folder), population))
    for name, other in earlier.items():
        if isinstance(other, Sketch) or not earlier_changes.was_answered(folder / name):
            continue
        if 0 < earlier_changes.changed(other, in_earlier_form()) < fewest:
            raise _few(fewest, name)
    others = {name: other for name, other in earlier.items() if isinstance(other, Sketch)}
    for name, other in others.items():
        if (other.release, other.table) == (found.release, found.table) and other.rows != found.rows:
            raise DataRefused(
                f"Other rows of {found.table} took part in the plan {short(name)} on this release: sums over several "
                "choices of rows could be combined so that a few clients remain",
                "plan with the same --at-least and --up-to and with predictors that are missing in the same rows, or "
                "take part from a later release",
            )
    for name, other in others.items():
        if _few_remain([other, found], fewest):
            raise _few(fewest, name)
        if other.sites and _content(other) == _content(found):
            _refuse_few_sites(name, set(other.sites) ^ set(found.sites))
    different = list({_content(other): other for other in [*others.values(), found]}.values())
    if len(different) > 2 and _few_remain(different, fewest):
        raise DataRefused(
            f"The sums of this plan and of {len(different) - 1} earlier choices of rows could be combined so that "
            f"fewer than {fewest} clients remain",
            "plan with the limits of an earlier plan, or wait until more clients have changed",
        )


def changed_since(earlier: Mapping[str, Sketch | dict[str, str]], found: Sketch) -> Iterator[tuple[str, set[str]]]:
    """By earlier plan, hashes of the clients who joined since, or whose rows hold something else; where there are any.

    A column in which most clients differ is left out: it is computed from everybody's rows, or names them.
    """
    for name, other in earlier.items():
        if isinstance(other, Sketch) and other.table == found.table and (changed := _changed(other, found)):
            yield name, changed


def _refuse_few_sites(name: str, others: set[str]) -> None:
    if 0 < len(others) < MIN_SITES:
        raise DataRefused(
            f"The plan {short(name)} had the same rows of this site and {len(others)} other sites: the difference of "
            "the two sums would be these sites' own",
            f"plan with the same sites or with at least {MIN_SITES} others, or take part from a later release, in "
            "which enough clients have changed",
        )


def _few(fewest: int, name: str) -> DataRefused:
    return DataRefused(
        f"Fewer than {fewest} clients differ between now and the plan {short(name)}: the difference of the two sums "
        "would be theirs",
        f"wait until {fewest} clients have changed, or take part with the same rows: the earlier release's data, the "
        "same limits, predictors that are missing in the same sessions",
    )


def _few_remain(sketches: list[Sketch], fewest: int) -> bool:
    if _are_anew(sketches):
        return any(few_remain(sets, fewest) for sets in _compared_unnamed(sketches))
    first, *rest = sketches
    same = {
        client
        for client, rows in first.rows.items()
        if all(one.rows.get(client) == rows and one.contents[client] == first.contents[client] for one in rest)
    }
    if all(one.columns == first.columns for one in rest):
        everybody = set().union(*(one.rows for one in sketches))
        # Who is the same in all has one and the same pattern: as many as count as many will do.
        sketches = [one.of(everybody - same | set(sorted(same)[:fewest])) for one in sketches]
    return any(few_remain(sets, fewest) for sets in _compared(sketches))


def _are_anew(sketches: list[Sketch]) -> bool:
    """Whether two sketches hardly know each other's clients, and both say what these hold."""
    if not all(one.values for one in sketches):
        return False
    pairs = ((one.rows.keys(), other.rows.keys()) for one, other in combinations(sketches, 2))
    return any(len(one & other) < _MOST * min(len(one), len(other)) for one, other in pairs)


def _compared(sketches: list[Sketch]) -> Iterator[list[Mapping[str, Mapping[str, int]]]]:
    """What is compared: rows of one sort, else who takes part; and each column of those that have it, with the rows'
    names and without."""
    sorts = {one.named_by or one.table for one in sketches}
    if len(sorts) > 1:
        yield [one.clients() for one in sketches]
    for sort in sorted(sorts):
        yield [one.things() for one in sketches if (one.named_by or one.table) == sort]
    for name in sorted({name for one in sketches for name in one.columns}):
        having = [one for one in sketches if name in one.columns]
        yield [_once(one.column(name, one.contents)) for one in having]
        yield [_once(one.column(name, one.values)) for one in having if one.values]


def _once(held: Mapping[str, str]) -> dict[str, dict[str, int]]:
    return {client: {hashed: 1} for client, hashed in held.items()}


def _compared_unnamed(sketches: list[Sketch]) -> Iterator[list[Mapping[str, Mapping[str, int]]]]:
    """Each column as a bag of what clients hold, whoever they are."""
    for name in sorted({name for one in sketches for name in one.columns}):
        yield [
            {thing: {thing: 1} for thing in _numbered(one.column(name, one.values)).values()}
            for one in sketches
            if name in one.columns
        ]


def _numbered(held: Mapping[str, str]) -> dict[str, str]:
    """What each client holds, with a number where several hold the same."""
    seen: Counter[str] = Counter()
    found = {}
    for client, hashed in held.items():
        found[client] = f"{hashed}-{seen[hashed]}"
        seen[hashed] += 1
    return found


def _changed(other: Sketch, found: Sketch) -> set[str]:
    kind = "values" if other.values and found.values else "contents"
    is_anew = _are_anew([other, found])
    known = set(found.rows) if is_anew else found.rows.keys() & other.rows.keys()
    differing = []
    for name in sorted(set(other.columns) & set(found.columns)):
        before, now = (one.column(name, getattr(one, kind)) for one in (other, found))
        if is_anew:
            there = set(_numbered(before).values())
            differing.append({client for client, held in _numbered(now).items() if held not in there})
        else:
            differing.append({client for client in known if before[client] != now[client]})
    few = [clients for clients in differing if len(clients) <= _MOST * len(known)]
    return (found.rows.keys() - known).union(*(few or [min(differing, key=len, default=set())]))


def _content(one: Sketch) -> str:
    return repr((one.table, one.columns, sorted(one.rows.items()), sorted(one.contents.items())))
