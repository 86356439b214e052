"""The verdict on satisfaction after sessions: from the dynamic model where it can be fitted, the mixed one beside."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from outcomes.answers.balance.dynamic_evidence import DynamicFindings, average_slope, find_dynamic_evidence
from outcomes.answers.balance.evidence import Findings, find_evidence
from outcomes.answers.balance.rows import GuidanceRows
from outcomes.answers.balance.tables import Verdict, VerdictModel
from outcomes.answers.balance.verdict import ALPHA, Decision, decide
from outcomes.errors import FitRefused
from outcomes.methods.inference.contrasts import Estimate
from outcomes.mixed import RESPONSIVENESS, OptSummary


@dataclass(frozen=True)
class SessionsJudged:
    """The verdict on sessions and what it rests on.

    Attributes
    ----------
    findings : Findings
        Of the model that the verdict rests on.
    decision : Decision
    dynamic : DynamicFindings or None
        None where the verdict rests on the mixed model.
    refusal : str
        Why there is no dynamic model; empty where there is one.
    """

    findings: Findings
    decision: Decision
    dynamic: DynamicFindings | None
    refusal: str = ""

    @property
    def model(self) -> VerdictModel:
        """What the verdict rests on."""
        return VerdictModel.MIXED if self.dynamic is None else VerdictModel.DYNAMIC


@dataclass(frozen=True)
class Beside:
    """What the mixed model, which does not allow for therapists' responses, says of the same sessions.

    Attributes
    ----------
    decision : Decision
    slope : Estimate
        Average same-session slope.
    sentence : str
        Where the two models disagree beyond chance, and why; empty where they do not.
    """

    decision: Decision
    slope: Estimate
    sentence: str


def judge_sessions(rows: GuidanceRows, near: OptSummary | None = None) -> SessionsJudged:
    """Decide on satisfaction after sessions; `near` is where the dynamic model's search ended on sessions like these.

    Raises
    ------
    FitRefused
        Where neither model can be fitted.
    """
    try:
        found = find_dynamic_evidence(rows, near)
    except FitRefused as refusal:
        mixed = find_evidence(rows)
        return SessionsJudged(mixed, decide(mixed.evidence), None, refusal.message)
    return SessionsJudged(found.findings, decide(found.findings.evidence), found)


def beside(judged: SessionsJudged, rows: GuidanceRows) -> Beside | None:
    """Ask the mixed model as well; None where the verdict rests on it already, or where it cannot be fitted.

    The slopes disagree beyond chance where the mixed one lies outside the dynamic one's interval. Both come from the
    same sessions, so their difference varies less than the dynamic slope does: the test is on the safe side.
    """
    if judged.dynamic is None:
        return None
    try:
        mixed = find_evidence(rows)
    except FitRefused:
        return None
    decision, slope = decide(mixed.evidence), average_slope(mixed.model, rows)
    own = judged.dynamic.slope
    if own.conf_low <= slope.value <= own.conf_high:
        return Beside(decision, slope, "")
    p_value = judged.dynamic.fit.pvalues[RESPONSIVENESS]
    is_left = own.conf_low > 0 if slope.value > 0 else own.conf_high < 0
    is_shown = judged.decision.verdict not in (Verdict.NO_EFFECT, Verdict.UNDECIDED)
    what = "the difference between the two" if is_left or is_shown else "the link"
    why = (
        f"{what} is explained by therapists responding to how the last session went"
        if p_value < ALPHA
        else "lasting differences between clients or between therapists explain it"
    )
    says = "" if decision.verdict is judged.decision.verdict else f" and would say {decision.verdict}"
    return Beside(
        decision,
        slope,
        f"A model that does not allow for therapists' responses gives {slope.value:+.2f} points of satisfaction per "
        f"point of guidance, not {own.value:+.2f} ({own.conf_low:+.2f} to {own.conf_high:+.2f}){says}: {why}.",
    )


def apart(judged: SessionsJudged) -> str:
    """Say what differs between therapists only; empty where nothing is shown, or where no model tells it apart."""
    if judged.dynamic is None:
        return ""
    row = correlation(judged.dynamic, "therapist_id")
    low, high = row["conf_low"], row["conf_high"]
    if low is None or low <= 0 <= high:
        return ""
    more = "more" if low > 0 else "less"
    return (
        f"Therapists who guide more have {more} satisfied clients (correlation {row['estimate']:.2f}, {low:.2f} to "
        f"{high:.2f}). This is a difference between therapists and no effect of guidance in a session."
    )


def correlation(found: DynamicFindings, group: str) -> dict:
    """Correlation of usual guidance and satisfaction between clients or therapists: estimate, conf_low, conf_high."""
    spread = found.fit.spread().filter(pl.col("name") == "correlation", pl.col("group") == group)
    return spread.row(0, named=True)
