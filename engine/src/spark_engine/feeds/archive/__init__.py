"""What is kept: append-only partitions, written so that a crash at any point loses nothing acknowledged."""
