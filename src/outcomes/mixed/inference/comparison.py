"""Likelihood-ratio tests of nested fits, and the refusal of fits that cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from outcomes.errors import UsageError
from outcomes.mixed.design.coding import Design
from outcomes.mixed.design.data import VIEW, Source
from outcomes.mixed.design.formula import parse_formula
from outcomes.mixed.results.fit import MixedFit
from outcomes.mixed.results.status import FitStatus

WORSE = 1e-3
"""Rise of the deviance in the larger model that only an optimum which was missed can explain."""

ROUNDING = 1e-10
"""Fall of the deviance, as a share of the log-likelihood, that is none: with a variance of zero the models are the
same, and whether the p-value is a half or one would follow from the order in which numbers were added."""

SAMPLE_ROWS = 5_000
"""Rows on which columns of other names are asked whether they make up one another."""

SPAN_TOLERANCE = 1e-7
"""Share of a column's square that others may leave for it to count as made up of them."""


@dataclass(frozen=True)
class LikelihoodRatio:
    """Comparison of two nested fits.

    Parameters
    ----------
    statistic : float
        Fall of the deviance.
    df : int
        Difference in the number of parameters.
    p_value : float
        Against the reference distribution named in `reference`.
    reference : str
        E.g. ``half chi2(0) + half chi2(1)`` when one variance is tested at its boundary.
    """

    statistic: float
    df: int
    p_value: float
    reference: str

    def __str__(self) -> str:
        return f"chi2 = {self.statistic:.4g} on {self.df} df, p = {self.p_value:.3g} ({self.reference})"


def compare(small: MixedFit, large: MixedFit) -> LikelihoodRatio:
    """Likelihood-ratio test of nested fits, with the boundary's mixture where a variance is tested.

    Adding random effects tests a variance at its boundary: with r columns before, one more has half chi2(r) + half
    chi2(r + 1) (Stram & Lee 1994, doi 10.2307/2533455; r = 0: half chi2(0) + half chi2(1)). For several at once, or
    together with fixed effects, the plain chi2 is used, which is conservative; `reference` says which.

    Parameters
    ----------
    small, large : MixedFit
        The first must be a special case of the second, fitted to the same rows in the same way.

    Raises
    ------
    UsageError
        Other outcomes, rows, kinds of model, links, numbers of nodes or weights; a fit that did not converge or is
        approximate; REML fits with different fixed effects; fits that are not nested. The message says which.

    Notes
    -----
    The rows are compared by what the common columns hold, which reads the data of both fits once. Fits that were
    pickled have left their data behind: of them the number of rows and the outcome's sums are compared.
    """
    for which, fit in (("first", small), ("second", large)):
        if fit.status is FitStatus.NOT_CONVERGED:
            raise UsageError(f"The {which} fit did not converge.", "see fit.messages; simplify the model")
        if fit.status is FitStatus.APPROXIMATE:
            raise UsageError(
                f"The {which} fit is approximate: its likelihood has an error of its own.", "use wald_test(fit, ...)"
            )
    _refuse_other_likelihoods(small, large)
    if small.nobs != large.nobs:
        raise UsageError(
            f"The fits use different rows ({small.nobs} and {large.nobs}).", "prepare both from one population"
        )
    same_fixed = small.names == large.names
    kinds = [getattr(fit, "reml", False) for fit in (small, large)]
    if kinds[0] != kinds[1] or (kinds[0] and not same_fixed):
        raise UsageError(
            "Fits by REML can only be compared when they have the same fixed effects.", "fit both with reml=False"
        )
    df = large.n_parameters - small.n_parameters
    if df <= 0:
        raise UsageError("The second fit must have more parameters than the first.")
    if small.outcome_sums is not None and not np.allclose(small.outcome_sums, large.outcome_sums, rtol=1e-9):
        raise UsageError("The fits use different rows, or outcomes of other values.", "fit both to the same data")
    if small.design is not None and large.design is not None:
        _refuse_other_rows(small.design, large.design)
        _refuse_not_nested(small, large)
    statistic = 2 * (large.llf - small.llf)
    if statistic < -WORSE:
        raise UsageError(
            f"The larger model has the smaller likelihood (by {-statistic / 2:.3g}): a fit missed its optimum.",
            "see fit.optimizer of both",
        )
    if statistic < ROUNDING * abs(large.llf):
        statistic = 0.0
    return _test(statistic, df, small, large, same_fixed)


def _test(statistic: float, df: int, small: MixedFit, large: MixedFit, same_fixed: bool) -> LikelihoodRatio:
    """p-value of the fall against the distribution that fits what was added."""
    added = sum(len(block.names) for block in large.variances) - sum(len(block.names) for block in small.variances)
    if same_fixed and added == 1:
        below = scipy.stats.chi2.sf(statistic, df - 1) if df > 1 else float(statistic <= 0)
        p = (below + scipy.stats.chi2.sf(statistic, df)) / 2
        return LikelihoodRatio(statistic, df, float(p), f"half chi2({df - 1}) + half chi2({df})")
    conservative = ", conservative at the boundary" if added > 0 else ""
    return LikelihoodRatio(statistic, df, float(scipy.stats.chi2.sf(statistic, df)), f"chi2({df}){conservative}")


