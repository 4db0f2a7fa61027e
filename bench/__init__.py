"""What Parley promises, measured: chaos and benchmarks. Run by `parley chaos` and `parley bench`."""
