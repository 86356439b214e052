"""Which two releases are compared."""

from __future__ import annotations

from outcomes.errors import UsageError
from outcomes.release.places import KeptRelease, find_release, kept_releases
from outcomes.study import StudyFolder


def pair_of_releases(study: StudyFolder, before: str = "", after: str = "") -> tuple[KeptRelease, KeptRelease]:
    """Find the two releases that are meant.

    Parameters
    ----------
    study : StudyFolder
    before, after : str
        Ids, or the first letters of them; `after` is the published one where empty, `before` the one that was published
        before that.

    Raises
    ------
    UsageError
        If one of them is not there, or only one release is kept.
    """
    second = find_release(study, after)
    if before:
        return find_release(study, before), second
    earlier = [one for one in kept_releases(study) if one.published_at < second.published_at]
    if not earlier:
        raise UsageError(
            f"No release before {second.release_id} is kept: there is nothing to compare it with",
            "refresh after a change; [retention] in study.toml says how many releases are kept",
        )
    return earlier[-1], second
