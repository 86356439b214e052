"""From cells to typed values, and the rules that a row may break."""
