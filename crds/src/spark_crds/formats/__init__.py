"""The files that rooms exchange, as frozen dataclasses: decodable in a pod without pydantic."""
