"""What a feed says of itself over HTTP: health, symbols, probes, metrics. Reads values, changes nothing."""
