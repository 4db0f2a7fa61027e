"""Keywords that ask other people's servers."""
