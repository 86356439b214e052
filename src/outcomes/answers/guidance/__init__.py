"""What guidance goes with."""
