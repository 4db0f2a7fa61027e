"""Keywords that start scripts later."""
