"""The registry of keywords, and the words of the language."""
