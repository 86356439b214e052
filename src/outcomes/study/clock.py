"""The present, as a study sees it: its own history does not run backwards where the machine's clock was set back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from outcomes.errors import OutcomesError
from outcomes.store.files import read_json
from outcomes.study.folder import StudyFolder


def present(study: StudyFolder) -> datetime:
    """Return the time (UTC): the machine's, or a second after the published release where that is later.

    So a newer release is never dated before an older one, and retention takes the right one for the oldest.
    """
    machine, last = datetime.now(UTC), _last_publication(study)
    return machine if last is None else max(machine, last + timedelta(seconds=1))


def today(study: StudyFolder) -> date:
    """Return the day (local): the machine's, or that of the published release where that is later."""
    machine, last = date.today(), _last_publication(study)
    return machine if last is None else max(machine, last.date())


def _last_publication(study: StudyFolder) -> datetime | None:
    """When the published release was published; None where there is none that can be read."""
    try:
        return datetime.fromisoformat(read_json(study.current / "manifest.json")["published_at"])
    except (OutcomesError, OSError, ValueError, KeyError, TypeError):
        return None
