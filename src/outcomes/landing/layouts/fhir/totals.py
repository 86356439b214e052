"""Stored totals held against the sums of their items."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from outcomes.landing.layouts.fhir.points import number_in, spelt_alike
from outcomes.landing.refusal import counted


def check_totals(
    responses: list[dict[str, str]],
    unscored: list[Mapping[str, Collection[str]]],
    totals: Mapping[str, tuple[str, ...]],
) -> tuple[list[dict[str, str]], list[str]]:
    """Put the sums of the items in the place of stored totals, and say how many were others.

    A sum takes all its items: where one is missing, or is a code without points, the stored total stays and counts as
    not checked.

    Parameters
    ----------
    responses : list of dict of str to str
        Cells by linkId.
    unscored : list of mapping of str to codes
        For each response, linkIds whose answers are codes without points.
    totals : mapping of str to tuple of str
        linkId of a total, and those of its items.

    Returns
    -------
    The cells with the sums, and what to say: no value, no id.
    """
    corrected, said = [dict(cells) for cells in responses], []
    for total, items in totals.items():
        n_other = n_open = n_made = 0
        for cells, codes in zip(corrected, unscored, strict=True):
            stored, computed = cells.get(total, ""), _sum([cells.get(one, "") for one in items], items, codes)
            if computed is None:
                n_open += bool(stored)
            elif not stored:
                n_made += 1
                cells[total] = computed
            elif number_in(stored) != float(computed):
                n_other += 1
                cells[total] = computed
        for number, what in (
            (n_other, "stored another {} than its items add up to: the sum was taken"),
            (n_open, "stored a {} that could not be checked, since an item is missing or has no points: it was kept"),
            (n_made, "stored no {}: the sum of its items was taken"),
        ):
            if number:
                said.append(f"{counted(number, 'response')} {what.format(repr(total))}")
    return corrected, said


def _sum(cells: list[str], items: tuple[str, ...], unscored: Mapping[str, Collection[str]]) -> str | None:
    numbers = [number_in(cell) for cell in cells]
    if not numbers or None in numbers or any(one in unscored for one in items):
        return None
    return spelt_alike(str(sum(numbers)))
