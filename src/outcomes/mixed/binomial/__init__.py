"""The binomial mixed model by Laplace's approximation and adaptive quadrature."""
