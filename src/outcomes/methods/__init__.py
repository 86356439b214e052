"""Methods of the field as pure functions."""
