"""What a reader can work out of one table, in cases that an attack of whole reports brought up."""

from __future__ import annotations

import numpy as np

from outcomes.disclosure.counts import Cell, Reason
from outcomes.disclosure.reader import View, revealed
from outcomes.disclosure.tables import Table, view_of

LEFT_OUT, AT_RISK, IN_MODELS = "left out", "at risk", "in models"
COUNTS = {LEFT_OUT: (21, 21, 21), AT_RISK: (1280, 1287, 1283), IN_MODELS: (1259, 1266, 1262)}
LOW = {LEFT_OUT: (10, 0, 10), AT_RISK: (1280, 1271, 1271), IN_MODELS: (1241, 0, 1260)}
HIGH = {LEFT_OUT: (24, None, 24), AT_RISK: (1284, 1289, 1289), IN_MODELS: (1259, None, 1264)}


def releases() -> list[Table]:
    """One client joins, another is withdrawn; what stayed in the models is a difference of two numbers."""
    sums = {IN_MODELS: {AT_RISK: 1, LEFT_OUT: -1}}
    return [
        Table(
            {name: Cell(None, Reason.REVEALING, LOW[name][at], HIGH[name][at], COUNTS[name][at]) for name in COUNTS},
            sums,
        )
        for at in range(3)
    ]


def test_a_difference_of_two_numbers_grows_and_shrinks_with_them():
    """The number after the second step is at least 1,260 and the one before the first at most 1,259: somebody came."""
    found = {(one.key, one.since, one.at): (one.low, one.high) for one in revealed(view_of(releases()), 10)}
    assert found[2, 0, 1] == (1, 9)


def test_a_difference_that_moved_otherwise_is_not_taken_to_follow():
    view = view_of(releases())
    loose = View(view.sums, view.low, view.high, np.where(np.arange(3) == 2, 0, view.grew))
    assert (2, 0, 1) not in {(one.key, one.since, one.at) for one in revealed(loose, 10)}
