"""Is the best level of guidance the same for all clients, or relative to what a client is used to?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from outcomes.methods.inference.contrasts import WaldTest, check_coefficients, wald_test

TERMS = ("w", "m", "w2", "m2", "wm")
"""Order of the coefficients: within, client mean, their squares, their product."""


@dataclass(frozen=True)
class OptimumKind:
    """Wald tests of the two hypotheses about an optimum; a small p speaks against the hypothesis.

    Attributes
    ----------
    absolute : WaldTest
        One optimum on the scale of d = w + m: coef(wm) = 2 coef(w2) and coef(m2) = coef(w2).
    relative : WaldTest
        An optimum around the client's own usual level: coef(wm) = 0 and coef(m2) = 0.
    """

    absolute: WaldTest
    relative: WaldTest


def optimum_kind(beta: ArrayLike, covariance: ArrayLike, df_den: float = np.inf) -> OptimumKind:
    """Test an absolute and a relative optimum in y ~ w + m + w^2 + m^2 + w:m.

    With d = w + m, -c (d - k)^2 expands to coefficients of w^2, m^2 and w:m in the ratio 1 : 1 : 2, while -c w^2 has no
    m^2 and no w:m. Restrictions of a quadratic are tested as in Edwards & Parry 1993 (doi 10.2307/256822).

    Parameters
    ----------
    beta : array_like, shape (5,)
        Coefficients in the order of `TERMS`, w and m in the same unit.
    covariance : array_like, shape (5, 5)
    df_den : float
        Denominator degrees of freedom; infinite gives chi-square tests.
    """
    beta = check_coefficients(beta, len(TERMS))
    absolute = [[0, 0, -2, 0, 1], [0, 0, -1, 1, 0]]
    relative = [[0, 0, 0, 0, 1], [0, 0, 0, 1, 0]]
    return OptimumKind(
        absolute=wald_test(absolute, beta, covariance, df_den=df_den),
        relative=wald_test(relative, beta, covariance, df_den=df_den),
    )
