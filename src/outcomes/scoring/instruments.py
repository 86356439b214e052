"""Instruments of the field as data: ids, items, ranges and scoring rules. Never item wording: most are copyrighted."""

from __future__ import annotations

from dataclasses import replace

from outcomes.errors import no_such
from outcomes.scoring.rules import Combine, Instrument, ScaleRule


def _all(n: int) -> tuple[int, ...]:
    return tuple(range(1, n + 1))


def _core_om(name: str, *items: int) -> ScaleRule:
    """Return a score of the CORE-OM: ten times the mean of the answered items, its positive items reversed."""
    positive = tuple(item for item in (3, 4, 7, 12, 19, 21, 31, 32) if item in items)
    return ScaleRule(name, items, Combine.MEAN, reversed_items=positive, multiplier=10)


_CSQ = "Larsen, Attkisson, Hargreaves & Nguyen 1979, doi 10.1016/0149-7189(79)90094-6"
_WELLBEING, _RISK = (4, 14, 17, 31), (6, 9, 16, 22, 24, 34)
_PROBLEMS = (2, 5, 8, 11, 13, 15, 18, 20, 23, 27, 28, 30)
_FUNCTIONING = (1, 3, 7, 10, 12, 19, 21, 25, 26, 29, 32, 33)

INSTRUMENTS: tuple[Instrument, ...] = (
    Instrument(
        "C-NIP", "Cooper-Norcross Inventory of Preferences", 18, -3, 3,
        (
            ScaleRule(
                "therapist_directiveness", _all(5), Combine.SUM,
                cutoffs=(("strong preference for therapist direction from", 8), ("for client direction down to", -3)),
            ),
        ),
        None, "free", "Cooper & Norcross 2016, doi 10.1016/j.ijchp.2015.08.003",
    ),
    Instrument(
        "HCCQ", "Health Care Climate Questionnaire", 15, 1, 7,
        (
            ScaleRule("autonomy_support", _all(15), Combine.MEAN, reversed_items=(13,)),
            ScaleRule("autonomy_support_short", (1, 2, 4, 7, 10, 14), Combine.MEAN),
        ),
        True, "free for academic use", "Williams, Grow, Freedman, Ryan & Deci 1996, doi 10.1037/0022-3514.70.1.115",
    ),
    Instrument(
        "WAI-SR", "Working Alliance Inventory, short revised", 12, 1, 5,
        (
            ScaleRule("task", (1, 2, 10, 12), Combine.MEAN),
            ScaleRule("goal", (4, 6, 8, 11), Combine.MEAN),
            ScaleRule("bond", (3, 5, 7, 9), Combine.MEAN),
            ScaleRule("alliance", _all(12), Combine.MEAN),
        ),
        True, "by permission", "Hatcher & Gillaspy 2006, doi 10.1080/10503300500352500",
    ),
    Instrument(
        "SRS", "Session Rating Scale", 4, 0, 10,
        (ScaleRule("alliance", _all(4), Combine.SUM, cutoffs=(("talk about the session down from", 36),)),),
        True, "licence needed", "Duncan and others 2003, Journal of Brief Therapy 3, 3-12", has_whole_answers=False,
    ),
    Instrument(
        "ORS", "Outcome Rating Scale", 4, 0, 10,
        (
            ScaleRule(
                "wellbeing", _all(4), Combine.SUM, cutoffs=(("clinical down from", 25),), clinical=25,
                reliable_change=5,
            ),
        ),
        True, "licence needed", "Miller, Duncan, Brown, Sparks & Claud 2003, Journal of Brief Therapy 2, 91-100",
        has_whole_answers=False,
    ),
    Instrument(
        "CSQ-8", "Client Satisfaction Questionnaire", 8, 1, 4,
        (ScaleRule("satisfaction", _all(8), Combine.SUM),), True, "fee; items coded higher = better", _CSQ,
    ),
    Instrument(
        "CSQ-8-printed", "Client Satisfaction Questionnaire, coded by printed position", 8, 1, 4,
        (ScaleRule("satisfaction", _all(8), Combine.SUM, reversed_items=(2, 4, 5, 8)),), True, "fee", _CSQ,
    ),
    Instrument(
        "CORE-10", "Clinical Outcomes in Routine Evaluation, 10 items", 10, 0, 4,
        (
            ScaleRule(
                "distress", _all(10), Combine.MEAN, reversed_items=(2, 3), multiplier=10, max_missing=1,
                cutoffs=(("clinical from", 11),), clinical=11, reliable_change=6,
            ),
        ),
        False, "free, unmodified", "Barkham and others 2013, doi 10.1080/14733145.2012.729069",
    ),
    Instrument(
        "CORE-OM", "Clinical Outcomes in Routine Evaluation, outcome measure", 34, 0, 4,
        (
            replace(_core_om("distress", *_all(34)), cutoffs=(("clinical from", 10),), clinical=10),
            _core_om("distress_without_risk", *(item for item in _all(34) if item not in _RISK)),
            _core_om("wellbeing_deficits", *_WELLBEING),
            _core_om("problems", *_PROBLEMS),
            _core_om("functioning_difficulties", *_FUNCTIONING),
            _core_om("risk", *_RISK),
        ),
        False, "free, unmodified (CC BY-ND 4.0)",
        "Evans and others 2002, doi 10.1192/bjp.180.1.51; cutoff: Connell and others 2007, doi "
        "10.1192/bjp.bp.105.017657",
    ),
    Instrument(
        "PHQ-9", "Patient Health Questionnaire, depression", 9, 0, 3,
        (
            ScaleRule(
                "depression", _all(9), Combine.SUM, cutoffs=(("clinical from", 10),), clinical=10, reliable_change=6
            ),
        ),
        False, "public",
        "Kroenke, Spitzer & Williams 2001, doi 10.1046/j.1525-1497.2001.016009606.x; change: NHS Talking Therapies "
        "manual",
    ),
    Instrument(
        "GAD-7", "Generalised Anxiety Disorder scale", 7, 0, 3,
        (ScaleRule("anxiety", _all(7), Combine.SUM, cutoffs=(("clinical from", 8),), clinical=8, reliable_change=4),),
        False, "public",
        "Spitzer, Kroenke, Williams & Lowe 2006, doi 10.1001/archinte.166.10.1092; cutoff and change: NHS Talking "
        "Therapies manual",
    ),
    Instrument(
        "WSAS", "Work and Social Adjustment Scale", 5, 0, 8,
        (
            ScaleRule("impairment", _all(5), Combine.SUM),
            ScaleRule("impairment_without_work", (2, 3, 4, 5), Combine.SUM),  # where the work item does not apply
        ),
        False, "free for clinical use", "Mundt, Marks, Shear & Greist 2002, doi 10.1192/bjp.180.5.461",
    ),
    Instrument(
        "K10+", "Kessler scale of psychological distress; items 11 to 14, days and visits, do not count", 10, 1, 5,
        (ScaleRule("distress", _all(10), Combine.SUM),),
        False, "free", "Kessler and others 2002, doi 10.1017/S0033291702006074",
    ),
    Instrument(
        "K5", "Kessler scale of psychological distress, five items", 5, 1, 5,
        (ScaleRule("distress", _all(5), Combine.SUM),),
        False, "free", "PMHC-MDS 4.0, data specification",
    ),
    Instrument(
        "PEQ", "Patient Experience Questionnaire of NHS Talking Therapies, treatment", 6, 0, 4,
        (), True, "Crown copyright", "NHS Talking Therapies manual; no total is published",
    ),
    Instrument(
        "OQ-45", "Outcome Questionnaire 45.2", 45, 0, 4,
        (
            ScaleRule(
                "distress", _all(45), Combine.SUM, reversed_items=(1, 12, 13, 20, 21, 24, 31, 37, 43),
                cutoffs=(("clinical from", 63),), clinical=63, reliable_change=14,
            ),
        ),
        False, "licence needed",
        "Lambert and others 1996, doi 10.1002/(SICI)1099-0879(199612)3:4<249::AID-CPP106>3.0.CO;2-S",
    ),
    Instrument(
        "MULTI-30", "Multitheoretical List of Therapeutic Interventions", 30, 1, 5,
        (), None, "see the publication", "Solomonov, McCarthy, Gorman & Barber 2019, PMC6258358",
    ),
)  # fmt: skip
"""The catalogue."""


def instrument(instrument_id: str) -> Instrument:
    """Find an instrument by its id.

    Raises
    ------
    UsageError
        If the id is not in the catalogue.
    """
    for entry in INSTRUMENTS:
        if entry.instrument_id == instrument_id:
            return entry
    raise no_such("instrument", instrument_id, (entry.instrument_id for entry in INSTRUMENTS))
