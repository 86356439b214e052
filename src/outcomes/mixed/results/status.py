"""How a fit ended, as a value that every table prints."""

from __future__ import annotations

from enum import StrEnum


class FitStatus(StrEnum):
    """State of a fit.

    ``SINGULAR`` means that a variance component (or a combination of random effects) is estimated as zero relative
    to the residual standard deviation, so that units cannot change the verdict. ``APPROXIMATE`` fits rest on estimates
    of what could not be computed exactly, and tell the error of that. ``REFUSED`` fits are raised as
    `outcomes.errors.FitRefused`.
    """

    CONVERGED = "converged"
    SINGULAR = "singular"
    APPROXIMATE = "approximate"
    NOT_CONVERGED = "not_converged"
    REFUSED = "refused"

    @property
    def words(self) -> str:
        """The state as people read it."""
        return self.replace("_", " ")
