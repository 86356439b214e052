"""Questionnaires: what instruments there are, how items become scores, and when a change of score is reliable."""
