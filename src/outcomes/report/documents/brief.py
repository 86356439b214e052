"""The brief: one page for everybody, and the same in easy words."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.languages import later, spoken, translated
from outcomes.report.documents.pages import page_with
from outcomes.report.documents.parts import reasons, who
from outcomes.report.findings.finding import Finding
from outcomes.report.findings.wording import EASY, SURE
from outcomes.report.page.blocks import Block, Page, Picture, Section, bullets, paragraph
from outcomes.report.page.pieces import Given, Link, Strong, Words, say
from outcomes.report.page.spans import plain
from outcomes.report.reading.stand_ins import GUIDANCE, stands_for
from outcomes.report.sections.report_section import Source
from outcomes.study.tables.delivery import Document

MOST = 4
"""Findings on one page with its picture; more would not leave room for who is in it and what it does not show."""
MOST_EASY = 3
MOST_WORDS = 240
"""Words of findings, picture, advice and what was refused: with what else stands there, the page stays under 350."""
NOTHING = later("These data do not answer the question yet.")


def brief(source: Source, found: Sequence[Finding]) -> Page:
    """Return the brief: findings with numbers, ranges and how sure they are, a picture, what to try, what it lacks."""
    why_not = reasons(source)
    room = MOST_WORDS - sum(len(plain(words).split()) for words in why_not)
    chosen = _chosen([one for one in found if one.is_told][:MOST], room)
    sections = (
        Section("findings", spoken("What we found"), _found(why_not, chosen)),
        Section("who", spoken("Who is in it"), (paragraph(who(source)),)),
        Section("try", spoken("What one could try"), _advice(chosen)),
        Section("limits", spoken("What this does not show"), (
            paragraph(
                spoken(
                    "Chance did not decide who got more guidance. So we see what goes together, and not what causes "
                    "what."
                )
            ),
        )),
        Section("on", spoken("Where to read on"), (
            paragraph(
                say("{report} has more pictures and the limits, {annex} all tables.",
                    report=Link(spoken("The report"), Document.REPORT.files[0]),
                    annex=Link(spoken("the annex"), Document.ANNEX.files[0]))
            ),
        )),
    )  # fmt: skip
    return page_with(source, Document.BRIEF, spoken("everyone"), sections)


def easy_brief(source: Source, found: Sequence[Finding]) -> Page:
    """Return the brief in easy words, for service users."""
    chosen = [one for one in found if one.is_told][:MOST_EASY]
    items = [Words((*one.easy.pieces, " ", translated(EASY[one.certainty]))) for one in chosen]
    blocks: tuple[Block, ...] = (bullets(*items), *_picture(chosen)) if items else (paragraph(translated(NOTHING)),)
    sections = (
        Section("about", spoken("What this is about"), (paragraph(_about(source)),)),
        Section("findings", spoken("What we found"), blocks),
        Section("try", spoken("What you can do"), _your_say(source)),
        Section("limits", spoken("What we do not know"), (
            paragraph(
                spoken("We only saw what goes together. We do not know why. What is true for many may not fit you.")
            ),
        )),
    )  # fmt: skip
    return page_with(source, Document.EASY, spoken("service users"), sections)


def _about(source: Source) -> Words:
    if what := stands_for(source.settings, GUIDANCE):
        return say("This study is about {what}.", what=Given(what))
    return say(
        "In therapy, some therapists lead a lot. They give advice and tell people what to do. We call this "
        "guidance. Other therapists lead less. We wanted to know what is good for people."
    )


def _your_say(source: Source) -> tuple[Block, ...]:
    """What a service user can do; nothing where guidance is another thing, of which nobody can wish for more."""
    if stands_for(source.settings, GUIDANCE):
        return ()
    return (
        paragraph(
            spoken(
                "You can tell your therapist how much guidance you want. You can say when it feels too much or too "
                "little. You do not have to give a reason."
            )
        ),
    )


def _found(why_not: Sequence[Words], chosen: Sequence[Finding]) -> tuple[Block, ...]:
    left = (bullets(*why_not),) if why_not else ()
    if not chosen:
        return (paragraph(translated(NOTHING)), *left)
    return (bullets(*map(_told, chosen)), *_picture(chosen), *left)


def _told(one: Finding) -> Words:
    return Words((Strong(f"{one.heading}."), " ", *one.sentence.pieces, " ", translated(SURE[one.certainty])))


def _picture(chosen: Sequence[Finding]) -> tuple[Picture, ...]:
    drawn = next((one.picture for one in chosen if one.picture), None)
    return (drawn,) if drawn else ()


def _chosen(found: Sequence[Finding], room: int) -> Sequence[Finding]:
    """Findings from the first on for which the page has room, in words."""
    while len(found) > 1 and _n_words(found) > room:
        found = found[:-1]
    return found


def _n_words(found: Sequence[Finding]) -> int:
    drawn = _picture(found)
    said = [*(plain(_told(one)) for one in found), *_advised(found)]
    said += [text for one in drawn for text in (one.title, plain(one.caption))]
    return sum(len(text.split()) for text in said)


def _advised(chosen: Sequence[Finding]) -> Sequence[str]:
    return tuple(dict.fromkeys(one.advice for one in chosen if one.advice))


def _advice(chosen: Sequence[Finding]) -> tuple[Block, ...]:
    said = _advised(chosen)
    if not said:
        return (paragraph(spoken("Nothing here is sure enough to change what you do.")),)
    return (bullets(*said),)
