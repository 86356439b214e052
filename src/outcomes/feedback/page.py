"""One therapist's page: own clients against own past, and one question. It knows no other therapist and no client."""

from __future__ import annotations

from dataclasses import dataclass

from outcomes.feedback.changes import Change, Compared, compared, latest, question
from outcomes.feedback.figures import Figure, Measure, Said, digits_of, span_of
from outcomes.feedback.picture import fit_picture
from outcomes.languages import as_written, count, later, spoken, spoken_in, translated
from outcomes.mixed import FitStatus
from outcomes.report.page.blocks import Block, Page, Section, bullets, note, paragraph
from outcomes.report.page.pieces import (
    PERCENT,
    PERCENT_POINTS,
    Estimate,
    Form,
    Given,
    Kind,
    Piece,
    Ranged,
    Strong,
    Words,
    say,
)
from outcomes.study.settings import StudySettings
from outcomes.study.tables.delivery import OwnDocument

AUDIENCE = later("you alone")
_QUESTION = later("How do your own clients do, compared with your own clients before?")
_SATISFACTION, _GUIDANCE = "satisfaction", "directiveness"

_HEADINGS = {
    Measure.SATISFACTION: {
        Change.HIGHER: later("Your clients' rating of their sessions was probably higher than before."),
        Change.LOWER: later("Your clients' rating of their sessions was probably lower than before."),
        Change.ALIKE: later("Your clients' rating of their sessions was about as before."),
        Change.UNSURE: later("Your clients' rating of their sessions may have changed or not: we cannot tell."),
        Change.FIRST: later(
            "Your clients' rating of their sessions is told for the first time: there is no past to compare with."
        ),
    },
    Measure.DISTANCE: {
        Change.HIGHER: later("The distance of guidance from what your clients wish was probably larger than before."),
        Change.LOWER: later("The distance of guidance from what your clients wish was probably smaller than before."),
        Change.ALIKE: later("The distance of guidance from what your clients wish was about as before."),
        Change.UNSURE: later(
            "The distance of guidance from what your clients wish may have changed or not: we cannot tell."
        ),
        Change.FIRST: later(
            "The distance of guidance from what your clients wish is told for the first time: there is no "
            "past to compare with."
        ),
    },
    Measure.ASKED: {
        Change.HIGHER: later("Asking how guidance feels was probably more common than before."),
        Change.LOWER: later("Asking how guidance feels was probably less common than before."),
        Change.ALIKE: later("Asking how guidance feels was about as before."),
        Change.UNSURE: later("Asking how guidance feels may have changed or not: we cannot tell."),
        Change.FIRST: later("Asking how guidance feels is told for the first time: there is no past to compare with."),
    },
}
_LEANINGS = {
    Said.MORE: later("On the whole they probably got more guidance than they wish."),
    Said.LESS: later("On the whole they probably got less guidance than they wish."),
    Said.NEITHER: later("Whether they got more or less than they wish on the whole, we cannot tell."),
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
    found = {measure: one for measure in _HEADINGS if (one := _compared(told, measure))}
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
        unit = translated(told.settings.unit(_GUIDANCE))
        blocks.append(fit_picture(drawn, told.span(Measure.DISTANCE), unit, told.digits(Measure.DISTANCE)))
    sections = (
        Section("findings", spoken("Your own clients"), tuple(blocks)),
        Section("supervision", spoken("A question for supervision"), (paragraph(Strong(question(asks))),)),
        Section("limits", spoken("What this page does not say"), _limits(told)),
    )
    return Page(
        document=OwnDocument.FEEDBACK, title=spoken("Your clients and your guidance"), study=told.settings.study.name,
        question=translated(_QUESTION), audience=translated(AUDIENCE), language=spoken_in().tag,
        release_id=told.release_id,
        data_cut=max(one.period.last_month for one in told.figures), sections=sections, is_simulated=told.is_simulated,
    )  # fmt: skip


def _compared(told: Told, measure: Measure) -> Compared | None:
    now, before = latest(told.figures, measure)
    return compared(now, before, told.span(measure)) if now else None


def _item(told: Told, measure: Measure, one: Compared, leaning: Figure | None) -> Words:
    """What was found, the number with its range, and the number before."""
    pieces: list[Piece] = [Strong(translated(_HEADINGS[measure][one.change])), " "]
    pieces += _sentence(told, measure, one.now).pieces
    if one.before:
        pieces += [" ", *_before(told, one.before).pieces]
    if one.by:
        pieces += [" ", *say("Change: {by}.", by=_by(told, measure, one.by)).pieces]
    if measure is Measure.DISTANCE and leaning and leaning.period == one.now.period:
        pieces += [" ", translated(_LEANINGS[leaning.said])]
    return Words(tuple(pieces))


def _by(told: Told, measure: Measure, by: tuple[float, float, float]) -> Ranged:
    """The change with its range, told as more or less."""
    form = Form(told.digits(measure), is_signed=True)
    if measure is Measure.ASKED:
        form = Form(digits=0, times=100, unit=PERCENT_POINTS.unit, is_signed=True)
    return Ranged(Estimate(*by, FitStatus.CONVERGED, form))


def _before(told: Told, before: Figure) -> Words:
    """The number of the period before."""
    period = Given(before.period.label, Kind.RELEASE)
    if before.said is Said.NUMBER:
        return say("In {period}: {number}.", period=period, number=_number(told, before))
    return say("In {period}: {number} of sessions.", period=period, number=_number(told, before))


def _sentence(told: Told, measure: Measure, now: Figure) -> Words:
    period, clients = Given(now.period.label, Kind.RELEASE), Given(count(now.clients), Kind.COUNT)
    number = _number(told, now)
    if measure is Measure.SATISFACTION:
        scale = told.settings.scales[_SATISFACTION]
        return say(
            "In {period}, some {n} clients gave {number} on average, from {low} to {high}.", period=period, n=clients,
            number=number, low=Given(as_written(scale.minimum)), high=Given(as_written(scale.maximum)),
        )  # fmt: skip
    if measure is Measure.DISTANCE:
        return say(
            "In {period}, guidance lay {number} {unit} from the wish, for some {n} clients.", period=period, n=clients,
            number=number, unit=translated(told.settings.unit(_GUIDANCE)),
        )  # fmt: skip
    return say(
        "In {period}, it was asked in {number} of sessions, with some {n} clients.", period=period, n=clients,
        number=number,
    )  # fmt: skip


def _number(told: Told, one: Figure) -> Ranged | Given:
    if one.said is Said.NUMBER:
        values = (float(one.value), float(one.low), float(one.high))
        return Ranged(Estimate(*values, FitStatus.CONVERGED, told.form(one.measure)))
    least = count(told.settings.disclosure.minimum_count)
    if one.said is Said.FEW:
        return Given(spoken("fewer than {least}", least=least), Kind.COUNT)
    return Given(spoken("all but fewer than {least}", least=least), Kind.COUNT)


def _limits(told: Told) -> tuple[Block, ...]:
    return (
        bullets(
            spoken("It does not rank you, and it knows no other therapist. Nobody else gets it."),
            spoken(
                "Each period has other clients. That a number changed does not show that you worked in another way."
            ),
            spoken("Chance alone makes about one change in twenty look real."),
            say(
                "Nothing is told of fewer than {least} clients, and numbers are rounded, so that nobody can be "
                "recognised.", least=Given(count(told.least)),
            ),
        ),
        note(
            spoken(
                "The range in brackets: the true number probably lies in it. Each client counts the same. A period is "
                "told once, when it is over; what came in later is not in it."
            )
        ),
    )  # fmt: skip
