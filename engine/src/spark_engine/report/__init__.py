"""The HTML report: one self-contained file, drawn from an artifact directory and nothing else."""
