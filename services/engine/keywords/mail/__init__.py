"""Keywords that write to people outside the conversation."""
