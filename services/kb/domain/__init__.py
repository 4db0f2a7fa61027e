"""Parsing, cutting, words, ranking: without wires."""
