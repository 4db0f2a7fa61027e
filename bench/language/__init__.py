"""Benchmarks of the language: parsing, computing, waiting."""
