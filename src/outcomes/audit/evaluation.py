"""What one check found, whoever evaluated it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """What one check found.

    `n_violated` and `n_denominator` are None where the check could not be evaluated; the reason is dropped, because it
    could carry a value.
    """

    success: bool
    n_violated: int | None
    n_denominator: int | None


NOT_EVALUATED = Evaluation(False, None, None)
