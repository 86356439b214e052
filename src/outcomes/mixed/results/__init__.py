"""What every fit is: its state, its frozen numbers and one set of verbs."""
