"""Would another defensible analysis say the same? The specification curve and the joint test of each pool."""

from __future__ import annotations

import duckdb

from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.multiverse.tables import SPECS, TESTS, Choosing, choice_words
from outcomes.disclosure import Teller
from outcomes.report.figures.specification_curve import specification_curve
from outcomes.report.page.blocks import Block, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Given, Kind, Piece, Words, say
from outcomes.report.reading.rows import answer_rows, p_words, table_rows, told
from outcomes.report.sections.findings.effects import effect_form
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.settings import AnalysisName, StudySettings

DIMENSIONS = (
    Choosing.DETRENDING,
    Choosing.CENTRING,
    Choosing.STRUCTURE,
    Choosing.COVARIATES,
    Choosing.LAG,
    Choosing.EXCLUSIONS,
    Choosing.SATISFACTION_RATING,
    Choosing.GUIDANCE_RATING,
)
NEARLY_ALL, SMALL_P = 0.95, 0.05


def _blocks(source: Source) -> tuple[Block, ...]:
    """The curve of the first pool, and what every pool says; tables `multiverse_specs` and `multiverse_tests`."""
    con, settings, teller = source.con, source.settings, source.teller
    tests = answer_rows(con, TESTS)
    rated = settings.unit("satisfaction").removesuffix("s")
    unit = settings.unit("directiveness").removesuffix("s")
    asked = say(
        "There is more than one sound way to calculate what one {unit} more guidance than usual for a client goes "
        "with. Here it was calculated in {n} ways. They are put together only where the researchers declared that "
        "they are ways to the same quantity; the others stand in lines of their own.",
        unit=unit, n=Given(f"{sum(row['n_specs'] for row in tests):,}"),
    )  # fmt: skip
    head = ("Kept apart", "Ways", "The one in the middle (interval)", "Same sign", "Joint test")
    return (
        headline(_headline(tests[0])),
        paragraph(asked),
        *_curve(con, settings, teller, tests[0], rated),
        table(head, [_line(row, settings, teller, rated) for row in tests]),
        *_notes(tests),
        *_sealed(con),
    )


def _headline(row: dict) -> str:
    """The first pool's answer in a sentence."""
    if row["p_value"] is None:
        return "The calculations stand side by side below; the data do not allow a test of all of them together."
    if row["p_value"] > SMALL_P:
        return "Taken together, the defensible calculations show no clear link."
    if row["same_sign_prop"] >= NEARLY_ALL:
        return (
            "The link shows in the same direction in nearly every defensible calculation, beyond what chance would do."
        )
    return "Some defensible calculations show a link beyond chance, but they do not agree on its direction."


def _line(row: dict, settings: StudySettings, teller: Teller, rated: str) -> tuple[Piece | Words, ...]:
    """One pool: counts of calculations are no counts of people."""
    middle = told(row, teller, effect_form(rated))
    counted = Given(f"{row['n_estimated']:,} of {row['n_specs']:,}")
    if row["same_sign_prop"] is None:
        return Given(row["pool"]), counted, middle, "", ""
    joint: Piece = Given(p_words(row["p_value"]), Kind.TEST) if row["p_value"] is not None else "none"
    return Given(row["pool"]), counted, middle, Given(PERCENT.number(row["same_sign_prop"])), joint


def _curve(
    con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller, test: dict, rated: str
) -> list[Block]:
    """The specification curve of one pool, where there is one to draw."""
    rows = answer_rows(con, SPECS, pool=test["pool"])
    found = [(told(row, teller, effect_form(rated)), row) for row in rows]
    drawn = sorted(((e, row) for e, row in found if isinstance(e, Estimate)), key=lambda pair: pair[0].value)
    varied = [name for name in DIMENSIONS if len({row[name] for _, row in drawn}) > 1]
    if len(drawn) < 2 or not varied:
        return []
    choices = {choice_words(name): [row[name] for _, row in drawn] for name in varied}
    caption = say(
        "Every dot is one calculation, from the lowest to the highest ({pool}). Line behind it: its interval. Square "
        "dots: the interval holds zero. Dashed: no difference. Below: the choices that made the calculation.",
        pool=Given(test["pool"]),
    )
    return [specification_curve([e for e, _ in drawn], choices, f"{rated}s", caption)]


def _notes(tests: list[dict]) -> list[Block]:
    """What was pooled, what has no estimate, what was left out."""
    test = tests[0]
    said: list[Block] = []
    if test["pooled_over"]:
        said.append(note(say("Put together over: {names}.", names=Given(test["pooled_over"]))))
    if any(row["n_estimated"] < row["n_specs"] for row in tests):
        said.append(
            note(
                "Calculations that did not converge, or in which a part of the model came out as zero, are counted and "
                "have no estimate."
            )
        )
    if test["left_out"]:
        said.append(note(say("Not varied: {left_out}.", left_out=Given(test["left_out"]))))
    said.append(
        note("The joint test gives whole therapists a random sign, many times over: small values say that chance alone "
             "would hardly bring forth any of these links.")
    )  # fmt: skip
    return said


def _sealed(con: duckdb.DuckDBPyConnection) -> list[Block]:
    """Whether the ways were declared beforehand."""
    return [paragraph(Given(row["sentence"], Kind.RELEASE)) for row in table_rows(con, "seal")]


SECTION = ReportSection(
    "multiverse", "Would another defensible analysis say the same?", _blocks, AnalysisName.MULTIVERSE,
    findings=(FindingName.MORE_SATISFACTION,),
)  # fmt: skip
