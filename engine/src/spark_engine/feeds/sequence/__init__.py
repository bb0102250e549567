"""Ticks and books in their true order: duplicates out, late ones in their place, gaps seen. Pure."""
