"""One run from spec to artifacts: what is honoured, the settings, the execution, the store."""
