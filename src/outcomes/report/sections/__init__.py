"""The sections of the report, one module each, in the rooms of their order on the page."""
