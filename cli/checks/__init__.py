"""Checks of the house rules that no linter has."""
