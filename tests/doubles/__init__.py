"""Doubles of what others run, on their real wire."""
