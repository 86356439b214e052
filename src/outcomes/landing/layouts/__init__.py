"""Layouts: foreign exports become tidy rows under their own column names; then they are files like any other."""
