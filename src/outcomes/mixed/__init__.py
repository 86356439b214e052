"""Mixed-effects models fitted inside the database: exact, with lme4's formulas and statsmodels' names."""

from outcomes.mixed.binomial import fit_binomial
from outcomes.mixed.binomial_fit import BinomialFit
from outcomes.mixed.bootstrap import LinearBootstrap, bootstrap_linear
from outcomes.mixed.bootstrap_binomial import BinomialBootstrap, bootstrap_binomial
from outcomes.mixed.cluster_robust import ClusterRobustFit, fit_cluster_robust
from outcomes.mixed.dynamic import DynamicFit, fit_dynamic
from outcomes.mixed.gram import GramData, prepare_linear
from outcomes.mixed.hypotheses import LikelihoodRatio, WaldTest, compare, wald_test
from outcomes.mixed.imputation import impute_linear
from outcomes.mixed.kenward_roger import kenward_roger_cov
from outcomes.mixed.linear import fit_linear
from outcomes.mixed.linear_fit import LinearFit
from outcomes.mixed.profile import profile_intervals
from outcomes.mixed.profile_binomial import profile_binomial_intervals
from outcomes.mixed.refit import refit_linear, shift_outcome
from outcomes.mixed.scores import Scores, score_contributions
from outcomes.mixed.shared_parameter import SharedParameterFit, fit_shared_parameter
from outcomes.mixed.status import FitStatus
from outcomes.mixed.subset import subset

__all__ = [
    "BinomialBootstrap",
    "BinomialFit",
    "ClusterRobustFit",
    "DynamicFit",
    "FitStatus",
    "GramData",
    "LikelihoodRatio",
    "LinearBootstrap",
    "LinearFit",
    "Scores",
    "SharedParameterFit",
    "WaldTest",
    "bootstrap_binomial",
    "bootstrap_linear",
    "compare",
    "fit_binomial",
    "fit_cluster_robust",
    "fit_dynamic",
    "fit_linear",
    "fit_shared_parameter",
    "impute_linear",
    "kenward_roger_cov",
    "prepare_linear",
    "profile_binomial_intervals",
    "profile_intervals",
    "refit_linear",
    "score_contributions",
    "shift_outcome",
    "subset",
    "wald_test",
]
