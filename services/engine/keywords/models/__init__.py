"""Models: prompts, rewriting, classifying, pictures, speech."""
