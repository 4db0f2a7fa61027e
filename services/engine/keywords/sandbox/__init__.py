"""Code in other languages."""
