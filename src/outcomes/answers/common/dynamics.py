"""What all answers that follow sessions in time share: one course of therapy is one series."""

from __future__ import annotations

from dataclasses import replace

from outcomes.mixed import DynamicFit

SERIES = "episode_id"
"""What a client came back with later is not the next session."""

TIME = ("attended_number", "log_session")
"""A course over a therapy: a line in the session's number and one in its logarithm. The first counts the sessions."""

ROBUST_THERAPISTS = 30
"""Therapists from which standard errors are robust to clients and therapists who differ in their slopes; below, the
sandwich itself is too uncertain (field guide, section 1b), and the model's own errors are used."""


def with_errors(fit: DynamicFit, n_tested: int = 1) -> DynamicFit:
    """Robust errors with enough therapists, scaled so that the inverse of `n_tested` dimensions is unbiased.

    The sandwich of J clusters is close to a Wishart matrix on J - 1 degrees of freedom; the inverse of one of k
    dimensions is too large by (J - 1) / (J - k - 2) on average (Hotelling's T-square corrects the same).
    """
    therapists = fit.n_groups["therapist_id"]
    if therapists < ROBUST_THERAPISTS:
        return fit
    robust = fit.robust()
    return replace(robust, vcov=robust.vcov * (therapists - 1) / (therapists - n_tested - 2))
