"""What scripts did, step by step: for whoever writes them."""
