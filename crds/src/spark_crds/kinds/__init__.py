"""The custom resources as pydantic models: the source from which the CRDs are generated."""
