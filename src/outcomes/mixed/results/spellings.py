"""How lme4 and statsmodels call things that are called otherwise here."""

from __future__ import annotations

from collections.abc import Mapping

from outcomes.errors import UsageError

OPTIONS = {
    "REML": "write reml=True or reml=False",
    "method": "write reml=True or reml=False; the optimiser cannot be chosen",
    "nAGQ": "write nagq=9 (fit_binomial)",
    "family": "the function is the family: fit_linear for gaussian, fit_binomial(..., link='logit') for binomial, "
    "fit_count(..., family='poisson') for counts, fit_ordinal for ordered categories",
    "control": "the optimiser proves its optimum and has no settings; look at fit.optimizer",
    "verbose": "look at fit.optimizer afterwards",
    "subset": "filter the data before",
    "na_action": "rows with a missing value in a column of the model are left out and counted (fit.n_missing)",
    "missing": "rows with a missing value in a column of the model are left out and counted (fit.n_missing)",
    "contrasts": "write the coding into the formula: C(x, Sum)",
    "offset": "write it into the formula: + offset(x)",
    "groups": "write the groups into the formula: + (1 | group)",
    "re_formula": "write the random effects into the formula: + (1 + x | group)",
    "vc_formula": "write the random effects into the formula: + (1 | a) + (1 | b)",
    "exposure": "write it into the formula: + offset(log(x))",
    "random": "write the random effects into the formula: + (1 + x | group)",
    "correlation": "write ar1='session_number' (fit_linear): errors follow one another within a client",
}
"""What to write instead of an option of lme4, nlme or statsmodels."""

VERBS = {
    "fixef": "params",
    "fe_params": "params",
    "coef": "params",
    "ranef": "random_effects(group)",
    "VarCorr": "random_effects_sd",
    "vcov_fixed": "cov_params()",
    "cov_re": "random_effects_sd",
    "residuals": "resid()",
    "fitted": "fittedvalues",
    "confint": "conf_int(), or profile_intervals(fit)",
    "logLik": "llf",
    "loglik": "llf",
    "AIC": "aic",
    "BIC": "bic",
    "deviance": "criterion",
    "converged": "status",
    "isSingular": "status",
    "anova": "test_terms(), or compare(small, large) for two fits",
    "emmeans": "predictions()",
    "margins": "slopes()",
    "get_margeff": "slopes()",
    "t_test": "wald_test(fit, hypothesis)",
    "f_test": "wald_test(fit, hypothesis)",
    "wald_test": "wald_test(fit, hypothesis), a function",
    "plot": "plot_diagnostics(), plot_random_effects(group) or plot_effects(x)",
    "sigma2": "sigma, squared",
    "scale": "sigma, squared",
    "bootMer": "bootstrap_linear(fit)",
    "refit": "refit_linear(fit, gram)",
    "update": "fit again with the formula that is wanted",
}
"""What a fit has instead of a verb or attribute of lme4, statsmodels or pymer4."""


def refuse_options(function: str, options: Mapping[str, object]) -> None:
    """Answer options that a function does not have.

    Raises
    ------
    UsageError
        With the option of this engine where there is one.
    """
    for name in options:
        hint = OPTIONS.get(name) or OPTIONS.get(name.lower(), "see the function's documentation for its options")
        raise UsageError(f"{function} has no option {name!r}.", hint)
