"""Who is in the study, and who is not: the participant flow, with reasons."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import duckdb

from outcomes.disclosure import shown_count, shown_table
from outcomes.report.page.blocks import Block, Section, note, table
from outcomes.report.page.pieces import Given, Kind, Piece, Strong, Words, say
from outcomes.report.reading.tables import table_rows
from outcomes.report.reading.words import plain
from outcomes.study.settings import Disclosure, StudySettings

BRANCHES = ("For the questions on satisfaction", "For the questions on dropout")


def section(con: duckdb.DuckDBPyConnection, settings: StudySettings) -> Section:
    """Sessions and clients at the start, left out with the reason, and at the end; table `mart_participant_flow`."""
    rows = table_rows(con, "mart_participant_flow")
    starts = [place for place, row in enumerate(rows) if row["n_sessions_excluded"] is None]
    branches = [rows[low:high] for low, high in zip(starts, [*starts[1:], len(rows)], strict=True)]
    has_endings = con.execute("select count(*) > 0 from mart_person_session where is_dropout is not null").fetchall()
    told = branches if has_endings[0][0] else branches[:1]
    blocks: list[Block] = [
        made
        for title, branch in zip(BRANCHES, told, strict=False)
        for made in _branch(title, branch, settings.disclosure)
    ]
    rule = settings.disclosure
    small = say(
        "Numbers under {least} are not shown, and the others are rounded to the nearest {base}, so that nobody can be "
        "recognised. A number that an earlier report told stays as it was until it has changed by {least} or more: "
        "small changes could be traced to persons as small numbers could. Sums may therefore not add up.",
        least=Given(str(rule.minimum_count)),
        base=Given(str(rule.rounding)),
    )
    return Section("flow", "Who is in it, and who is not", (*blocks, note(small)))


def _branch(title: str, rows: Sequence[dict], rule: Disclosure) -> tuple[Block, ...]:
    """The sessions left out and those that stay are the parts of one total; so are the clients."""
    reasons = [f"{row['step']}: {row['reason']}" for row in rows[1:]] + ["left at last"]
    sessions = shown_table(_steps_down([row["n_sessions"] for row in rows]), rule, f"{title}: sessions", reasons)
    people = [row["n_clients"] for row in rows if row["n_clients"] is not None]
    clients = shown_table(_steps_down(people), rule, f"{title}: clients", reasons[-len(people) :])
    ids_from = len(rows) - len(people)  # before it, rows are not yet people
    first, last = rows[0], rows[-1]
    lines: list[tuple[Piece | Words, ...]] = [
        (Strong(plain(first["step"]).capitalize()), sessions.total, "" if ids_from else clients.total)
    ]
    few = []
    for i, row in enumerate(rows[1:]):
        out = clients.parts[i - ids_from] if i >= ids_from else ""
        if sessions.parts[i].value is None and (out == "" or out.value is None):
            few.append(plain(row["reason"]))
            continue
        lines.append((Given(f"left out: {plain(row['reason'])}"), sessions.parts[i], out))
    if few:
        words = Given(
            f"left out, each {shown_count(0, rule, 'what is left out for other reasons').text}: {'; '.join(few)}",
            Kind.COUNT,
        )
        lines.append((words, "", ""))
    therapists = shown_count(last["n_therapists"], rule, f"{title}: therapists")
    end = say("{step} (with {n} therapists)", step=Strong(plain(last["step"]).capitalize()), n=therapists)
    lines.append((end, sessions.parts[-1], clients.parts[-1]))
    return (table((title, "Sessions", "Clients"), lines),)


def _steps_down(remaining: Sequence[int]) -> list[int]:
    """What was left out at each step, and what remained at last."""
    return [before - after for before, after in itertools.pairwise(remaining)] + [remaining[-1]]
