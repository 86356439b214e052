"""Mixed-effects models fitted inside the database: exact, with lme4's formulas and statsmodels' names."""

from outcomes.mixed.binomial import fit_binomial
from outcomes.mixed.binomial_fit import BinomialFit
from outcomes.mixed.gram import GramData, prepare_linear
from outcomes.mixed.linear import fit_linear
from outcomes.mixed.linear_fit import LinearFit
from outcomes.mixed.status import FitStatus

__all__ = ["BinomialFit", "FitStatus", "GramData", "LinearFit", "fit_binomial", "fit_linear", "prepare_linear"]
