"""Venues: one small module each, behind `spark_engine.feeds.provider`."""
