"""One function an operation."""
