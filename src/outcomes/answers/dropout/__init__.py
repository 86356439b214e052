"""Guidance and dropout."""
