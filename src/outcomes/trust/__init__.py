"""What keeps the study trusted: audit trail, verification, withdrawal, de-identification, retention."""
