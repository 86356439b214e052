"""What a pooled fit says, for people and for programs."""

from __future__ import annotations

from pathlib import Path

from outcomes.federation.plan import Plan
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.linear.result import LinearFit
from outcomes.store.files import write_json, write_text

RESULT = "result.json"


def write_result(folder: Path, plan: Plan, fit: LinearFit | BinomialFit) -> Path:
    """Write `result.json` and the same as text beside it; every site gets the same numbers.

    Parameters
    ----------
    folder : Path
        The plan's folder.
    plan : Plan
    fit : LinearFit or BinomialFit

    Returns
    -------
    Path
        The JSON file.
    """
    path = folder / RESULT
    write_json(
        path,
        {
            "plan": plan.id,
            "sites": list(plan.sites),
            "formula": fit.formula,
            "status": fit.status.value,
            "messages": list(fit.messages),
            "log_likelihood": fit.llf,
            "n_rows": fit.nobs,
            "n_missing": fit.n_missing,
            "n_levels": fit.n_groups,
            "fixed": fit.tidy().to_dicts(),
            "theta": fit.theta.tolist(),
            **({"link": plan.link} if plan.link else {"residual_sd": fit.sigma}),
            "random": [
                {"group": block.group, "names": list(block.names), "covariance": block.cov.tolist()}
                for block in fit.variances
            ],
        },
    )
    write_text(
        path.with_suffix(".txt"), f"Pooled over {len(plan.sites)} sites: {', '.join(plan.sites)}\n{fit.summary()}\n"
    )
    return path
