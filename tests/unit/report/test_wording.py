"""The words of a finding follow from how sure it is and what its intervals say, and from nothing else."""

from __future__ import annotations

import re

import pytest

from outcomes.answers.common.words import Certainty
from outcomes.mixed import FitStatus
from outcomes.report.figures.density import Cell
from outcomes.report.figures.satisfaction import surface_picture
from outcomes.report.findings.wording import Size, Subject, headline, size
from outcomes.report.page.palette import ROLES, in_roles
from outcomes.report.page.pieces import Estimate
from outcomes.report.sections.findings.balance import squares_along
from outcomes.study.tables.scales import Scale

SPEC = """
    certainty | size    | said
    high      | more    | Misfit goes with more dropout
    high      | less    | Misfit goes with less dropout
    high      | little  | Misfit makes little or no difference to dropout
    high      | unclear | We cannot tell whether misfit and dropout go together
    moderate  | more    | Misfit probably goes with more dropout
    moderate  | less    | Misfit probably goes with less dropout
    moderate  | little  | Misfit probably makes little or no difference to dropout
    moderate  | unclear | We cannot tell whether misfit and dropout go together
    low       | more    | Misfit may go with more dropout
    low       | less    | Misfit may go with less dropout
    low       | little  | Misfit may make little or no difference to dropout
    low       | unclear | We cannot tell whether misfit and dropout go together
    very low  | more    | We cannot tell whether misfit and dropout go together
    very low  | less    | We cannot tell whether misfit and dropout go together
    very low  | little  | We cannot tell whether misfit and dropout go together
    very low  | unclear | We cannot tell whether misfit and dropout go together
"""
ABOUT = Subject("Misfit", "misfit", "dropout", "more dropout", "less dropout")
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in SPEC.strip().splitlines()[1:]]


def test_every_pair_of_certainty_and_size_is_in_the_table():
    assert {(sure, found) for sure, found, _ in ROWS} == {(c.value, s.value) for c in Certainty for s in Size}


@pytest.mark.parametrize(("sure", "found", "said"), ROWS)
def test_the_words_are_those_of_the_table(sure, found, said):
    made = headline(Certainty(sure), Size(found), ABOUT)
    assert made == said


@pytest.mark.parametrize(
    ("intervals", "worth", "found"),
    [
        ([(0.1, 0.3)], None, Size.MORE),
        ([(-0.3, -0.1)], None, Size.LESS),
        ([(-0.1, 0.3)], None, Size.UNCLEAR),
        ([(-0.1, 0.3), (0.1, 0.2)], None, Size.MORE),
        ([(-0.3, -0.1), (0.1, 0.2)], None, Size.UNCLEAR),
        ([(-0.04, 0.03)], 0.05, Size.LITTLE),
        ([(0.01, 0.03)], 0.05, Size.LITTLE),
        ([(-0.04, 0.03), (0.01, 0.2)], 0.05, Size.MORE),
        ([(-0.04, 0.06)], 0.05, Size.UNCLEAR),
        ([], 0.05, Size.UNCLEAR),
    ],
)
def test_the_size_is_read_off_the_intervals(intervals, worth, found):
    made = [Estimate((low + high) / 2, low, high, FitStatus.CONVERGED) for low, high in intervals]
    assert size(made, worth) is found


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("which", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "tint"])
@pytest.mark.parametrize("role", ["ink", "quiet", "blue", "warm"])
def test_text_stands_out_from_its_ground_as_wcag_aa_asks(which, ground, role):
    assert _contrast(getattr(ROLES[role], which), getattr(ROLES[ground], which)) >= 4.5


@pytest.mark.parametrize("which", ["light", "dark"])
def test_filled_icons_stand_out_from_empty_ones_in_grey_too(which):
    assert _contrast(getattr(ROLES["blue"], which), getattr(ROLES["empty"], which)) >= 3


@pytest.mark.parametrize("which", ["light", "dark"])
def test_the_line_of_the_wish_stands_out_from_its_edges_in_grey_whatever_squares_it_crosses(which):
    cells = [Cell(x, x, 50) for x in (1.0, 5.0, 9.0)]
    shape = {"a1": 0.3, "a2": 0.0, "a3": 0.1, "a4": -0.3, "a5": 0.0}
    drawn = surface_picture(cells, shape, (0, 10), 10, "points", "points", "how").wide()
    lines = re.findall(r'<path[^>]*stroke="([^"]+)" stroke-width="(3|7)"', in_roles(drawn))
    assert lines == [("var(--paper)", "7"), ("var(--warm)", "3")]
    assert _contrast(getattr(ROLES["warm"], which), getattr(ROLES["paper"], which)) >= 3


def test_the_axes_of_the_surface_are_those_of_the_scale():
    cells = [Cell(x, x, 50) for x in (1.3, 4.3, 6.7)]
    shape = {"a1": 0.3, "a2": 0.0, "a3": 0.1, "a4": -0.3, "a5": 0.0}
    drawn = surface_picture(cells, shape, (1, 7), 10, "points", "points", "how").wide()
    ticks = re.findall(r"<text[^>]*>(\d)</text>", drawn)
    assert set(ticks) <= set("1234567")
    assert "7" in ticks


@pytest.mark.parametrize(("low", "high", "n"), [(0, 10, 10), (1, 7, 7), (1, 5, 5), (0, 3, 4), (0, 1, 10), (0, 100, 10)])
def test_every_square_of_a_short_scale_holds_one_whole_number(low, high, n):
    assert squares_along(Scale(minimum=low, maximum=high, rater="client")) == n
    if 2 < high - low < 10 - 1:
        squares = [min(int((value - low) / ((high - low) / n)), n - 1) for value in range(low, high + 1)]
        assert squares == list(range(n))
