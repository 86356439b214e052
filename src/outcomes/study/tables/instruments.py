"""How `study.toml` says which columns are the items of a questionnaire, and which scale their score becomes."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from outcomes.errors import UsageError
from outcomes.scoring.instruments import instrument as find_instrument
from outcomes.scoring.rules import Instrument, ScaleRule
from outcomes.study.tables.base import Part
from outcomes.study.tables.scales import Scale

ITEM = "{item}"


class ScoredScale(Part):
    """A scale whose score is made of the items of a questionnaire."""

    instrument: str = Field(description="Id of the questionnaire (docs/instruments.md)", examples=['"PHQ-9"'])
    scale: str = Field(
        "", description="Which of its scores; not needed where it has one", examples=['"autonomy_support_short"']
    )
    items: str = Field(
        "",
        description="The items' columns: a name in which `{item}` stands for the number on the form",
        examples=['"phq9_{item}"'],
    )
    columns: tuple[str, ...] = Field(
        (),
        description="The items' columns one by one, in the order of the form, where no pattern fits them",
        examples=['["little_interest", "feeling_down"]'],
    )
    sd_before: float | None = Field(
        None,
        gt=0,
        description="SD at intake in the study's own population, for reliable change; goes before the registry's",
        examples=["6.1"],
    )
    reliability: float | None = Field(
        None, ge=0, lt=1, description="Reliability, for reliable change; goes before the registry's", examples=["0.87"]
    )

    @model_validator(mode="after")
    def _is_known(self) -> ScoredScale:
        try:
            n_items, _ = self.known.n_items, self.rule
        except UsageError as unknown:
            raise ValueError(f"{unknown.message} Try: {unknown.hint}") from None
        if bool(self.items) == bool(self.columns):
            raise ValueError("say where the items stand: either items with a pattern, or columns with all of them")
        if self.items and ITEM not in self.items:
            raise ValueError(f"items must have {ITEM} where the number of the item stands")
        if self.columns and len(self.columns) != n_items:
            raise ValueError(f"{self.instrument} has {n_items} items, but columns names {len(self.columns)}")
        if (self.sd_before is None) != (self.reliability is None):
            raise ValueError("sd_before and reliability are needed both, or neither")
        return self

    @property
    def known(self) -> Instrument:
        """The questionnaire, from the registry."""
        return find_instrument(self.instrument)

    @property
    def rule(self) -> ScaleRule:
        """How its items become the score."""
        return self.known.scale(self.scale or None)

    @property
    def item_names(self) -> tuple[tuple[str, ...], ...]:
        """Names that the column of each item may have, in the order of the form."""
        if self.columns:
            return tuple((name,) for name in self.columns)
        return tuple(
            tuple(dict.fromkeys((self.items.replace(ITEM, str(n)), self.items.replace(ITEM, f"{n:02}"))))
            for n in range(1, self.known.n_items + 1)
        )

    @property
    def spread(self) -> tuple[float, float] | None:
        """SD at intake and reliability: the study's own, else the registry's; None where either is not known."""
        sd = self.rule.sd_before if self.sd_before is None else self.sd_before
        reliability = self.rule.reliability if self.reliability is None else self.reliability
        return None if sd is None or reliability is None else (sd, reliability)


def refuse_impossible_scores(instruments: Mapping[str, ScoredScale], scales: Mapping[str, Scale]) -> None:
    """Refuse scores whose scale is not declared, or declared with another range than the items can make.

    Raises
    ------
    ValueError
        With the scale's place in the study file and what to do.
    """
    for name, scored in instruments.items():
        low, high = scored.known.range_of(scored.rule)
        what = f"{scored.instrument} ({scored.rule.name})"
        if name not in scales:
            raise ValueError(
                f"[instruments.{name}] feeds a scale that is not declared; add [scales.{name}] with minimum = {low:g}, "
                f"maximum = {high:g}, the range of {what}, and rater"
            )
        if (scales[name].minimum, scales[name].maximum) != (low, high):
            raise ValueError(f"[scales.{name}] must have minimum = {low:g} and maximum = {high:g}, as {what} has")
