"""What the words of the report mean."""

from __future__ import annotations

import duckdb

from outcomes.report.page.blocks import Section, bullets
from outcomes.report.page.html import SETTLED
from outcomes.report.page.pieces import Given, Strong, Words, say
from outcomes.report.reading.words import DEFINITIONS
from outcomes.study.scales import Scale
from outcomes.study.settings import StudySettings


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Guidance, satisfaction, dropout, interval, and the mark of a settled calculation."""
    guidance, rating = settings.scales["directiveness"], settings.scales["satisfaction"]
    return Section(
        "words",
        "What the words mean",
        (
            bullets(
                _rated(
                    "Guidance",
                    "how much the therapist leads the session: gives direction, structure and advice (researchers say "
                    "directiveness)",
                    guidance,
                ),
                _rated("Satisfaction", "how satisfied the client was with the session", rating),
                say(
                    "{term}: the course of therapy ended early. Here that means: {meaning}.",
                    term=Strong("Dropout"),
                    meaning=DEFINITIONS[settings.dropout.definition],
                ),
                say(
                    "{term}: the range of values that fit the data, by a rule that holds the truth {share} times in "
                    "{all}. The wider it is, the less sure the number.",
                    term=Strong("Interval"),
                    share=Given("95"),
                    all=Given("100"),
                ),
                say(
                    "{mark} behind a number: its calculation settled properly. Where it did not, or where the data are "
                    "too few, words stand in place of the number.",
                    mark=Strong(SETTLED),
                ),
            ),
        ),
    )


def _rated(name: str, meaning: str, scale: Scale) -> Words:
    measured = f"; measured here: {scale.measures}" if scale.measures else ""
    return say(
        "{term}: " + meaning + ". Rated by the {rater} from {low} to {high}{measured}.",
        term=Strong(name),
        rater=Given(str(scale.rater)),
        low=Given(f"{scale.minimum:g}"),
        high=Given(f"{scale.maximum:g}"),
        measured=Given(measured),
    )
