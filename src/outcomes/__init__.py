"""Practice-outcome research: therapist directiveness, client satisfaction and dropout."""
