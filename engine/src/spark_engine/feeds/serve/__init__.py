"""What others see of a feed: health, readiness, metrics."""
