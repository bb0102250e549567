"""REST requests within the limits of a venue."""
