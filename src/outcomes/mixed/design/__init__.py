"""From a formula and data to named columns: what is read, how it is coded, which rows take part."""
