"""What is around a study and could stop it: looked at, and said with what to do."""
