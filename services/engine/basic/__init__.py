"""BASIC: text in, program out. Knows nothing of how programs run."""
