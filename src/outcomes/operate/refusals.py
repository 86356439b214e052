"""Refused files in words: each by itself where they are few, summed up by kind where they are many."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.contract import REFUSAL_REASONS
from outcomes.landing import Refused

MOST_TOLD = 5
"""Refused files that are told of one by one."""


def refusal_lines(refused: Sequence[Refused]) -> tuple[str, ...]:
    """Say what was refused and what to try.

    Many files are summed up by the kind of refusal, with the first file of each kind as the example; the records in
    `quarantine/` have all.
    """
    if len(refused) <= MOST_TOLD:
        return tuple(f"{one.file_name} was refused: {one.message}. Try: {one.hint}" for one in refused)
    lines = []
    for kind in dict.fromkeys(one.refusal for one in refused):
        of_kind = [one for one in refused if one.refusal is kind]
        first = of_kind[0]
        lines.append(
            f"{len(of_kind):,} file(s) were refused ({kind}): {REFUSAL_REASONS[kind]}. "
            f"The first, {first.file_name}: {first.message}. Try: {first.hint}"
        )
    return (*lines, "each refused file has its record in quarantine/ (*.refused.json); `outcomes status` lists them")
