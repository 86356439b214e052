"""How many planted identifiers the door finds, and how often it is wrong about columns that point at nobody.

Prints the tables of docs/trust.md:  python tests/unit/landing/identifier_recall.py [--forms | --held-out]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

import duckdb
import held_out_innocent
from held_out_identifiers import HELD_OUT, is_for_development
from innocent_columns import IDS, INNOCENT_NAMES, OTHERS, PLACES, SESSION_DAYS, session_days
from planted_identifiers import NAMES_THAT_IDENTIFY, PLANTED

from outcomes.landing.identifiers.column_names import is_free_text_name, is_identifying_name
from outcomes.landing.identifiers.door import searched_ids
from outcomes.landing.identifiers.patterns import sightings

SEED = 20
COLUMNS_A_FORM = 5
HELD_OUT_COLUMNS = 2  # a form
HALVES = ("for development", "measured only")
VALUES_A_COLUMN = 60
STRAYS, AMONG = 3, 200


@dataclass(frozen=True)
class Found:
    """One form of identifier: columns drawn, and in how many it was seen where it stood in which way."""

    group: str
    form: str
    n_columns: int
    n_ids: int  # every id of the column
    n_strays: int  # three ids among two hundred
    n_ratings: int  # every cell of a column of ratings


@dataclass(frozen=True)
class Alarms:
    """One form of innocent column: columns drawn and how many were refused."""

    group: str
    form: str
    n_columns: int
    n_refused: int


def _is_seen_among_ids(columns: list[list[str]], *, is_place: bool = False) -> list[bool]:
    """Search columns of ids as the door does: what has the form of a pseudonym is not searched."""
    places = [f"c{place}" for place in range(len(columns))]
    with duckdb.connect() as con:
        lists = ", ".join(f"unnest(?::varchar[]) as v_{name}" for name in places)
        con.execute(f"create table typed as select {lists}", columns)
        searched = searched_ids(con, places)
    return [
        bool(sightings(sorted(ids.unsafe), ids.n_values, is_id=True, is_place=is_place, sample=ids.sample))
        for ids in (searched[name] for name in places)
    ]


def _is_seen_in_ratings(column: list[str]) -> bool:
    return bool(sightings(sorted(set(column)), len(column)))


def recall(
    seed: int = SEED,
    n_columns: int = COLUMNS_A_FORM,
    planted: Mapping[str, Mapping[str, Callable[[Random], str]]] = PLANTED,
) -> Iterator[Found]:
    """Plant every form in columns of its own."""
    for group, forms in planted.items():
        for form, make in forms.items():
            draw = Random(f"{seed} {group} {form}")
            columns = [[make(draw) for _ in range(VALUES_A_COLUMN)] for _ in range(n_columns)]
            others = [f"c{place:04d}" for place in range(AMONG - STRAYS)]
            strays = [column[:STRAYS] + others for column in columns]
            yield Found(
                group, form, n_columns, sum(_is_seen_among_ids(columns)), sum(_is_seen_among_ids(strays)),
                sum(map(_is_seen_in_ratings, columns)),
            )  # fmt: skip


def alarms() -> Iterator[Alarms]:
    """Draw columns that point at nobody."""
    for form, make in IDS.items():
        draw = Random(f"{SEED} {form}")
        columns = [[make(draw) for _ in range(AMONG)] for _ in range(COLUMNS_A_FORM)]
        yield Alarms("pseudonyms", form, COLUMNS_A_FORM, sum(_is_seen_among_ids(columns)))
    for form, names in PLACES.items():
        yield Alarms("practices", form, 1, sum(_is_seen_among_ids([list(names) * 30], is_place=True)))
    for form, values in OTHERS.items():
        columns = [Random(f"{SEED} {form} {place}").choices(values, k=AMONG) for place in range(COLUMNS_A_FORM)]
        yield Alarms("codes, labels and ratings", form, COLUMNS_A_FORM, sum(map(_is_seen_in_ratings, columns)))
    for form in SESSION_DAYS:
        days = session_days(Random(f"{SEED} {form}"), form, AMONG)
        yield Alarms("days of sessions", form, 1, bool(sightings(sorted(set(days)), AMONG, is_date=True)))


def held_out_recall() -> list[Found]:
    """Plant the forms that the patterns were not made from."""
    return list(recall(n_columns=HELD_OUT_COLUMNS, planted=HELD_OUT))


def held_out_alarms() -> Iterator[Alarms]:
    """Draw columns that point at nobody, in shapes that the patterns were not made from."""
    for group, forms in (
        ("pseudonyms", held_out_innocent.PSEUDONYMS),
        ("therapists", held_out_innocent.THERAPISTS),
    ):
        for form, make in forms.items():
            draw = Random(f"{SEED} {form}")
            columns = [[make(draw) for _ in range(AMONG)] for _ in range(HELD_OUT_COLUMNS)]
            yield Alarms(group, form, HELD_OUT_COLUMNS, sum(_is_seen_among_ids(columns)))
    for form, text in held_out_innocent.PLACES.items():
        yield Alarms("places", form, 1, sum(_is_seen_among_ids([_labels(text) * 30], is_place=True)))
    for form, text in held_out_innocent.CELLS.items():
        yield Alarms("cells", form, 1, _is_seen_in_ratings(_labels(text) * 30))
    for form, make in held_out_innocent.DAYS.items():
        draw = Random(f"{SEED} {form}")
        days = sorted({make(draw) for _ in range(AMONG)})
        yield Alarms("days", form, 1, bool(sightings(days, AMONG, is_date=True)))


def _labels(text: str) -> list[str]:
    return text.split("|") if "|" in text else text.split()


def half_of(row: Found | Alarms) -> str:
    """Say to which half of the held-out set a row belongs."""
    return HALVES[not is_for_development(row.group, row.form)]


def held_out_as_text(found: list[Found], wrong: list[Alarms]) -> str:
    """The held-out tables of docs/trust.md."""
    lines = [
        "| held out | forms | found in ids | found as 3 of 200 ids | found in ratings |",
        "|---|--:|--:|--:|--:|",
    ]
    kinds = [(group, [row for row in found if row.group == group]) for group in HELD_OUT]
    halves = [(f"all, {half}", [row for row in found if half_of(row) == half]) for half in HALVES]
    for title, rows in [*kinds, *halves]:
        counts = zip(*((row.n_ids, row.n_strays, row.n_ratings) for row in rows), strict=True)
        shares = (f"{round(100 * sum(part) / sum(row.n_columns for row in rows))}%" for part in counts)
        lines.append(f"| {title} | {len(rows)} | {' | '.join(shares)} |")
    lines += ["", "| innocent, held out | forms | refused forms | columns | refused columns |", "|---|--:|--:|--:|--:|"]
    for half in HALVES:
        rows = [row for row in wrong if half_of(row) == half]
        lines.append(
            f"| {half} | {len(rows)} | {sum(row.n_refused > 0 for row in rows)} | {sum(row.n_columns for row in rows)} "
            f"| {sum(row.n_refused for row in rows)} |"
        )
    return "\n".join(lines)


def names() -> tuple[list[str], list[str]]:
    """Return the identifying names that are missed, and the innocent ones that are refused."""
    missed = [name for name in NAMES_THAT_IDENTIFY.split() if not is_identifying_name(name)]
    refused = [name for name in INNOCENT_NAMES.split() if is_identifying_name(name) or is_free_text_name(name)]
    return missed, refused


def as_text(found: list[Found], wrong: list[Alarms]) -> str:
    """The tables of docs/trust.md."""
    lines = [
        "| planted | forms | columns | found in ids | found as 3 of 200 ids | found in ratings |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for group in [*PLANTED, ""]:
        rows = [row for row in found if group in ("", row.group)]
        n = sum(row.n_columns for row in rows)
        shares = (
            f"{round(100 * sum(part) / n)}%"
            for part in zip(*((r.n_ids, r.n_strays, r.n_ratings) for r in rows), strict=True)
        )
        lines.append(f"| {group or 'all'} | {len(rows)} | {n} | {' | '.join(shares)} |")
    lines += ["", "| innocent | forms | columns | refused |", "|---|--:|--:|--:|"]
    for group in [*dict.fromkeys(row.group for row in wrong), ""]:
        rows = [row for row in wrong if group in ("", row.group)]
        lines.append(
            f"| {group or 'all'} | {len(rows)} | {sum(r.n_columns for r in rows)} | {sum(r.n_refused for r in rows)} |"
        )
    missed, refused = names()
    n_planted, n_innocent = len(NAMES_THAT_IDENTIFY.split()), len(INNOCENT_NAMES.split())
    lines += ["", f"Of {n_planted} column names that announce an identifier {n_planted - len(missed)} are recognised; "
              f"of {n_innocent} innocent ones {len(refused)} are refused."]  # fmt: skip
    return "\n".join(lines)


def by_form() -> str:
    """Every form that is not always found, and every one that is wrongly refused."""
    lines = [
        f"{row.group:26} {row.form:32} ids {row.n_ids}/{row.n_columns}  strays {row.n_strays}/{row.n_columns}  "
        f"ratings {row.n_ratings}/{row.n_columns}"
        for row in recall()
        if min(row.n_ids, row.n_strays, row.n_ratings) < row.n_columns
    ]
    lines += [
        f"{row.group:26} {row.form:32} refused {row.n_refused}/{row.n_columns}" for row in alarms() if row.n_refused
    ]
    missed, refused = names()
    return "\n".join([*lines, f"names missed: {' '.join(missed)}", f"names refused: {' '.join(refused)}"])


if __name__ == "__main__":
    if "--held-out" in sys.argv:
        print(held_out_as_text(held_out_recall(), list(held_out_alarms())))
    else:
        print(by_form() if "--forms" in sys.argv else as_text(list(recall()), list(alarms())))
