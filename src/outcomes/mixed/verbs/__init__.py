"""What people do with a fit: fitted values, residuals, simulations, effects, tests of terms, plots."""
