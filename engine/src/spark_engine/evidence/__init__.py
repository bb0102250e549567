"""What a run leaves behind: digests, tables, evidence.json, and their verification."""
