"""What changed since the last report, in words and told counts only: nothing that both reports together do not say."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.answers.certainty.tables import CERTAINTIES
from outcomes.disclosure import Teller
from outcomes.languages import count, spoken
from outcomes.report.findings.all_findings import findings
from outcomes.report.findings.finding import Finding
from outcomes.report.page.blocks import Block, bullets, paragraph
from outcomes.report.page.pieces import Given, Kind, Strong, Words, say
from outcomes.report.reading.people import ABOUT, CLIENTS, people_told
from outcomes.report.reading.rows import answer_rows
from outcomes.report.sections.report_section import Source


def since_last(source: Source, found: Sequence[Finding]) -> tuple[Block, ...]:
    """Compare the headings of both releases' findings, and how many clients they rest on."""
    if source.before is None:
        return (paragraph(spoken("This is the first report.")),)
    if not answer_rows(source.before, CERTAINTIES):
        return (
            paragraph(spoken("The last report did not say how sure its findings are, so they cannot be compared.")),
        )
    earlier = Source(source.before, source.settings, Teller(source.settings.disclosure))
    before, now = ({one.name: one.heading for one in made} for made in (findings(earlier), found))
    changed = [
        say("{what} {now}. Before: {then}.", what=Strong(spoken("Changed.")), now=now[name], then=then)
        for name, then in before.items()
        if now.get(name, then) != then
    ]
    new = [
        say("{what} {now}.", what=Strong(spoken("New.")), now=said) for name, said in now.items() if name not in before
    ]
    gone = [
        say("{what} {then}.", what=Strong(spoken("No longer told.")), then=before[name]) for name in before.keys() - now
    ]
    items = [*_more_data(source), *changed, *new, *gone]
    if not (changed or new or gone):
        items.append(say("{what} All findings are worded as before.", what=Strong(spoken("The same."))))
    return (bullets(*items),)


def _more_data(source: Source) -> list[Words]:
    """Clients then and now, as both reports told them."""
    told = people_told(source.con, source.settings.dropout.definition.value, source.teller)
    name = told.branches[0].end(CLIENTS)
    tables = [one.tables[ABOUT] for one in source.teller.earlier if ABOUT in one.tables]
    then = tables[-1].cells[name].value if tables and name in tables[-1].cells else None
    now = told.table.cells[name].value
    if then is None or now is None:
        return []
    counts = {"then": Given(count(then), Kind.COUNT), "now": Given(count(now), Kind.COUNT)}
    if then == now:
        return [
            say("{what} The reports rest on {now} clients, as before.", what=Strong(spoken("Data.")), now=counts["now"])
        ]
    return [
        say(
            "{what} The last report rested on {then} clients, this one on {now}.",
            what=Strong(spoken("Data.")),
            **counts,
        )
    ]
