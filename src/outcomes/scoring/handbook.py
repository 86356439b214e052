"""The registry of instruments as a page of the docs; `python -m outcomes.scoring.handbook` prints it."""

from __future__ import annotations

from outcomes.scoring.instruments import INSTRUMENTS
from outcomes.scoring.rules import Combine, Instrument, ScaleRule

_INTRODUCTION = """\
# Instruments

Questionnaires whose items become scores ([item responses](recipes/item-responses.md)). Ids, ranges and rules only: the
wording of items is copyrighted, and is not here.

- A score keeps its instrument and the version of its rules; the version changes when a rule does.
- Reversed items count as lowest + highest answer - answer. Where items may be missing, the score is pro-rated: the mean
  of the answered ones stands in for them. With more missing there is no score.
- A dash means that no value is known to us for sure; none was guessed. Where SD and reliability are missing, a study
  declares those of its own population in `[instruments.<scale>]`; where nothing is known, no change is called reliable.
- An instrument without a key (no published total, or a key that we do not have) is not scored: land its scored scale.

Generated: `python -m outcomes.scoring.handbook > docs/instruments.md`.

| id | title | answers | whole numbers | licence | source |
|---|---|---|---|---|---|
"""
_SCALES = """
## Scores

| id | scale | items | score | reversed | may lack | range | cutoffs | reliable change | SD, reliability |
|---|---|---|---|---|---|---|---|---|---|
"""
_NONE = "–"


def registry_page() -> str:
    """Return the registry as Markdown."""
    rows = "".join(_instrument(entry) for entry in INSTRUMENTS)
    scales = "".join(_scale(entry, scale) for entry in INSTRUMENTS for scale in entry.scales)
    return _INTRODUCTION + rows + _SCALES + scales


def _instrument(entry: Instrument) -> str:
    key = "" if entry.scales else "; no key here"
    return (
        f"| {entry.instrument_id} | {entry.title}{key} | {entry.n_items} of {entry.item_min} to {entry.item_max} | "
        f"{'yes' if entry.has_whole_answers else 'no'} | {entry.licence} | {entry.source} |\n"
    )


def _scale(entry: Instrument, rule: ScaleRule) -> str:
    low, high = entry.range_of(rule)
    times = f" x {rule.multiplier:g}" if rule.multiplier != 1 else ""
    how = ("sum" if rule.combine is Combine.SUM else "mean") + times
    items = "all" if len(rule.items) == entry.n_items else ", ".join(map(str, rule.items))
    cutoffs = "; ".join(f"{meaning} {value:g}" for meaning, value in rule.cutoffs) or _NONE
    known = rule.sd_before is not None and rule.reliability is not None
    spread = f"{rule.sd_before:g}, {rule.reliability:g}" if known else _NONE
    change = _NONE if rule.reliable_change is None else f"{rule.reliable_change:g}"
    reverse = ", ".join(map(str, rule.reversed_items)) or "none"
    return (
        f"| {entry.instrument_id} | `{rule.name}` | {items} | {how} | {reverse} | {rule.max_missing} | "
        f"{low:g} to {high:g} | {cutoffs} | {change} | {spread} |\n"
    )


if __name__ == "__main__":
    print(registry_page(), end="")
