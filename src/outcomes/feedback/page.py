"""One therapist's page: own clients against own past, and one question. It knows no other therapist and no client."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.feedback.changes import Change, Compared, compared, latest, question
from outcomes.feedback.figures import Figure, Measure, Said, digits_of, span_of
from outcomes.feedback.picture import fit_picture
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, Page, Section, bullets, note, paragraph
from outcomes.report.page.pieces import PERCENT, Estimate, Form, Given, Kind, Ranged, Strong, Words, say
from outcomes.study.settings import StudySettings
from outcomes.study.tables.delivery import OwnDocument

AUDIENCE = "you alone"
_QUESTION = "How do your own clients do, compared with your own clients before?"
_SATISFACTION, _GUIDANCE = "satisfaction", "directiveness"

_SUBJECTS = {
    Measure.SATISFACTION: "Your clients' rating of their sessions",
    Measure.DISTANCE: "The distance of guidance from what your clients wish",
    Measure.ASKED: "Asking how guidance feels",
}
_CHANGES = {
    Change.HIGHER: {
        Measure.SATISFACTION: "was probably higher than before",
        Measure.DISTANCE: "was probably larger than before",
        Measure.ASKED: "was probably more common than before",
    },
    Change.LOWER: {
        Measure.SATISFACTION: "was probably lower than before",
        Measure.DISTANCE: "was probably smaller than before",
        Measure.ASKED: "was probably less common than before",
    },
    Change.ALIKE: dict.fromkeys(_SUBJECTS, "was about as before"),
    Change.UNSURE: {
        Measure.SATISFACTION: "may have changed or not: we cannot tell",
        Measure.DISTANCE: "may have changed or not: we cannot tell",
        Measure.ASKED: "may have changed or not: we cannot tell",
    },
    Change.FIRST: dict.fromkeys(_SUBJECTS, "is told for the first time: there is no past to compare with"),
}
_LEANINGS = {
    Said.MORE: " On the whole they probably got more guidance than they wish.",
    Said.LESS: " On the whole they probably got less guidance than they wish.",
    Said.NEITHER: " Whether they got more or less than they wish on the whole, we cannot tell.",
}


@dataclass(frozen=True)
class Told:
    """What a page is made from, and all of it: nothing of other therapists, nothing of one client.

    Attributes
    ----------
    figures : tuple of Figure
        All that was told to this therapist, this time and before.
    settings : StudySettings
    release_id : str
    is_simulated : bool
    """

    figures: tuple[Figure, ...]
    settings: StudySettings
    release_id: str
    is_simulated: bool

    @property
    def least(self) -> int:
        """Fewest clients that anything is told of."""
        return max(self.settings.feedback.minimum_clients, self.settings.disclosure.minimum_count)

    def span(self, measure: Measure) -> float:
        """Width of the scale of a measure."""
        if measure is Measure.ASKED:
            return 1.0
        return span_of(self.settings.scales[_SATISFACTION if measure is Measure.SATISFACTION else _GUIDANCE])

    def digits(self, measure: Measure) -> int:
        """Decimals of a measure."""
        return digits_of(self.span(measure), self.least)

    def form(self, measure: Measure, unit: str = "") -> Form:
        """How its numbers are printed."""
        return PERCENT if measure is Measure.ASKED else Form(digits=self.digits(measure), unit=unit)


def feedback_page(told: Told) -> Page:
    """Return the page of one therapist."""
    found = {measure: one for measure in _SUBJECTS if (one := _compared(told, measure))}
    leaning, _ = latest(told.figures, Measure.LEANING)
    asks = dict(found)
    if leaning and leaning.period == max(one.now.period for one in found.values()):
        asks[Measure.LEANING] = Compared(leaning, None, Change.FIRST, None)
    items = [_item(told, measure, one, leaning) for measure, one in found.items()]
    drawn = sorted(
        (one for one in told.figures if one.measure is Measure.DISTANCE and one.said is Said.NUMBER),
        key=lambda one: one.period,
    )
    blocks: list[Block] = [bullets(*items)]
    if drawn:
        unit = told.settings.unit(_GUIDANCE)
        blocks.append(fit_picture(drawn, told.span(Measure.DISTANCE), unit, told.digits(Measure.DISTANCE)))
    sections = (
        Section("findings", "Your own clients", tuple(blocks)),
        Section("supervision", "A question for supervision", (paragraph(Strong(question(asks))),)),
        Section("limits", "What this page does not say", _limits(told)),
    )
    return Page(
        document=OwnDocument.FEEDBACK, title="Your clients and your guidance", study=told.settings.study.name,
        question=_QUESTION, audience=AUDIENCE, language=told.settings.report.language, release_id=told.release_id,
        data_cut=max(one.period.last_month for one in told.figures), sections=sections, is_simulated=told.is_simulated,
    )  # fmt: skip


def _compared(told: Told, measure: Measure) -> Compared | None:
    now, before = latest(told.figures, measure)
    return compared(now, before, told.span(measure)) if now else None


def _item(told: Told, measure: Measure, one: Compared, leaning: Figure | None) -> Words:
    """What was found, the number with its range, and the number before."""
    heading = Strong(f"{_SUBJECTS[measure]} {_CHANGES[one.change][measure]}.")
    pieces = [heading, " ", *_sentence(told, measure, one.now).pieces]
    if one.before:
        pieces += [" In ", Given(one.before.period.label, Kind.RELEASE), ": ", *_short(told, one.before), "."]
    if one.by:
        pieces += _by(told, measure, one)
    if measure is Measure.DISTANCE and leaning and leaning.period == one.now.period:
        pieces.append(_LEANINGS[leaning.said])
    return Words(tuple(pieces))


def _by(told: Told, measure: Measure, one: Compared) -> list:
    """The change with its range, told as more or less."""
    value, low, high = one.by
    unit = " percentage points" if measure is Measure.ASKED else ""
    form = Form(digits=0, times=100, unit=unit, is_signed=True) if unit else Form(told.digits(measure), is_signed=True)
    return [" Change: ", Ranged(Estimate(value, low, high, FitStatus.CONVERGED, form)), "."]


def _sentence(told: Told, measure: Measure, now: Figure) -> Words:
    period, clients = Given(now.period.label, Kind.RELEASE), Given(f"{now.clients:,}", Kind.COUNT)
    number = _number(told, now)
    if measure is Measure.SATISFACTION:
        scale = told.settings.scales[_SATISFACTION]
        return say(
            "In {period}, some {n} clients gave {number} on average, from {low} to {high}.", period=period, n=clients,
            number=number, low=Given(f"{scale.minimum:g}"), high=Given(f"{scale.maximum:g}"),
        )  # fmt: skip
    if measure is Measure.DISTANCE:
        return say(
            "In {period}, guidance lay {number} {unit} from the wish, for some {n} clients.", period=period, n=clients,
            number=number, unit=told.settings.unit(_GUIDANCE),
        )  # fmt: skip
    return say(
        "In {period}, it was asked in {number} of sessions, with some {n} clients.", period=period, n=clients,
        number=number,
    )  # fmt: skip


def _number(told: Told, one: Figure) -> Ranged | Given:
    if one.said is Said.NUMBER:
        values = (float(one.value), float(one.low), float(one.high))
        return Ranged(Estimate(*values, FitStatus.CONVERGED, told.form(one.measure)))
    few = f"fewer than {told.settings.disclosure.minimum_count}"
    return Given(few if one.said is Said.FEW else f"all but {few}", Kind.COUNT)


def _short(told: Told, one: Figure) -> tuple:
    return (_number(told, one),) if one.said is Said.NUMBER else (_number(told, one), " of sessions")


def _limits(told: Told) -> tuple[Block, ...]:
    return (
        bullets(
            "It does not rank you, and it knows no other therapist. Nobody else gets it.",
            "Each period has other clients. That a number changed does not show that you worked in another way.",
            "Chance alone makes about one change in twenty look real.",
            say(
                "Nothing is told of fewer than {least} clients, and numbers are rounded, so that nobody can be "
                "recognised.", least=Given(str(told.least)),
            ),
        ),
        note(
            "The range in brackets: the true number probably lies in it. Each client counts the same. A period is told "
            "once, when it is over; what came in later is not in it."
        ),
    )  # fmt: skip
