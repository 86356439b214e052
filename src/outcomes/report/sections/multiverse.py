"""Would another defensible analysis say the same? The specification curve and the joint test of each pool."""

from __future__ import annotations

import duckdb

from outcomes.report.figures.multiverse import specification_curve
from outcomes.report.page.blocks import Block, Section, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Given, Kind, Piece, Words, say
from outcomes.report.reading.tables import p_words, refusal, table_rows, told
from outcomes.report.sections.dropout import CANNOT
from outcomes.report.sections.effects import effect_form
from outcomes.study.settings import StudySettings

NAME, TITLE = "multiverse", "Would another defensible analysis say the same?"
DIMENSIONS = ("detrending", "centring", "structure", "covariates", "lag", "exclusions", "satisfaction_rating",
              "guidance_rating")  # fmt: skip
NEARLY_ALL, SMALL_P = 0.95, 0.05


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """The curve of the first pool, and what every pool says; tables `multiverse_specs` and `multiverse_tests`."""
    if reason := refusal(con, "multiverse", settings.disclosure):
        return Section(NAME, TITLE, (headline(CANNOT), paragraph(reason)))
    tests = table_rows(con, "multiverse_tests")
    rated = settings.scales["satisfaction"].unit.removesuffix("s")
    unit = settings.scales["directiveness"].unit.removesuffix("s")
    asked = say(
        "There is more than one sound way to calculate what one {unit} more guidance than usual for a client goes "
        "with. Here it was calculated in {n} ways. They are put together only where the researchers declared that "
        "they are ways to the same quantity; the others stand in lines of their own.",
        unit=unit, n=Given(f"{sum(row['n_specs'] for row in tests):,}"),
    )  # fmt: skip
    head = ("Kept apart", "Ways", "The one in the middle (interval)", "Same sign", "Joint test")
    return Section(
        NAME,
        TITLE,
        (
            headline(_headline(tests[0])),
            paragraph(asked),
            *_curve(con, settings, tests[0], rated),
            table(head, [_line(row, settings, rated) for row in tests]),
            *_notes(tests),
            *_sealed(con),
        ),
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


def _line(row: dict, settings: StudySettings, rated: str) -> tuple[Piece | Words, ...]:
    """One pool: counts of calculations are no counts of people."""
    middle = told(row, settings.disclosure, effect_form(rated))
    counted = Given(f"{row['n_estimated']:,} of {row['n_specs']:,}")
    if row["same_sign_prop"] is None:
        return Given(row["pool"]), counted, middle, "", ""
    joint: Piece = Given(p_words(row["p_value"]), Kind.TEST) if row["p_value"] is not None else "none"
    return Given(row["pool"]), counted, middle, Given(PERCENT.number(row["same_sign_prop"])), joint


def _curve(con: duckdb.DuckDBPyConnection, settings: StudySettings, test: dict, rated: str) -> list[Block]:
    """The specification curve of one pool, where there is one to draw."""
    rows = [row for row in table_rows(con, "multiverse_specs") if row["pool"] == test["pool"]]
    found = [(told(row, settings.disclosure, effect_form(rated)), row) for row in rows]
    drawn = sorted(((e, row) for e, row in found if isinstance(e, Estimate)), key=lambda pair: pair[0].value)
    varied = [name for name in DIMENSIONS if len({row[name] for _, row in drawn}) > 1]
    if len(drawn) < 2 or not varied:
        return []
    choices = {name.replace("_", " "): [row[name] for _, row in drawn] for name in varied}
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
            note("Calculations that did not settle, or in which a part of the model came out as zero, are counted and "
                 "have no estimate.")
        )  # fmt: skip
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
