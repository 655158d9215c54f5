"""Finding what differs."""
