"""What dropout means here, how courses of therapy ended, and how the share changes with the definition."""

from __future__ import annotations

import duckdb
from statsmodels.stats.proportion import proportion_confint

from outcomes.answers.dropout.tables import AGREEMENT, RATES
from outcomes.disclosure import Teller
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, fold, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Piece, Range, Strong, Told, Unsaid, Words, say
from outcomes.report.reading.endings import ALL, UNKNOWN, likeness
from outcomes.report.reading.people import PeopleTold, people_told
from outcomes.report.reading.plain_words import DEFINITIONS, ENDINGS
from outcomes.report.reading.rows import answer_rows, refusal, told
from outcomes.report.sections.report_section import CANNOT, ReportSection, Source
from outcomes.study.settings import DropoutDefinition, StudySettings

FEW = Unsaid(FitStatus.REFUSED, "not shown: it would rest on too few clients")


def _blocks(source: Source) -> tuple[Block, ...]:
    """The study's definition, the endings, and the share of dropout under every definition; `dropout_rates`."""
    con, settings, teller = source.con, source.settings, source.teller
    declared = settings.dropout.definition
    meaning = say("In this study a client dropped out if {meaning}.", meaning=Strong(DEFINITIONS[declared]))
    counted = people_told(con, declared.value, teller)
    endings = _endings(counted)
    if reason := refusal(con, "dropout", teller):
        return (paragraph(meaning), *endings, headline(CANNOT), paragraph(reason))
    rates = sorted(answer_rows(con, RATES), key=lambda row: not row["is_declared"])
    lines: list[tuple[Piece | Words, ...]] = [
        (_label(row["definition"], row["is_declared"]), share_of(row, counted, teller), _bounds(row, counted, teller))
        for row in rates
    ]
    head = (
        "A client dropped out if ...",
        "Share of courses (interval)",
        "Range, if unknown endings were none or all dropouts, open courses too",
    )
    return (
        paragraph(meaning),
        *endings,
        paragraph("Other definitions are in use, and they do not count the same clients:"),
        table(head, lines),
        note(
            "Here courses that are still open are left out, so shares are larger than above. A course is one "
            "client's therapy from start to end."
        ),
        *_agreement(con, settings, teller),
    )


def _label(definition: str, is_declared: bool) -> Words:
    words = DEFINITIONS[DropoutDefinition(definition)]
    return say("{words} (this study)", words=Strong(words)) if is_declared else say(words)


def share_of(row: dict, people: PeopleTold, teller: Teller) -> Told:
    """The share with Wilson's interval, from the told counts, so that it gives away no more than they do."""
    found = told(row, teller, PERCENT)
    if isinstance(found, Unsaid):
        return found
    counted = people.dropouts(row["definition"])
    if counted is None:
        return FEW
    part, whole = counted
    low, high = proportion_confint(part, whole, method="wilson")
    return Estimate(part / whole, float(low), float(high), found.state, PERCENT)


def _bounds(row: dict, people: PeopleTold, teller: Teller) -> Piece:
    """From none to all of the endings that are not known dropouts; from told counts too."""
    if isinstance(found := told(row, teller, PERCENT), Unsaid):
        return found
    counted, unknown = people.dropouts(row["definition"]), people.shown(UNKNOWN)
    if counted is None:
        return FEW
    if unknown == "" or unknown.value is None:
        return "not shown: few endings are unknown, or others would give them away"
    part, whole = counted
    return Range(part / (whole + unknown.value), (part + unknown.value) / (whole + unknown.value), PERCENT)


def _endings(people: PeopleTold) -> tuple[Block, ...]:
    """Episodes by how they ended, of the cohort's risk set."""
    if not people.judged and people.shown(ALL) == "":  # the refusal beside it says why
        return ()
    lines: list[tuple[Piece | Words, ...]] = [
        (words, people.shown(name), people.share(name) if people.shown(name).value is not None else "")
        for name, words in ENDINGS.items()
    ]
    lines.append((Strong("all"), people.shown(ALL), ""))
    return (table(("How courses of therapy ended", "Courses", "Share of all"), lines),)


def _agreement(con: duckdb.DuckDBPyConnection, settings: StudySettings, teller: Teller) -> tuple[Block, ...]:
    """How far every other definition counts the same clients as the study's own, in words."""
    if not answer_rows(con, AGREEMENT):
        return ()
    rows: list[tuple[Piece | Words, ...]] = [
        (DEFINITIONS[DropoutDefinition(other)], word or FEW)
        for other, word in likeness(con, settings.dropout.definition.value, teller).items()
    ]
    if not rows:
        return ()
    return (
        fold(
            "How far the definitions agree with the study's own",
            table(("A client dropped out if ...", "It counts ..."), rows, n_labels=2),
            note(
                "In words, and only where each kind of agreement and disagreement has enough clients: figures of "
                "agreement would give away how many they are."
            ),
        ),
    )


SECTION = ReportSection("dropout", "What dropout means, and how often it happens", _blocks)
