"""History that is missing, fetched once."""
