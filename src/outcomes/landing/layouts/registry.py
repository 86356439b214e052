"""The layouts that are read; a further one is a module, its name in `study/tables/layouts.py` and one line here."""

from __future__ import annotations

from pathlib import Path

from outcomes.landing.layouts.base import Layout, Recognised
from outcomes.landing.layouts.coded import CODED
from outcomes.landing.layouts.fhir.layout import FHIR
from outcomes.landing.layouts.flat import FLAT
from outcomes.landing.layouts.item_rows import ITEMS
from outcomes.landing.layouts.national.iapt import IAPT
from outcomes.landing.layouts.national.pmhc import PMHC
from outcomes.landing.layouts.opened.excel import EXCEL
from outcomes.landing.layouts.opened.spss import SPSS
from outcomes.landing.layouts.qualtrics import QUALTRICS
from outcomes.landing.layouts.redcap import REDCAP
from outcomes.landing.layouts.wide import WIDE
from outcomes.study.tables.layouts import LayoutName

LAYOUTS: dict[LayoutName, Layout] = {
    LayoutName.REDCAP: REDCAP,
    LayoutName.QUALTRICS: QUALTRICS,
    LayoutName.FHIR: FHIR,
    LayoutName.PMHC: PMHC,
    LayoutName.IAPT: IAPT,
    LayoutName.WIDE: WIDE,
    LayoutName.ITEMS: ITEMS,
    LayoutName.CODED: CODED,
    LayoutName.FLAT: FLAT,
}
"""By the value of `format`; the narrowest first, as they are tried on an unknown file."""

TABLES: dict[str, Layout] = {suffix: one for one in (EXCEL, SPSS) for suffix in one.suffixes}
"""Files of which one row is one row, by the ending of their names, where opening them takes a layout."""


def recognise(path: Path) -> tuple[Recognised, ...]:
    """Say what a file looks like, the likeliest first; empty where it looks like a plain table or nothing known.

    Parameters
    ----------
    path : Path
        The file; only its beginning is read, and a damaged one looks like nothing.
    """
    every = dict.fromkeys((*LAYOUTS.values(), *TABLES.values()))
    looks = (layout.recognise(path) for layout in every if layout.recognise)
    return tuple(look for look in looks if look)
