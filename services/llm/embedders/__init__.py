"""Embedders, a file a vendor."""
