"""Tables `verdicts`, `balance_evidence` and `reactance_effects`: their words, columns and sentences."""

from __future__ import annotations

from enum import StrEnum

from outcomes.answers.common.tables import NUMBERS, answer_table
from outcomes.answers.common.words import ALL, Certainty, Grain, HazardTerm, Outcome
from outcomes.methods.curvature.turning_point import FiellerState
from outcomes.methods.inference.johnson_neyman import RegionState
from outcomes.mixed import FitStatus
from outcomes.release.codebook.vocabulary import ColumnText, count, number, text


class Verdict(StrEnum):
    """What guidance does to the outcome."""

    NO_EFFECT = "no_effect"
    MONOTONE = "monotone"
    BEST_LEVEL = "best_level"
    FIT = "fit"
    FIT_PLUS_MAIN = "fit_plus_main"
    RELATIVE = "relative"
    UNDECIDED = "undecided"


class VerdictModel(StrEnum):
    """What a verdict rests on."""

    DYNAMIC = "dynamic model"
    MIXED = "mixed model"
    HAZARD = "hazard of dropout"
    NONE = ""


VERDICT_SENTENCES = {
    Verdict.NO_EFFECT: "Over all clients, how much guidance they get makes no difference that matters to {outcome}.",
    Verdict.MONOTONE: "With more guidance {outcome} goes one way only; no best level shows.",
    Verdict.BEST_LEVEL: "There is one best level of guidance for {outcome}; more and less are both worse.",
    Verdict.FIT: "What counts for {outcome} is the fit: guidance near to what the client prefers.",
    Verdict.FIT_PLUS_MAIN: "What counts for {outcome} is fit to the client's preference, and the level itself as well.",
    Verdict.RELATIVE: "What counts for {outcome} is change: more and less than the client is used to are both worse.",
    Verdict.UNDECIDED: "The data do not decide how guidance works on {outcome}.",
}


class EvidenceQuantity(StrEnum):
    """What is estimated or tested behind a verdict, beside the quantities that the functions below name."""

    SLOPE_WITHIN = "slope within clients"
    SLOPE_USUAL = "slope of the usual level"
    SLOPE_CLIENTS = "slope between clients"
    FREE_MODEL = "quadratic model"
    ALONE_SLOPE = "quadratic alone: slope in the middle of the scale"
    ALONE_CURVATURE = "quadratic alone: curvature"
    ALONE_TURN = "quadratic alone: turning point"
    ABSOLUTE = "absolute optimum: p"
    RELATIVE = "relative optimum: p"
    LITTLE = "surface: too little, against as preferred"
    MUCH = "surface: too much, against as preferred"
    BELOW = "surface: median guidance, against its lower end"
    ABOVE = "surface: upper end of guidance, against its median"
    SAME_SESSION = "same-session slope: dynamic model"
    SAME_SESSION_MIXED = "same-session slope: mixed model"
    NEXT_SESSION = "next-session slope: dynamic model"
    RESPONSIVENESS = "guidance in the next session per point of satisfaction above what is usual"
    CARRY_OVER = "share of a good session that is left in the next"
    BETWEEN_CLIENTS = "clients' usual guidance and satisfaction: correlation"
    BETWEEN_THERAPISTS = "therapists' usual guidance and satisfaction: correlation"


class TurnAxis(StrEnum):
    """Along what a turn is sought."""

    LEVEL = "guidance"
    DEPARTURE = "departure from the usual level"
    DISTANCE = "distance from the preference"

    @property
    def lind_mehlum(self) -> str:
        """The quantity of the Lind-Mehlum test."""
        return f"Lind-Mehlum on {self}: p"

    def two_lines(self, part: TwoLinesPart) -> str:
        """A quantity of the two-lines test."""
        return f"two lines on {self}: {part}"


class TwoLinesPart(StrEnum):
    """What the two-lines test finds."""

    BREAK = "break"
    BELOW = "slope below the break"
    ABOVE = "slope above the break"


class SurfaceTerm(StrEnum):
    """Quantities of the response surface of guidance against preference."""

    A1 = "a1"
    A2 = "a2"
    A3 = "a3"
    A4 = "a4"
    A5 = "a5"
    P10 = "p10"
    P11 = "p11"

    @property
    def quantity(self) -> str:
        """Its name in `balance_evidence`."""
        return f"response surface: {self}"


class FormMeasure(StrEnum):
    """How well a restricted form of the curve describes the data."""

    AICC = "AICc above the best"
    WEIGHT = "Akaike weight"
    SHARE = "share explained"

    def of(self, form: str) -> str:
        """Its name in `balance_evidence`."""
        return f"form {form}: {self}"


def spline_slope(guidance: float) -> str:
    """The quantity of the spline's slope at a level of guidance."""
    return f"spline: slope at guidance {guidance:.1f}"


class EvidenceMark(StrEnum):
    """What stands as status of a quantity that is no estimate of one fit."""

    TURN = "turn found"
    NO_TURN = "no turn found"
    COARSE = "scale too coarse"
    NOT_ASKED = "not asked: another form describes the data better"
    NO_INTERVAL = FiellerState.NO_FINITE_INTERVAL.value
    COMPARISON = "comparison"
    TEST = "test"


class ReactanceQuantity(StrEnum):
    """What of the effect of guidance depends on reactance."""

    LOW = "slope where reactance is low"
    AVERAGE = "slope where reactance is average"
    HIGH = "slope where reactance is high"
    CHANGE = "change of the slope per point of reactance"
    REGION = "reactance at which the slope differs from zero"
    ALL = ALL


