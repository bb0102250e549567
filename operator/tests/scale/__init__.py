"""Thousands of finished runs and hundreds of live ones, on a real API server with its Job controller."""
