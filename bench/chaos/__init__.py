"""Processes are killed and paused while people talk; a checker reads what is left."""
