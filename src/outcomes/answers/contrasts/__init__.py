"""What follows at given distances from the client's preference, and at given amounts of guidance."""
