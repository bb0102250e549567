"""Every metric of SEMANTICS section 8, each with its definition id, its value or the reason for its absence."""
