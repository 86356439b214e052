"""Where an effect turns: parabolas, two lines, splines, response surfaces."""
