"""The answers of a study: the methods of the field joined to a release."""
