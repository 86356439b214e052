"""From a formula and a table to the sorted rows of the two equations, centred and scaled."""
