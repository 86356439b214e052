"""Nothing is printed without its state and its interval: the types refuse it."""

import math

import pytest

from outcomes.disclosure import Teller
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import bullets, fold, headline, paragraph, table
from outcomes.report.page.html import html
from outcomes.report.page.pieces import PERCENT, Estimate, Form, Given, Kind, Range, Strong, Unsaid, Words, say
from outcomes.report.reading.rows import told
from outcomes.study.settings import Disclosure

SETTLED = Estimate(0.2, 0.1, 0.3, FitStatus.CONVERGED)


@pytest.mark.parametrize(
    ("low", "high"), [(None, 0.3), (0.1, None), (math.nan, 0.3), (0.1, math.inf), (0.3, 0.1)], ids=str
)
def test_an_estimate_without_its_interval_cannot_be_made(low, high):
    with pytest.raises(ValueError, match="interval"):
        Estimate(0.2, low, high, FitStatus.CONVERGED)


@pytest.mark.parametrize("state", [s for s in FitStatus if s is not FitStatus.CONVERGED])
def test_an_estimate_of_a_fit_that_did_not_converge_cannot_be_made(state):
    with pytest.raises(ValueError, match="said in words"):
        Estimate(0.2, 0.1, 0.3, state)


@pytest.mark.parametrize("build", [lambda t: Words((t,)), Strong, say, paragraph, headline, bullets, fold])
def test_a_bare_number_cannot_be_put_into_words(build):
    with pytest.raises(ValueError, match="Estimate, Shown or Given"):
        build("it rose by 3 points")


def test_a_bare_number_cannot_be_put_into_a_table():
    with pytest.raises(ValueError, match="Estimate, Shown or Given"):
        table(("Term", "Effect"), [("guidance", "0.31")])


def test_an_estimate_is_printed_with_interval_and_mark_of_its_state():
    said = html(say("One point more went with {effect}.", effect=SETTLED)).striptags()
    assert said == "One point more went with 0.20 (95% interval 0.10 to 0.30) ✓."


def test_a_table_prints_the_interval_beside_the_number():
    made = html(table(("Term", "Effect"), [("guidance", SETTLED)]))
    assert "<strong>0.20</strong>" in made
    assert "(0.10 to 0.30) ✓" in made


def test_forms_print_percents_ratios_and_minus_signs():
    assert PERCENT.number(0.184) == "18%"
    assert Form(is_log=True).number(math.log(1.5)) == "1.50"
    assert PERCENT.number(-0.001) == "0%"
    assert Estimate(-0.2, -0.3, -0.1, FitStatus.CONVERGED).in_interval == "−0.30 to −0.10"


def _row(status, estimate=0.2, reason=""):
    return {"estimate": estimate, "conf_low": 0.1, "conf_high": 0.3, "status": status, "reason": reason}


@pytest.mark.parametrize("status", ["singular", "not_converged", "refused"])
def test_a_row_of_a_fit_that_is_not_clean_becomes_words(status):
    made = told(_row(status), Teller(Disclosure()))
    assert isinstance(made, Unsaid)
    assert made.state == status
    assert made.reason.startswith(("no number", "not calculated"))


def test_a_row_without_an_interval_becomes_words():
    assert isinstance(told(_row("converged") | {"conf_low": None}, Teller(Disclosure())), Unsaid)


def test_counts_in_a_reason_are_suppressed_and_rounded():
    reason = told(_row("refused", None, "Only 4 of 1,238 clients rated it."), Teller(Disclosure())).reason
    assert reason == "not calculated: Only fewer than 10 of 1,240 clients rated it."


def test_hostile_words_are_escaped_wherever_they_stand():
    evil = "<script>x</script>"
    parts = say("{a}{b}{c}{d}", a=evil, b=Given(evil, Kind.TEST), c=Unsaid(FitStatus.REFUSED, evil), d=Strong(evil))
    made = html(fold(parts, paragraph(parts), bullets(parts), table((parts,), [(parts,)])))
    assert "<script" not in made


def test_counts_print_as_disclosure_shows_them():
    teller = Teller(Disclosure())
    assert html(say("{n} clients", n=teller.count("clients", 1238))) == "1,240 clients"


def test_a_table_that_a_phone_has_no_room_for_becomes_cards():
    told = Estimate(-0.02, -0.03, -0.01, FitStatus.CONVERGED)
    cards = {
        name: 'class="cards"' in html(table(head, rows))
        for name, head, rows in (
            ("two intervals", ("Per point", "Guidance", "Satisfaction"), [("overwhelmed", told, told)]),
            ("one interval", ("From what to what", "When", "Difference"), [("alliance to satisfaction", "next", told)]),
            ("four columns", ("a", "b", "c", "d"), [("a", "b", "c", "d")]),
        )
    }
    assert cards == {"two intervals": True, "one interval": False, "four columns": True}


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.1, 0.3, "more"), (-0.3, -0.1, "less"), (-0.1, 0.3, "no clear difference")]
)
def test_a_singular_fit_says_which_way_it_points_in_words(low, high, said):
    row = {"estimate": (low + high) / 2, "conf_low": low, "conf_high": high, "status": "singular"}
    reason = told(row, Teller(Disclosure()), Form(up="more", down="less")).reason
    assert reason == f"{said} (no number, because a part of its model is estimated as zero)"


def test_a_range_whose_ends_print_alike_is_one_number():
    assert Range(0.121, 0.124, PERCENT).text == "12%"
    assert Range(0.12, 0.14, PERCENT).text == "12% to 14%"


def test_no_digit_beyond_the_second_of_the_standard_error_is_printed_or_drawn():
    wide = Estimate(12.3456, 2.3456, 22.3456, FitStatus.CONVERGED)  # standard error 5.1
    assert (wide.in_number, wide.in_interval) == ("12.3", "2.3 to 22.3")
    assert wide.drawn == (12.3, 2.3, 22.3)
    ratio = Estimate(math.log(30.123), math.log(10.0), math.log(90.0), FitStatus.CONVERGED, Form(is_log=True))
    assert (ratio.in_number, ratio.in_interval) == ("30", "10 to 90")
    narrow = Estimate(0.31234, 0.30123, 0.32345, FitStatus.CONVERGED)  # never more than its form has
    assert (narrow.in_number, narrow.drawn[0]) == ("0.31", 0.31)
