"""What the spec of a ParameterSweep means: values of a parameter, conditions, lengths of windows. Pure."""
