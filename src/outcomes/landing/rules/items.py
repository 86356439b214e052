"""Columns that are the items of a questionnaire: what is read of them, and the SQL of the score that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outcomes.contract import Column, Kind, Refusal, Role, ValueType
from outcomes.landing.formats.source_rows import text_literal
from outcomes.landing.refusal import FileRefused, listed
from outcomes.scoring.rules import Combine
from outcomes.study.settings import StudySettings
from outcomes.study.tables.instruments import ScoredScale
from outcomes.study.tables.scales import Scale


@dataclass(frozen=True)
class ItemColumn:
    """One item of the file: its place there, and what it may hold."""

    place: int
    column: Column
    scale: Scale


@dataclass(frozen=True)
class ItemScore:
    """How a file's items make the score of one scale.

    Attributes
    ----------
    scored : ScoredScale
        What the study says.
    items : tuple of ItemColumn
        The items that the score is made of, in the order of the rule.
    every : tuple of ItemColumn
        All items of the questionnaire that the file has: each is checked, whether the score needs it or not.
    """

    scored: ScoredScale
    items: tuple[ItemColumn, ...]
    every: tuple[ItemColumn, ...]

    @property
    def n_answered(self) -> str:
        """SQL: how many of its items were answered."""
        return " + ".join(f"cast(v_{one.column.name} is not null as integer)" for one in self.items)

    @property
    def total(self) -> str:
        """SQL: the sum of the answers as they count, those to reversed items turned."""
        turned = self.scored.known.item_min + self.scored.known.item_max
        answers = (f"v_{one.column.name}" for one in self.items)
        counted = (
            f"{turned} - {answer}" if number in self.scored.rule.reversed_items else answer
            for number, answer in zip(self.scored.rule.items, answers, strict=True)
        )
        return " + ".join(f"coalesce({answer}, 0)" for answer in counted)

    def value(self, total: str, n_answered: str, stored: str) -> str:
        """SQL: the score; a stored total counts only where no item was answered at all."""
        rule, n_items = self.scored.rule, len(self.items)
        times = (n_items if rule.combine is Combine.SUM else 1) * rule.multiplier
        # The product first: a sum of all items is then as exact as its answers.
        score = f"{total} * {times!r} / {n_answered}"
        least = max(n_items - rule.max_missing, 1)
        return f"cast(case when {n_answered} >= {least} then {score} when {n_answered} = 0 then {stored} end as double)"

    def told(self, value: str, n_answered: str, stored: str) -> str:
        """SQL: what a landed row keeps of the way to its score."""
        known = self.scored.known
        return (
            f"{{'instrument': {text_literal(known.instrument_id)}, 'version': {text_literal(known.version)}, "
            f"'n_answered': {n_answered}, 'value': {value}, 'stored': {stored}}}"
        )


def item_names(kind: Kind, settings: StudySettings) -> frozenset[str]:
    """Return all names that columns of items may have in files of a kind, in the form in which names are compared."""
    named = (names for scored in settings.scored(kind).values() for names in scored.item_names)
    return frozenset(name.strip().casefold() for names in named for name in names)


def item_scores(places: Mapping[str, int], kind: Kind, settings: StudySettings) -> dict[str, ItemScore]:
    """Find the items of each scale that is made of them; a scale none of whose items the file has is left out.

    Parameters
    ----------
    places : mapping of str to int
        Places of the columns that are read, by their names in the form in which names are compared.

    Raises
    ------
    FileRefused
        If the file has some of the items that a score needs, and not the others.
    """
    found = {}
    for name, scored in settings.scored(kind).items():
        at: dict[int, int] = {}
        for number, names in enumerate(scored.item_names, start=1):
            for one in names:
                if (place := places.get(one.strip().casefold())) is not None:
                    at.setdefault(number, place)
        if not at:
            continue
        if lacking := [scored.item_names[number - 1][0] for number in scored.rule.items if number not in at]:
            raise FileRefused(
                Refusal.MISSING_COLUMNS,
                f"{scored.known.instrument_id} ({scored.rule.name}) needs {len(scored.rule.items)} items, and the file "
                f"lacks the columns of {len(lacking)}: {listed(lacking)}",
                f"export all its items, or correct [instruments.{name}] of study.toml",
            )
        every = {number: _item(place, scored, settings.scales[name]) for number, place in at.items()}
        found[name] = ItemScore(scored, tuple(every[number] for number in scored.rule.items), tuple(every.values()))
    return found


def _item(place: int, scored: ScoredScale, fed: Scale) -> ItemColumn:
    known = scored.known
    column = Column(
        f"item_{place}",
        ValueType.INTEGER if known.has_whole_answers else ValueType.SCALE,
        Role.TRAIT, "An answer to one item of a questionnaire", minimum=known.item_min, maximum=known.item_max,
        spoken="an item",
    )  # fmt: skip
    return ItemColumn(place, column, Scale(minimum=known.item_min, maximum=known.item_max, rater=fed.rater))
