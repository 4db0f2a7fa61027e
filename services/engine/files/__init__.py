"""The drive of a bot as its scripts see it, and documents made from data."""
