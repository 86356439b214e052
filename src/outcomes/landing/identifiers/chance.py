"""Whether the values of one column follow a rule more often than pseudonyms of the same shape would by chance."""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from random import Random

SEVERAL = 3
"""Fewest values that make a pattern; one or two odd values are slips of the pen."""
SHARE = 0.8
"""Least share of the values of a shape that follow the rule."""
LARGEST_CHANCE = 0.5
"""A rule that more of the random values follow says too little about any column."""
_DRAWS = 200
_RARE = 1e-5  # largest probability that random values of this shape, under all rules tried, give such a column
_SMALL = 10  # among fewer values all must follow the rule


def count_beyond_chance(
    values: Sequence[str], is_valid: Callable[[str], bool], *, n_rules: int = 1, keep_shared: bool = True
) -> int:
    """Count the values that follow a rule; 0 where random digits and letters in their places could do so too.

    The chance `q` that a random value of the same shape follows the rule is measured by drawing digits for digits and
    letters for letters. `hits` of `n` values with share `p` are taken for more than chance where the Chernoff bound
    exp(-n (p log(p/q) + (1-p) log((1-p)/(1-q)))) times `n_rules` is below 1e-5.

    Parameters
    ----------
    values : sequence of str
        Distinct values of one shape.
    is_valid : callable
        The rule.
    n_rules : int
        How many rules are tried on the column.
    keep_shared : bool
        Draws keep the signs that all values have in the same place: a counter that starts at 1,000,000,000, or the year
        of intake, may fit a rule without being what it is about.
    """
    n = len(values)
    if n < SEVERAL or (n >= 2 * _SMALL and not any(map(is_valid, values[:_SMALL]))):
        return 0
    hits = sum(map(is_valid, values))
    if hits < n * (SHARE if n >= _SMALL else 1):
        return 0
    draw = Random(n)
    shared = _shared(values) if keep_shared else {}
    by_chance = sum(is_valid(_alike(values[place % n], shared, draw)) for place in range(_DRAWS))
    chance, share = (by_chance + 1) / (_DRAWS + 1), hits / n
    if chance > LARGEST_CHANCE:
        return 0
    surprise = share * math.log(share / chance)
    if share < 1:
        surprise += (1 - share) * math.log((1 - share) / (1 - chance))
    return hits if n * surprise > math.log(n_rules / _RARE) else 0


def _shared(values: Sequence[str]) -> dict[int, str]:
    """Return the signs that are the same in all values, by place."""
    return {
        place: next(iter(signs)) for place, signs in enumerate(map(set, zip(*values, strict=False))) if len(signs) == 1
    }


def _alike(value: str, shared: dict[int, str], draw: Random) -> str:
    """Put another digit for each digit and another capital for each letter, but for what all values share."""
    signs = {True: string.digits, False: string.ascii_uppercase}
    return "".join(
        draw.choice(signs[sign.isdigit()]) if sign.isalnum() and place not in shared else sign
        for place, sign in enumerate(value)
    )
