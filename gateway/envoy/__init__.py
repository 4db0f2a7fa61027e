"""Turns the descriptor set and the settings into Envoy's configuration, and the descriptor set into OpenAPI."""
