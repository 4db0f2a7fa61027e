"""Talking: suggestions, context, files, what is said beside the text."""
