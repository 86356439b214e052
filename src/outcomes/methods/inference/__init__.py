"""Estimates, contrasts and tests that every answer uses."""
