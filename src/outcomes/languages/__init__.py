"""The languages that documents speak: sentences by catalogue, numbers and dates by locale.

A sentence is written in English where it is said, in `say(...)` or `spoken(...)`, or in `later(...)` where it is only
kept there. One catalogue a language (`de.po`, or `languages/nl.po` in a study's folder) has what is said instead. The
language is that of the block `with speaking(language):`; outside of one it is English.
"""

from outcomes.languages.catalogue import FOLDER, read_language
from outcomes.languages.speaking import (
    ENGLISH,
    Language,
    as_written,
    count,
    decimal,
    later,
    moment,
    month,
    month_alone,
    percent,
    speaking,
    spoken,
    spoken_in,
    translated,
)

__all__ = [
    "ENGLISH", "FOLDER", "Language", "as_written", "count", "decimal", "later", "moment", "month", "month_alone",
    "percent", "read_language", "speaking", "spoken", "spoken_in", "translated",
]  # fmt: skip
