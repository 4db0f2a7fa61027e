"""Completion providers, a file a vendor."""
