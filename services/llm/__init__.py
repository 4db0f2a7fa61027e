"""One door to every model: completions and embeddings."""
