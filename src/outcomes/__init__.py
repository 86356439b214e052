"""Practice-outcome research: therapist directiveness, client satisfaction and dropout.

For researchers::

    import outcomes

    study = outcomes.open("my-study")
    study.verdicts
    study.sql("select * from mart_sessions").pl()
    study.fit("satisfaction ~ directiveness_within + (1 | client_id) + (1 | therapist_id)")
    study.plot.surface()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.on_demand import on_demand

if TYPE_CHECKING:
    from outcomes.door.fits import OwnFit
    from outcomes.door.release import Release
    from outcomes.door.study import Study
    from outcomes.door.study import open_study as open
    from outcomes.mixed import fit_binomial, fit_linear

__all__ = ["OwnFit", "Release", "Study", "fit_binomial", "fit_linear", "open"]

# What is needed is imported only when it is asked for: `import outcomes` alone takes no time.
_PLACES = {
    "OwnFit": ("outcomes.door.fits", "OwnFit"),
    "Release": ("outcomes.door.release", "Release"),
    "Study": ("outcomes.door.study", "Study"),
    "fit_binomial": ("outcomes.mixed", "fit_binomial"),
    "fit_linear": ("outcomes.mixed", "fit_linear"),
    "open": ("outcomes.door.study", "open_study"),
}

__getattr__, __dir__ = on_demand(__name__, _PLACES)
