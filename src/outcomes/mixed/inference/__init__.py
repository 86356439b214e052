"""Tests, profiles and bootstraps of fitted models."""
