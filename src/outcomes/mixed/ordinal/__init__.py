"""Ordered categories: cumulative link mixed models."""
