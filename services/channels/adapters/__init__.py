"""A folder for each kind of channel; registry.py finds them."""
