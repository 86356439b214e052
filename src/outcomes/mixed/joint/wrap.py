"""From the optimum in working coordinates to estimates on the formulas' columns."""

from __future__ import annotations

import numpy as np
import polars as pl

from outcomes.mixed.design.coding import INTERCEPT_NAME
from outcomes.mixed.joint.points import CURRENT
from outcomes.mixed.joint.results import SharedParameterFit, Sharing, wald
from outcomes.mixed.joint.rows import JointRows
from outcomes.mixed.layout import JointLayout
from outcomes.mixed.optimise import OptSummary, informed_inverse
from outcomes.mixed.results.status import FitStatus

ZERO_SD = 1e-3
"""Standard deviation relative to the residual's below which a shared effect counts as zero: nothing is left to be
associated with dropout then."""
_ASSOCIATION = {
    "group": pl.String,
    "estimate": pl.Float64,
    "std_error": pl.Float64,
    "effect": pl.String,
    "statistic": pl.Float64,
    "p_value": pl.Float64,
    "conf_low": pl.Float64,
    "conf_high": pl.Float64,
}


def wrap(
    rows: JointRows, groups: tuple[str, ...], layout: JointLayout, story: OptSummary, sharing: Sharing, link: str
) -> SharedParameterFit:
    """Estimates on the formulas' columns, with their covariances, associations and state."""
    free, (of_beta, of_gamma, of_sigma, of_loadings) = layout.free, layout.parts
    psi, covariance = story.final, informed_inverse(story.hessian / 2)
    sigma = float(np.exp(psi[of_sigma].item()))
    loading = {name: float(value) for name, value in zip(free, psi[of_loadings], strict=True)}
    messages: list[str] = []
    associations = _associations(rows, groups, layout, psi, covariance, sigma, messages)
    back, hazard_back = rows.ratings_part.back * rows.y_scale, rows.hazard_part.back
    beta, gamma = back @ psi[of_beta], hazard_back @ psi[of_gamma]
    hazard_vcov = hazard_back @ covariance[of_gamma, of_gamma] @ hazard_back.T
    if rows.y_center:
        beta[rows.ratings_part.names.index(INTERCEPT_NAME)] += rows.y_center
        if CURRENT in free and INTERCEPT_NAME in rows.hazard_part.names:  # the current value counts from 0, too
            place, move = rows.hazard_part.names.index(INTERCEPT_NAME), rows.y_center / rows.y_scale
            gamma[place] -= move * loading[CURRENT]
            slope = np.zeros((len(gamma), len(psi)))
            slope[:, of_gamma] = hazard_back
            slope[place, layout.at(CURRENT)] = -move
            hazard_vcov = slope @ covariance @ slope.T
    dropped = rows.ratings_part.dropped + rows.hazard_part.dropped
    if dropped:
        messages.append(f"Left out as combinations of the other columns: {', '.join(dropped)}.")
    status = FitStatus.SINGULAR if any(row[1] is None for row in associations) else FitStatus.CONVERGED
    if not story.is_converged:
        status = FitStatus.NOT_CONVERGED
        messages.append(f"The optimiser did not settle ({story.message}): do not interpret the estimates.")
    sds, correlations = _spread(rows, groups, loading)
    return SharedParameterFit(
        sharing=sharing,
        link=link,
        names=rows.ratings_part.names,
        beta=beta,
        vcov=back @ covariance[of_beta, of_beta] @ back.T,
        hazard_names=rows.hazard_part.names,
        gamma=gamma,
        hazard_vcov=hazard_vcov,
        association=pl.DataFrame(associations, schema=_ASSOCIATION, orient="row"),
        standard_deviations=sds,
        correlations=correlations,
        sigma=sigma * rows.y_scale,
        log_likelihood=-story.value / 2 - rows.ratings.n_rows * float(np.log(rows.y_scale)),
        n_parameters=len(psi),
        nobs=rows.ratings.n_rows,
        n_events=int(rows.hazard.events.sum()),
        n_groups=dict(zip(groups, (rows.cells.n_clients, rows.cells.n_therapists), strict=False)),
        status=status,
        messages=tuple(messages),
        optimizer=story,
    )


