"""What the words of the report mean."""

from __future__ import annotations

from outcomes.report.page.blocks import Block, bullets
from outcomes.report.page.pieces import Given, Strong, Words, say
from outcomes.report.page.spans import CONVERGED_MARK
from outcomes.report.reading.plain_words import DEFINITIONS
from outcomes.report.reading.stand_ins import stands_for
from outcomes.report.sections.report_section import ReportSection, Source
from outcomes.study.tables.scales import Scale

_RATINGS = {
    "directiveness": (
        "Guidance",
        "how much the therapist leads the session: gives direction, structure and advice (researchers say "
        "directiveness)",
    ),
    "satisfaction": ("Satisfaction", "how satisfied the client was with the session"),
}


def _blocks(source: Source) -> tuple[Block, ...]:
    """Guidance, satisfaction, dropout, interval, and the mark of a calculation that converged."""
    settings = source.settings
    return (
        bullets(
            *(
                _rated(*words, settings.scales[name], stands_for(settings, name))
                for name, words in _RATINGS.items()
                if name in settings.scales
            ),
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
                "{mark} behind a number: its calculation converged, that is, came to one stable result. Where it did "
                "not, or where the data are too few, words stand in place of the number.",
                mark=Strong(CONVERGED_MARK),
            ),
        ),
    )


def _rated(term: str, meaning: str, scale: Scale, what: str) -> Words:
    return say(
        "{term}: {meaning}. Rated by the {rater} from {low} to {high}.",
        term=Strong(term),
        meaning=Given(f"stands for {what} here" if what else meaning),
        rater=Given(str(scale.rater)),
        low=Given(f"{scale.minimum:g}"),
        high=Given(f"{scale.maximum:g}"),
    )


SECTION = ReportSection("words", "What the words mean", _blocks)
