"""What dropout means here, how courses of therapy ended, and how the share changes with the definition."""

from __future__ import annotations

import duckdb
from statsmodels.stats.proportion import proportion_confint

from outcomes.disclosure import shown_count, shown_percent, shown_table
from outcomes.models.state import ModelStatus
from outcomes.report.page.blocks import Block, Section, fold, headline, note, paragraph, table
from outcomes.report.page.pieces import PERCENT, Estimate, Form, Piece, Range, Strong, Told, Unsaid, Words, say
from outcomes.report.reading.tables import refusal, table_rows, told
from outcomes.report.reading.words import DEFINITIONS, ENDINGS
from outcomes.study.settings import Disclosure, DropoutDefinition, StudySettings

NAME, TITLE = "dropout", "What dropout means, and how often it happens"
CANNOT = "These data cannot answer this."
FEW = Unsaid(ModelStatus.REFUSED, "not shown: it would rest on too few clients")


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """The study's definition, the endings, and the share of dropout under every definition; `dropout_rates`."""
    rule, declared = settings.disclosure, settings.dropout.definition
    meaning = say("In this study a client dropped out if {meaning}.", meaning=Strong(DEFINITIONS[declared]))
    endings = _endings(con, rule)
    if reason := refusal(con, "dropout", rule):
        return Section(NAME, TITLE, (paragraph(meaning), *endings, headline(CANNOT), paragraph(reason)))
    rates = sorted(table_rows(con, "dropout_rates"), key=lambda row: not row["is_declared"])
    lines: list[tuple[Piece | Words, ...]] = [
        (_label(row["definition"], row["is_declared"]), _share(row, rule), _bounds(row, rule)) for row in rates
    ]
    head = (
        "A client dropped out if ...",
        "Share of courses (interval)",
        "Range, if unknown endings were none or all dropouts",
    )
    return Section(
        NAME,
        TITLE,
        (
            paragraph(meaning),
            *endings,
            paragraph("Other definitions are in use, and they do not count the same clients:"),
            table(head, lines),
            note(
                "Here courses that are still open are left out, so shares are larger than above. A course is one "
                "client's therapy from start to end."
            ),
            *_agreement(con, settings),
        ),
    )


def _label(definition: str, is_declared: bool) -> Words:
    words = DEFINITIONS[DropoutDefinition(definition)]
    return say("{words} (this study)", words=Strong(words)) if is_declared else say(words)


def _share(row: dict, rule: Disclosure) -> Told:
    """The share with Wilson's interval, from the rounded counts, so that it gives away no more than they do."""
    found = told(row, rule, PERCENT)
    if isinstance(found, Unsaid):
        return found
    counted = _counted(row, rule)
    if counted is None:
        return FEW
    part, _, whole = counted
    low, high = proportion_confint(part, whole, method="wilson")
    return Estimate(part / whole, float(low), float(high), found.state, PERCENT)


def _bounds(row: dict, rule: Disclosure) -> Piece:
    """From none to all of the unknown endings; from rounded counts too."""
    if isinstance(found := told(row, rule, PERCENT), Unsaid):
        return found
    counted = _counted(row, rule)
    if counted is None:
        return FEW
    part, unknown, whole = counted
    if unknown is None:
        return "few endings are unknown"
    return Range(part / (whole + unknown), (part + unknown) / (whole + unknown), PERCENT)


def _counted(row: dict, rule: Disclosure) -> tuple[int, int | None, int] | None:
    """Dropouts, unknown endings (None where few) and courses as they may be told; None where the share may not be."""
    part, whole, about = (
        round(row["estimate"] * row["n_episodes"]),
        row["n_episodes"],
        f"dropout by {row['definition']}",
    )
    if shown_percent(part, whole, rule, f"{about}: share").value is None:
        return None
    part, whole = (shown_count(n, rule, f"{about}: {what}").value for what, n in (("dropouts", part), ("all", whole)))
    return part, shown_count(row["n_undetermined"], rule, f"{about}: unknown endings").value, whole


def _endings(con: duckdb.DuckDBPyConnection, rule: Disclosure) -> tuple[Block, ...]:
    """Episodes by how they ended, of the cohort's risk set."""
    found = dict(
        con.execute(
            "select ending_state, count(distinct episode_id) from mart_person_session where is_last group by all"
        ).fetchall()
    )
    counts = [found.get(name, 0) for name in ENDINGS]
    if not sum(counts[:3]):  # the refusal beside it says why
        return ()
    shown = shown_table(counts, rule, "endings", ENDINGS)
    lines: list[tuple[Piece | Words, ...]] = [
        (words, part, shown_percent(n, sum(counts), rule, f"endings: {name}") if part.value is not None else "")
        for (name, words), part, n in zip(ENDINGS.items(), shown.parts, counts, strict=True)
    ]
    lines.append((Strong("all"), shown.total, ""))
    return (table(("How courses of therapy ended", "Courses", "Share of all"), lines),)


def _agreement(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> tuple[Block, ...]:
    """Agreement of every other definition with the study's own; table `dropout_agreement`."""
    own, lines = settings.dropout.definition.value, {}
    for row in table_rows(con, "dropout_agreement", f"'{own}' in (definition, definition_2)"):
        other = row["definition_2"] if row["definition"] == own else row["definition"]
        lines.setdefault(other, {})[row["measure"]] = told(row, settings.disclosure, Form())
    rows: list[tuple[Piece | Words, ...]] = [
        (
            DEFINITIONS[DropoutDefinition(other)],
            found.get("Gwet's AC1", found.get("all", FEW)),
            found.get("Cohen's kappa", found.get("all", FEW)),
        )
        for other, found in lines.items()
    ]
    if not rows:
        return ()
    return (
        fold(
            "How far the definitions agree with the study's own",
            table(("A client dropped out if ...", "Gwet's AC (interval)", "Cohen's kappa (interval)"), rows),
            note("One is full agreement, zero is what chance gives. Kappa is low where dropout is rare."),
        ),
    )
