"""Built-in strategies: one table declares them, one module each decides."""
