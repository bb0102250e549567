"""One run from spec to artifacts: what is checked, the settings, the execution, the store."""
