"""The contracts, and what is made of them."""
