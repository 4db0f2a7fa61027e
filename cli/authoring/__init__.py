"""Scripts played on this machine: for whoever writes them, without a stack."""
