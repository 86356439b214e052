"""The door of a study: source files come in as typed batches, or stay out with a reason."""

from outcomes.landing.inbox import land_file, land_inbox
from outcomes.landing.results import Landed, LandingReport, Refused, Skipped

__all__ = ["Landed", "LandingReport", "Refused", "Skipped", "land_file", "land_inbox"]