def _spread(
    rows: JointRows, groups: tuple[str, ...], loading: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """Standard deviations by name, and the correlation of a client's intercept and slope."""
    scale = {"s_u": rows.y_scale, "s_v": rows.y_scale, "tau": 1.0}
    scale |= dict.fromkeys(("s_w", "s_s"), rows.y_scale / rows.x_scale)
    words = {"s_u": "{0}", "s_w": "{0} slope", "s_v": "{1}", "s_s": "{1} slope", "tau": "{1} on the hazard"}
    names = (*groups, "")
    sizes = {name: abs(value) for name, value in loading.items()}
    correlations = {}
    if "s_uw" in loading:
        sizes["s_w"] = float(np.hypot(loading["s_uw"], loading["s_w"]))
        if sizes["s_w"] > 0:
            correlations[groups[0]] = float(np.sign(loading["s_u"]) * loading["s_uw"] / sizes["s_w"])
    return {
        text.format(*names): sizes[name] * scale[name] for name, text in words.items() if name in sizes
    }, correlations


def _associations(
    rows: JointRows,
    groups: tuple[str, ...],
    layout: JointLayout,
    psi: np.ndarray,
    covariance: np.ndarray,
    sigma: float,
    messages: list[str],
) -> list[tuple]:
    """One row a shared effect, by the delta method.

    With b0 = s_u u0 and b1 = s_uw u0 + s_w u1 the hazard's a0 b0 + a1 b1 has the loadings lambda_w = a1 s_w and
    lambda_u = a0 s_u + a1 s_uw.
    """
    free, found = layout.free, []
    loading = {name: float(psi[layout.at(name)]) for name in free}

    def told(group: str, effect: Sharing, value: float, by: dict[str, float], unit: float) -> tuple:
        slope = np.zeros(len(psi))
        for name, derivative in by.items():
            slope[layout.at(name)] = derivative
        error = float(np.sqrt(slope @ covariance @ slope))
        (row,) = wald("", [""], np.array([value / unit]), np.array([error / unit])).iter_rows(named=True)
        tests = (row[name] for name in ("statistic", "p_value", "conf_low", "conf_high"))
        return (group, row["estimate"], row["std_error"], str(effect), *tests)

    def missing(group: str, effect: Sharing) -> tuple:
        messages.append(
            f"The variance of {group} in the ratings ({effect}) is zero: nothing that dropout could depend on."
        )
        return (group, None, None, str(effect), None, None, None, None)

    if CURRENT in free:
        return [told(groups[0], Sharing.CURRENT_VALUE, loading[CURRENT], {CURRENT: 1.0}, rows.y_scale)]
    a1, by_a1 = 0.0, {}
    s_w = loading.get("s_w", 0.0)
    if "lambda_w" in free and abs(s_w) >= ZERO_SD * sigma:
        a1 = loading["lambda_w"] / s_w
        by_a1 = {"lambda_w": 1 / s_w, "s_w": -a1 / s_w}
    for group, size, shared in zip(groups, ("s_u", "s_v"), ("lambda_u", "lambda_v"), strict=False):
        if shared in free:
            s = loading[size]
            if abs(s) < ZERO_SD * sigma:
                found.append(missing(group, Sharing.INTERCEPT))
            else:
                s_uw = loading.get("s_uw", 0.0) if shared == "lambda_u" else 0.0
                a0 = (loading[shared] - a1 * s_uw) / s
                by = {shared: 1 / s, size: -a0 / s}
                if s_uw:
                    by |= {name: -s_uw * value / s for name, value in by_a1.items()} | {"s_uw": -a1 / s}
                found.append(told(group, Sharing.INTERCEPT, a0, by, rows.y_scale))
        if shared == "lambda_u" and "lambda_w" in free:
            if by_a1:
                found.append(told(group, Sharing.SLOPE, a1, by_a1, rows.y_scale / rows.x_scale))
            else:
                found.append(missing(group, Sharing.SLOPE))
    return found
