"""Whether the first line of a table has names of columns: any other may be a title or values, and name a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from outcomes.landing.identifiers.patterns import sightings

FEWEST_COLUMNS = 2
NO_NAMES = "does not look like column names; if it is a title above the header, remove it; if the header lacks, add it"
_FEWEST_BESIDE_BLANKS = 3  # names; a title, or a note of two cells, stands in a line with fewer
_NAME = re.compile(r"[^\W\d][\w .:()/%?#-]{0,60}")  # as columns are called; a number or a date is a value


def are_names(names: Sequence[str]) -> bool:
    """Say whether a first line in which no name is known is plainly names of columns; any other is not shown."""
    names = [name.strip() for name in names]
    if len(names) < FEWEST_COLUMNS or not all(map(_NAME.fullmatch, names)):
        return False
    return not sightings(names, len(names), is_id=True)


def is_title(names: Sequence[str], n_known: int) -> bool:
    """Say whether a first line is a title or a note above the header: little stands in it beside empty cells.

    Parameters
    ----------
    n_known : int
        How many of the names columns may have; a line of nothing else is a header.
    """
    n_given = sum(bool(name.strip()) for name in names)
    is_short = len(names) < FEWEST_COLUMNS or (n_given < len(names) and n_given < _FEWEST_BESIDE_BLANKS)
    return is_short and n_known < n_given
