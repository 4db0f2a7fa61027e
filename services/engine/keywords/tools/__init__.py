"""Tools: scripts that a model or a person may start with arguments."""
