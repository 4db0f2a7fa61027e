"""What runs first in the sandbox, in each language: gives the code its `input`, and hands on its `result`."""
