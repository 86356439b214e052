"""A look at source files before they land: what they are, what they would become, the study file to paste."""
