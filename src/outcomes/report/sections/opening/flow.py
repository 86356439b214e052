"""Who is in the study, and who is not: the participant flow, with reasons."""

from __future__ import annotations

from outcomes.disclosure import Shown, Teller
from outcomes.report.page.blocks import Block, note, table
from outcomes.report.page.pieces import Given, Kind, Piece, Strong, Words, say
from outcomes.report.reading.people import CLIENTS, SESSIONS, Flow, PeopleTold, people_told
from outcomes.report.reading.plain_words import plain
from outcomes.report.sections.report_section import ReportSection, Source


def _blocks(source: Source) -> tuple[Block, ...]:
    """Sessions and clients at the start, left out with the reason, and at the end; table `mart_participant_flow`."""
    teller = source.teller
    told = people_told(source.con, source.settings.dropout.definition.value, teller)
    branches = told.branches if has_endings(source) else told.branches[:1]
    blocks: list[Block] = [_branch(branch, told, teller) for branch in branches]
    rule = teller.rule
    small = say(
        "Counts of people and sessions under {least} are not shown, and the others are rounded to the nearest {base}, "
        "so that nobody can be recognised; where others would give a count away, it is not shown either. A count that "
        "an earlier report showed stays as it was until it has changed by {least} or more: small changes could be "
        "traced to persons as small counts could. Sums may therefore not add up.",
        least=Given(str(rule.minimum_count)),
        base=Given(str(rule.rounding)),
    )
    return (*blocks, note(small))


def has_endings(source: Source) -> bool:
    """Whether any course's ending is known: of its last session, since nobody ended at the others."""
    sql = "select count(*) > 0 from mart_person_session where is_last and is_dropout is not null"
    return source.con.execute(sql).fetchall()[0][0]


def therapists_in(branch: Flow, teller: Teller) -> Shown:
    """How many therapists are left at a branch's end."""
    return teller.count(f"{branch.title}: therapists", branch.rows[-1]["n_therapists"])


def _branch(branch: Flow, told: PeopleTold, teller: Teller) -> Block:
    """One branch: its start, who was left out and why, and its end."""
    first, *steps, last = branch.rows
    lines: list[tuple[Piece | Words, ...]] = [
        (_stage(first), *(told.shown(branch.start(column)) for column in (SESSIONS, CLIENTS)))
    ]
    few = []
    for row in (*steps, last):
        out = [told.shown(branch.left_out(column, row)) for column in (SESSIONS, CLIENTS)]
        if all(one == "" or one.value is None for one in out):
            few.append(plain(row["reason"]))
        else:
            lines.append((Given(f"left out: {plain(row['reason'])}"), *out))
    if few:
        lines.append((Given(f"left out, each few or not shown: {'; '.join(few)}", Kind.COUNT), "", ""))
    end = say("{step} (with {n} therapists)", step=_stage(last), n=therapists_in(branch, teller))
    lines.append((end, *(told.shown(branch.end(column)) for column in (SESSIONS, CLIENTS))))
    return table((branch.title, "Sessions", "Clients"), lines)


def _stage(row: dict) -> Strong:
    return Strong(plain(row["step"]).capitalize())


SECTION = ReportSection("flow", "Who is in it, and who is not", _blocks)