def _refuse_other_likelihoods(small: MixedFit, large: MixedFit) -> None:
    """Refuse fits whose likelihoods are not on one scale."""
    first, second = (dict(fit.likelihood) for fit in (small, large))
    for word in dict.fromkeys([*first, *second]):
        if first.get(word) != second.get(word):
            raise UsageError(
                f"The fits differ in the {word}: {first.get(word)} and {second.get(word)}.",
                "fit both in the same way; their likelihoods are not on one scale",
            )
    outcomes = [parse_formula(fit.formula).outcome.replace(" ", "") for fit in (small, large)]
    if outcomes[0] != outcomes[1]:
        raise UsageError(
            f"The fits have different outcomes: {outcomes[0]} and {outcomes[1]}.", "compare models of one outcome"
        )


def _refuse_other_rows(small: Design, large: Design) -> None:
    """Refuse fits whose common columns hold other values, where the data are still there."""
    first, second = small.source, large.source
    if first.relation is None or second.relation is None:
        return
    if first.relation is second.relation and small.complete == large.complete:
        return
    common = [name for name in _read(small) if name in _read(large) and first.types[name] == second.types[name]]
    if not common:
        return
    sums = [_content(design.source, common, design.complete) for design in (small, large)]
    if sums[0] != sums[1]:
        raise UsageError(
            "The fits use different rows: the same number, but with other values.",
            "fit both to the rows complete in the columns of both (prepare_linear does)",
        )


def _read(design: Design) -> list[str]:
    """Data columns that a design reads."""
    groups = [name for group in design.groups for name in group]
    return list(dict.fromkeys([*(name for factor in design.factors.values() for name in factor.columns), *groups]))


def _content(source: Source, names: list[str], complete: str) -> int:
    """A number that depends on every value of the columns, but not on the order of the rows."""
    columns = ", ".join(f"cast({source.columns.sql(name)} as varchar)" for name in names)
    sql = f"select cast(sum(hash({columns})::hugeint) as varchar) as total from {VIEW} where {complete}"
    return int(source.query(sql).column("total")[0].as_py())


def _refuse_not_nested(small: MixedFit, large: MixedFit) -> None:
    """Refuse a first fit that is no special case of the second."""
    first, second = small.design, large.design
    missing = [name for name in small.names if name not in large.names]
    if missing and not _made_up(first, second, missing, large.names):
        raise UsageError(
            f"The first fit is no special case of the second: {', '.join(missing)} is not among its fixed effects.",
            "compare models that are not nested by aic or bic",
        )
    if lost := getattr(small, "residual_terms", frozenset()) - getattr(large, "residual_terms", frozenset()):
        raise UsageError(
            f"The first fit is no special case of the second: it alone has {', '.join(sorted(lost))}.",
            "compare models that are not nested by aic or bic",
        )
    if first.offset != second.offset:
        raise UsageError("The fits have different offsets.", "compare models that are not nested by aic or bic")
    for block in small.variances:
        homes = [other for other in large.variances if set(other.group.split(":")) == set(block.group.split(":"))]
        if any(set(block.names) <= set(home.names) for home in homes):
            continue
        if any(_made_up(first, second, list(block.names), home.names) for home in homes):
            continue
        raise UsageError(
            f"The first fit is no special case of the second: its random effects {', '.join(block.names)} of "
            f"{block.group} are not in one bracket there.",
            "compare models that are not nested by aic or bic",
        )


def _made_up(small: Design, large: Design, names: list[str], of: tuple[str, ...]) -> bool:
    """Whether columns of the first design are combinations of columns of the second, on a sample of the rows."""
    source = small.source
    if source.relation is None or any(name not in source.types for name in large.predictors):
        return False
    selected = [f"{small.columns[name]} as a{i}" for i, name in enumerate(names)]
    selected += [f"{large.columns[name]} as b{i}" for i, name in enumerate(of)]
    inner = f"select {', '.join(selected)} from {VIEW} where {small.complete}"
    table = source.query(f"select * from ({inner}) using sample reservoir({SAMPLE_ROWS} rows) repeatable (1)")
    A, B = (
        np.column_stack([table.column(f"{letter}{i}").to_numpy() for i in range(count)])
        for letter, count in (("a", len(names)), ("b", len(of)))
    )
    B = B / np.maximum(np.linalg.norm(B, axis=0), 1e-300)
    left = A - B @ np.linalg.lstsq(B, A, rcond=None)[0]
    return bool(np.all(np.square(left).sum(axis=0) <= SPAN_TOLERANCE * np.square(A).sum(axis=0)))