class ReactanceGuidance(StrEnum):
    """Which part of guidance."""

    WITHIN = "more guidance than usual for the client, per point"
    SO_FAR = HazardTerm.SO_FAR.value
    CHANGE = HazardTerm.CHANGE.value
    ALL = ALL


_AT: dict[str, ColumnText] = {
    "outcome": text("What guidance may act on", Outcome),
    "level": text("What one row of the analysis is", Grain),
}

VERDICTS = answer_table(
    "verdicts",
    "What guidance does to one outcome at one level",
    {
        **_AT,
        "verdict": text(
            "What guidance does: nothing that matters; one way only; one best level for all; fit to the preference; "
            "fit and the level itself; best is what the client is used to; not to be told",
            Verdict,
        ),
        "trace": text("The steps that led to the verdict, in words"),
        "model": text(
            "What the verdict rests on. The dynamic model allows for therapists who respond to the session before; the "
            "mixed model does not. Empty where refused",
            VerdictModel,
        ),
        "mixed_verdict": text(
            "The verdict of the mixed model, beside one that rests on the dynamic model; empty elsewhere", Verdict
        ),
        "disagreement": text(
            "A sentence where dynamic and mixed model disagree beyond chance, or why there is no dynamic one"
        ),
        "apart": text(
            "A sentence on what differs between therapists only, and is no effect of guidance in sessions; else empty"
        ),
        "certainty": text(
            "How sure the verdict is, by rule (table certainties); empty where that was left out", Certainty
        ),
    },
)

EVIDENCE = answer_table(
    "balance_evidence",
    "One quantity behind a verdict",
    {
        **_AT,
        "quantity": text("What is estimated or tested"),
        "estimate": number(
            "Its value. Slopes are per point of guidance: points of satisfaction, for dropout logits (of the two lines "
            "and the spline: probability); breaks and turning points are points of guidance; empty where there is none"
        ),
        "conf_low": number("Lower end of the 95% interval (of a break: of the flat range); empty for a test"),
        "conf_high": number("Upper end of the 95% interval (of a break: of the flat range); empty for a test"),
        "status": text("How the fit ended, or what the test found", (*FitStatus, *EvidenceMark)),
    },
)

REACTANCE = answer_table(
    "reactance_effects",
    "The effect of guidance at a level of clients' reactance",
    {
        "outcome": _AT["outcome"],
        "guidance": text("Which part of guidance; its slope is per point of guidance", ReactanceGuidance),
        "quantity": text(
            "A slope at a level of reactance (average of clients, one standard deviation below or above it), its "
            "change per point of reactance, or the Johnson-Neyman region in which it differs from 0 (without an "
            "estimate)",
            ReactanceQuantity,
        ),
        "unit": text("Unit of the slopes"),
        "region": text("Where on the scale of reactance the slope differs from 0; only of the region", RegionState),
        "reactance_low": number(
            "The level of reactance, or the region's lower bound; empty where that lies beyond the scale", "", "points"
        ),
        "reactance_high": number(
            "The level of reactance, or the region's upper bound; empty where that lies beyond the scale", "", "points"
        ),
        "share_of_clients": number("Share of clients in the region; only of the region", "0 to 1"),
        **NUMBERS,
    },
)


class SurfaceCoefficient(StrEnum):
    """Coefficients of the response surface, in the order of `outcomes.methods.curvature.response_surface.TERMS`."""

    GUIDANCE = "guidance"
    PREFERENCE = "preference"
    GUIDANCE_2 = "guidance^2"
    PRODUCT = "guidance * preference"
    PREFERENCE_2 = "preference^2"


_HEIGHT = "points of satisfaction, for dropout logits"

SURFACE_TERMS = answer_table(
    "surface_terms",
    "One coefficient of the response surface of guidance and preferred guidance, both less the centre",
    {
        **_AT,
        "term": text("Coefficient of the surface", SurfaceCoefficient),
        "centre": number("What guidance and preference are taken less: the middle of the scale", "", "points"),
        "estimate": number("Coefficient", "", _HEIGHT),
        "std_error": number("Standard error of the coefficient", "0 or more"),
        "df_denom": number("Degrees of freedom: therapists less one", "0 or more"),
        "status": text("How the fit behind the surface ended", FitStatus),
    },
)

SURFACE_COVARIANCES = answer_table(
    "surface_covariances",
    "The covariance of two coefficients of the response surface",
    {
        **_AT,
        "term": text("Coefficient of the surface", SurfaceCoefficient),
        "term_2": text("Second coefficient of the pair", SurfaceCoefficient),
        "covariance": number("Covariance of the two coefficients"),
    },
)

SURFACE_GRID = answer_table(
    "surface_grid",
    "The height of the response surface at one point of a grid over the scale",
    {
        **_AT,
        "guidance": number("Guidance", "", "points of the scale"),
        "preference": number("Guidance that the client prefers", "", "points of the scale"),
        "estimate": number("Height less that of the centre of the scale", "", _HEIGHT),
        "conf_low": number("Lower end of the 95% interval, point by point"),
        "conf_high": number("Upper end of the 95% interval, point by point"),
        "n_rows": count("Rows of the fit nearest to this point; where there are none the surface is a guess", "rows",
                        "BIGINT"),
        "n_clients": count("Clients behind these rows", "clients", "BIGINT"),
        "status": text("How the fit behind the surface ended", FitStatus),
    },
)  # fmt: skip
SURFACE_TABLES = (SURFACE_TERMS, SURFACE_COVARIANCES, SURFACE_GRID)
TABLES = (VERDICTS, EVIDENCE, REACTANCE, *SURFACE_TABLES)
