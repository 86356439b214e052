"""National data sets: zip archives of CSV tables that belong together (PMHC-MDS, NHS Talking Therapies)."""
