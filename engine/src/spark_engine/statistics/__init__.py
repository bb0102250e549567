"""Every metric of SEMANTICS section 8: its definition, and its value or the reason for its absence."""
