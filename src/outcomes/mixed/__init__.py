"""Mixed-effects models fitted inside the database: exact, with lme4's formulas and statsmodels' names."""

from outcomes.mixed.binomial.places import fit_binomial_partitions
from outcomes.mixed.binomial.result import BinomialFit
from outcomes.mixed.count.fit import fit_count
from outcomes.mixed.count.result import CountFit
from outcomes.mixed.dynamic import (
    CARRY_OVER_OF_GUIDANCE,
    CARRY_OVER_OF_SATISFACTION,
    NEXT_SESSION_SLOPE,
    RESPONSIVENESS,
    DynamicFit,
    fit_dynamic,
)
from outcomes.mixed.dynamic.places.partitioned import fit_dynamic_partitions
from outcomes.mixed.engines import fit_binomial, fit_linear
from outcomes.mixed.inference.bootstrap import Bootstrap
from outcomes.mixed.inference.bootstrap_binomial import (
    GeneralisedDraws,
    NormalDraws,
    are_far_from_zero,
    bootstrap_binomial,
    draw_estimates,
)
from outcomes.mixed.inference.bootstrap_linear import LinearDraws, bootstrap_linear
from outcomes.mixed.inference.comparison import LikelihoodRatio, compare
from outcomes.mixed.inference.hypotheses import HypothesisTest, wald_test
from outcomes.mixed.inference.kenward_roger import kenward_roger_cov
from outcomes.mixed.inference.profile_binomial import profile_binomial_intervals
from outcomes.mixed.inference.profile_linear import profile_intervals
from outcomes.mixed.joint.fit import fit_shared_parameter
from outcomes.mixed.joint.results import SharedParameterFit, Sharing, compare_sharing
from outcomes.mixed.linear.gram import GramData, prepare_linear
from outcomes.mixed.linear.imputation import Imputer, impute_linear
from outcomes.mixed.linear.many import fit_many
from outcomes.mixed.linear.places.partitioned import fit_linear_partitions
from outcomes.mixed.linear.refit import refit_linear, refit_many, shift_outcome
from outcomes.mixed.linear.result import LinearFit
from outcomes.mixed.linear.scores import Scores, score_contributions
from outcomes.mixed.linear.subset import subset
from outcomes.mixed.optimise import OptSummary
from outcomes.mixed.ordinal.fit import fit_ordinal
from outcomes.mixed.ordinal.result import OrdinalFit
from outcomes.mixed.partitions import Partitions, read_partitions, write_partitions
from outcomes.mixed.peers.cluster_robust import ClusterRobustFit, fit_cluster_robust
from outcomes.mixed.residual.result import StructuredFit
from outcomes.mixed.results.status import FitStatus

LinearBootstrap = BinomialBootstrap = Bootstrap  # their names before there was one
WaldTest = HypothesisTest

__all__ = [
    "CARRY_OVER_OF_GUIDANCE",
    "CARRY_OVER_OF_SATISFACTION",
    "NEXT_SESSION_SLOPE",
    "RESPONSIVENESS",
    "BinomialBootstrap",
    "BinomialFit",
    "Bootstrap",
    "ClusterRobustFit",
    "CountFit",
    "DynamicFit",
    "FitStatus",
    "GeneralisedDraws",
    "GramData",
    "HypothesisTest",
    "Imputer",
    "LikelihoodRatio",
    "LinearBootstrap",
    "LinearDraws",
    "LinearFit",
    "NormalDraws",
    "OptSummary",
    "OrdinalFit",
    "Partitions",
    "Scores",
    "SharedParameterFit",
    "Sharing",
    "StructuredFit",
    "WaldTest",
    "are_far_from_zero",
    "bootstrap_binomial",
    "bootstrap_linear",
    "compare",
    "compare_sharing",
    "draw_estimates",
    "fit_binomial",
    "fit_binomial_partitions",
    "fit_cluster_robust",
    "fit_count",
    "fit_dynamic",
    "fit_dynamic_partitions",
    "fit_linear",
    "fit_linear_partitions",
    "fit_many",
    "fit_ordinal",
    "fit_shared_parameter",
    "impute_linear",
    "kenward_roger_cov",
    "prepare_linear",
    "profile_binomial_intervals",
    "profile_intervals",
    "read_partitions",
    "refit_linear",
    "refit_many",
    "score_contributions",
    "shift_outcome",
    "subset",
    "wald_test",
    "write_partitions",
]
