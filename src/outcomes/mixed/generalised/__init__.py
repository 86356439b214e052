"""Generalised mixed models by Laplace's approximation and adaptive quadrature, whatever the family."""
