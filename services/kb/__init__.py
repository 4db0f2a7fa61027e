"""What a bot knows: documents in, passages out."""
