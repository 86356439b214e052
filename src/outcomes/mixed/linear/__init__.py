"""The linear mixed model from cross-products."""
