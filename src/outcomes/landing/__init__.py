"""The door of a study: source files come in as typed batches, or stay out with a reason.

What lands is imported when it is first asked for: a look at a file needs the rules and not the tables of all layouts.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from outcomes.landing.inbox import land_file, land_inbox
    from outcomes.landing.results import Landed, LandingReport, Refused, Skipped, n_files

__all__ = ["Landed", "LandingReport", "Refused", "Skipped", "land_file", "land_inbox", "n_files"]

_HOMES = {"land_file": "inbox", "land_inbox": "inbox"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'results')}"), name)
