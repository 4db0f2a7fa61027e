"""Functions: text, numbers, lists, dates, types."""
