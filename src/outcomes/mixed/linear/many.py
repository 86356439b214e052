"""Many specifications of the same rows with the same random effects, each from where the last one ended.

They differ in their fixed effects only: grouping factors are prepared once, and the optimum moves little, so that a few
steps by the last one's second derivatives lead to the next. Every optimum is proved by second derivatives of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from outcomes.errors import FitRefused
from outcomes.mixed.linear.fit import fit_crossproducts
from outcomes.mixed.linear.gram import GramData
from outcomes.mixed.linear.result import LinearFit


def fit_many(
    formulas: Sequence[str], gram: GramData, start: LinearFit | None = None, *, reml: bool = True
) -> Iterator[LinearFit | FitRefused]:
    """Fit specifications that differ in their fixed effects only.

    Parameters
    ----------
    formulas : sequence of str
        With the same random terms.
    gram : GramData
        Holds the columns of all of them.
    start : LinearFit, optional
        With the same random terms, of much the same rows.
    reml : bool

    Yields
    ------
    LinearFit or FitRefused
        One a formula, in order: the fit, or why it was refused. One at a time, because each holds the cross-products of
        its clients.
    """
    for formula in formulas:
        try:
            fit = fit_crossproducts(formula, gram, reml=reml, start=start)
        except FitRefused as refusal:
            yield refusal
            continue
        yield fit
        start = fit if fit.optimizer.is_converged else start
