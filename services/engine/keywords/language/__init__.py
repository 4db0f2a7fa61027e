"""The words of the language itself, for the manual and completion; the parser has them built in."""
