"""What is handed out: brief, report and annex, each made of sections from one source and the same findings."""
