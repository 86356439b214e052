"""Whether data of this size can answer."""
