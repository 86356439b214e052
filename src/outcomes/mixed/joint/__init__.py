"""Ratings and dropout in one model with shared effects."""
