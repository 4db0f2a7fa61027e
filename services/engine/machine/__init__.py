"""The machine: explicit state and the loop that runs it. Knows no language, does no input or output."""
