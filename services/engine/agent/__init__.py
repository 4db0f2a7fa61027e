"""What answers when no program waits: knowledge and a model."""
