"""Speed as ratios: both sides run in one process, interleaved, so that the machine's mood cancels out."""
