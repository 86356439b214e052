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
from outcomes.answers.certainty.tables import FindingName
from outcomes.answers.missing.tables import LadderEffect
from outcomes.answers.recovery.tables import CARDS
from outcomes.languages import later, spoken, translated
from outcomes.report.findings.finding import Finding
from outcomes.report.reading.rows import answer_rows, refusal
from outcomes.report.sections.opening.seal import sentence_withheld
from outcomes.report.sections.report_section import Source
from outcomes.study.settings import AnalysisName

_OPEN = {
    (Ground.INTERVAL, IntervalState.OPEN): later("the range holds too much"),
    (Ground.INTERVAL, IntervalState.NONE): later("there is no number"),
    (Ground.RECOVERY, RecoveryState.LARGE): later("data of this size show large effects only"),
    (Ground.RECOVERY, RecoveryState.NOT_TRIED): later("not tried on made-up studies"),
    (Ground.RECOVERY, RecoveryState.FEW): later("data of this size miss many such effects"),
    (Ground.RECOVERY, RecoveryState.NO): later("data of this size cannot tell"),
    (Ground.MISSING, Agreement.NOT_TRIED): later("missing answers were not read another way"),
    (Ground.MISSING, Agreement.ANOTHER): later("it hangs on how missing answers are read"),
    (Ground.ANALYSES, Agreement.NOT_TRIED): later("not worked out another way"),
    (Ground.ANALYSES, Agreement.ANOTHER): later("another way to work it out says something else"),
    (Ground.RESPONSIVENESS, Agreement.NOT_TRIED): later("not checked against therapists who react to the last session"),
    (Ground.RESPONSIVENESS, Agreement.ANOTHER): later("therapists who react to the last session may explain it"),
    (Ground.SEALING, SealingState.EXPLORATORY): later("the plan was not fixed beforehand"),
}
_DOUBTS = {
    (Ground.RECOVERY, RecoveryState.LARGE): later("More clients: data of this size show large effects only."),
    (
        Ground.RECOVERY,
        RecoveryState.FEW,
    ): later(
        "More clients: data of this size miss many such effects, and those that they show look larger than they are."
    ),
    (Ground.RECOVERY, RecoveryState.NO): later("Many more clients: data of this size cannot answer all of it."),
    (Ground.RECOVERY, RecoveryState.NOT_TRIED): later(
        "A trial on made-up studies that finds nothing where something is."
    ),
    (Ground.MISSING, Agreement.ANOTHER): later("The answers that clients did not give, if they were known."),
    (Ground.MISSING, Agreement.NOT_TRIED): later("Another reading of endings or ratings that are missing."),
    (Ground.ANALYSES, Agreement.ANOTHER): later("Another sound way to work it out: some already say something else."),
    (Ground.ANALYSES, Agreement.NOT_TRIED): later("Another sound way to work it out that says something else."),
    (Ground.RESPONSIVENESS, Agreement.NOT_TRIED): later(
        "A check that therapists change what they do after a bad session, and that this alone makes the link."
    ),
    (Ground.RESPONSIVENESS, Agreement.ANOTHER): later(
        "Data that show why therapists change what they do after a session."
    ),
    (Ground.SEALING, SealingState.EXPLORATORY): later(
        "The same finding failing in new data, with the plan fixed beforehand."
    ),
}
_BY_CHANCE = later("A trial in which chance decides who gets more guidance.")
_BY_CHANCE_WHOM = later("A trial in which chance decides who sees which therapist.")


def open_grounds(one: Finding) -> tuple[str, ...]:
    """What took certainty away from a finding, in a few words each."""
    return tuple(
        translated(_OPEN[ground, state]) for ground, state in one.rating.grounds.items() if TAKEN_AWAY[ground][state]
    )  # fmt: skip


def doubts(found: Sequence[Finding]) -> tuple[str, ...]:
    """What would change our mind on the findings that are told, each once."""
    if not found:
        return ()
    states = [at for at in _DOUBTS if any(one.rating.grounds[at[0]] == at[1] for one in found)]
    is_of_guidance = any(one.name is not FindingName.THERAPISTS for one in found)
    return (translated(_BY_CHANCE if is_of_guidance else _BY_CHANCE_WHOM), *(translated(_DOUBTS[at]) for at in states))


def strengths(source: Source) -> tuple[str, ...]:
    """What speaks for the findings."""
    release = Release(source.con)
    said = []
    if answer_rows(source.con, CARDS):
        said.append(spoken("Made-up studies of this size showed first which questions such data can answer."))
    if release.missing_ratings(LadderEffect.WITHIN) is Agreement.SAME:
        said.append(spoken("Missing ratings were read in several ways, and the sessions' result stays the same."))
    if release.multiverse() is Agreement.SAME and release.link_with_responses(is_slope=True) is not Agreement.ANOTHER:
        said.append(spoken("Nearly all sound ways to work out the sessions' result agree."))
    if release.sealing() is SealingState.SEALED:
        said.append(spoken("The plan was fixed before anyone saw the outcomes."))
    if refusal(source.con, AnalysisName.GUIDANCE, source.teller) is None:
        said.append(spoken("Each client is first compared with the same client on other days."))
    return tuple(said)


def limits(source: Source) -> tuple[str, ...]:
    """What limits the findings, whatever they say."""
    said = [
        spoken(
            "Nobody chose by lot who got more guidance. A crisis, say, can change guidance and satisfaction at once."
        ),
        spoken("Clients who leave stop rating. Averages can look better than the therapies were."),
    ]
    if Release(source.con).sealing() is SealingState.EXPLORATORY and not sentence_withheld(source):
        said.append(spoken("The plan was not fixed before the outcomes were seen."))
    return tuple(said)
