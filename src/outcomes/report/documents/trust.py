"""What speaks for the findings, what limits them, and what would change our mind, each bound to a state of a ground."""

from __future__ import annotations

from collections.abc import Sequence

from outcomes.answers.certainty.grounds import Release
from outcomes.answers.certainty.rule import (
    TAKEN_AWAY,
    Agreement,
    Ground,
    IntervalState,
    RecoveryState,
    SealingState,
)
from outcomes.answers.missing.tables import LadderEffect
from outcomes.answers.recovery.tables import CARDS
from outcomes.report.findings.finding import Finding
from outcomes.report.reading.rows import answer_rows
from outcomes.report.sections.report_section import Source

_OPEN = {
    (Ground.INTERVAL, IntervalState.OPEN): "the range holds too much",
    (Ground.INTERVAL, IntervalState.NONE): "there is no number",
    (Ground.RECOVERY, RecoveryState.LARGE): "data of this size show large effects only",
    (Ground.RECOVERY, RecoveryState.NOT_TRIED): "not tried on made-up studies",
    (Ground.RECOVERY, RecoveryState.FEW): "data of this size miss many such effects",
    (Ground.RECOVERY, RecoveryState.NO): "data of this size cannot tell",
    (Ground.MISSING, Agreement.NOT_TRIED): "missing answers were not read another way",
    (Ground.MISSING, Agreement.ANOTHER): "it hangs on how missing answers are read",
    (Ground.ANALYSES, Agreement.NOT_TRIED): "not worked out another way",
    (Ground.ANALYSES, Agreement.ANOTHER): "another way to work it out says something else",
    (Ground.RESPONSIVENESS, Agreement.NOT_TRIED): "not checked against therapists who react to the last session",
    (Ground.RESPONSIVENESS, Agreement.ANOTHER): "therapists who react to the last session may explain it",
    (Ground.SEALING, SealingState.EXPLORATORY): "the plan was not fixed beforehand",
}
_DOUBTS = {
    (Ground.RECOVERY, RecoveryState.LARGE): "More clients: data of this size show large effects only.",
    (
        Ground.RECOVERY,
        RecoveryState.FEW,
    ): "More clients: data of this size miss many such effects, and those that they show look larger than they are.",
    (Ground.RECOVERY, RecoveryState.NO): "Many more clients: data of this size cannot answer all of it.",
    (Ground.RECOVERY, RecoveryState.NOT_TRIED): "A trial on made-up studies that finds nothing where something is.",
    (Ground.MISSING, Agreement.ANOTHER): "The answers that clients did not give, if they were known.",
    (Ground.MISSING, Agreement.NOT_TRIED): "Another reading of endings or ratings that are missing.",
    (Ground.ANALYSES, Agreement.ANOTHER): "Another sound way to work it out: some already say something else.",
    (Ground.ANALYSES, Agreement.NOT_TRIED): "Another sound way to work it out that says something else.",
    (Ground.RESPONSIVENESS, Agreement.NOT_TRIED): "A check that therapists change what they do after a bad session, "
    "and that this alone makes the link.",
    (Ground.RESPONSIVENESS, Agreement.ANOTHER): "Data that show why therapists change what they do after a session.",
    (Ground.SEALING, SealingState.EXPLORATORY): "The same finding failing in new data, with the plan fixed beforehand.",
}
_ALWAYS = "A trial in which chance decides who gets more guidance."


def open_grounds(one: Finding) -> tuple[str, ...]:
    """What took certainty away from a finding, in a few words each."""
    return tuple(
        _OPEN[ground, state] for ground, state in one.rating.grounds.items() if TAKEN_AWAY[ground][state]
    )  # fmt: skip


def doubts(found: Sequence[Finding]) -> tuple[str, ...]:
    """What would change our mind on the findings that are told, each once."""
    if not found:
        return ()
    states = [at for at in _DOUBTS if any(one.rating.grounds[at[0]] == at[1] for one in found)]
    return (_ALWAYS, *(_DOUBTS[at] for at in states))


def strengths(source: Source) -> tuple[str, ...]:
    """What speaks for the findings."""
    release = Release(source.con)
    said = []
    if answer_rows(source.con, CARDS):
        said.append("Made-up studies of this size showed first which questions such data can answer.")
    if release.missing_ratings(LadderEffect.WITHIN) is Agreement.SAME:
        said.append("Missing ratings were read in several ways, and the sessions' result stays the same.")
    if release.multiverse() is Agreement.SAME:
        said.append("Nearly all sound ways to work out the sessions' result agree.")
    if release.sealing() is SealingState.SEALED:
        said.append("The plan was fixed before anyone saw the outcomes.")
    return (*said, "Each client is first compared with the same client on other days.")


def limits(source: Source) -> tuple[str, ...]:
    """What limits the findings, whatever they say."""
    said = [
        "Nobody chose by lot who got more guidance. A crisis, say, can change guidance and satisfaction at once.",
        "Clients who leave stop rating. Averages can look better than the therapies were.",
    ]
    if Release(source.con).sealing() is SealingState.EXPLORATORY:
        said.append("The plan was not fixed before the outcomes were seen.")
    return tuple(said)
