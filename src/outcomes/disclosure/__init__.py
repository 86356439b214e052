"""Disclosure control: small numbers are not told, nor are small changes of what was told before.

The thresholds come from the study (`[disclosure]` in `study.toml`). Counts of people, episodes and sessions pass
through here before a report sees them; minimum and maximum of a variable never do.
"""

from outcomes.disclosure.bins import even_bins
from outcomes.disclosure.counts import Reason, Shown, estimates_may_be_shown, is_group
from outcomes.disclosure.shown import shown_count, shown_cross, shown_percent, shown_table, shown_text
from outcomes.disclosure.tables import ShownCross, ShownTable, Table
from outcomes.disclosure.teller import Teller

__all__ = [
    "Reason", "Shown", "ShownCross", "ShownTable", "Table", "Teller",
    "estimates_may_be_shown", "even_bins", "is_group",
    "shown_count", "shown_cross", "shown_percent", "shown_table",
    "shown_text",
]  # fmt: skip
