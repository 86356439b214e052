"""A web page for the study, on this machine only: it reads, and changes nothing."""
