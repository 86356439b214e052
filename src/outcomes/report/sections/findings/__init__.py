"""The answers themselves: dropout, satisfaction, fit to the client, connection, therapists."""
