"""What the links of a hazard are called; a study file names one without loading what they compute with."""

LINK_NAMES = ("logit", "cloglog", "probit")
