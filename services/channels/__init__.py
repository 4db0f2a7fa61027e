"""Where people are: channels, messages in, replies out."""
