"""Prefect flows: they arrange the steps and compute nothing."""
