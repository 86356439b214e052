"""Too little, too much, or fit to the client."""
