"""Who is talking and what was said: identities, sessions, the message ledger, variables."""
