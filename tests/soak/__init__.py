"""A feed under an hour of faults, compared with what the exchange knows to have happened."""
