"""Who people are: passwords, keys, tokens, roles, and the issuers that are trusted."""
