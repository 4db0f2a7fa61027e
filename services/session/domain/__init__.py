"""Rules of the ledger: no input or output."""
